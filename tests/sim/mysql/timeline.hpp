// Virtual time, the order of events, chance, and the story of a run: all from one seed.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "runtime/model/time.hpp"

namespace troupe::mysql_topology::sim {

// splitmix64: the same numbers everywhere.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // Of `n`, from 0.
  int pick(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
  bool percent(int p) { return pick(100) < p; }
  Duration between(Duration low, Duration high) {
    return low + Duration(static_cast<std::int64_t>(
                     next() % static_cast<std::uint64_t>((high - low).count() + 1)));
  }

 private:
  std::uint64_t state_;
};

class Timeline {
 public:
  Timeline(std::uint64_t seed, bool tell) : chance(seed), tells_(tell) {}

  TimePoint now() const { return now_; }
  void after(Duration delay, std::function<void()> what) {
    events_.push({now_ + delay, ++sequence_, std::move(what)});
  }
  // Runs the next event; false when there is none.
  bool step() {
    if (events_.empty()) return false;
    auto event = std::move(const_cast<Event&>(events_.top()));
    events_.pop();
    now_ = event.at;
    event.what();
    return true;
  }

  template <class... Args>
  void tell(fmt::format_string<Args...> text, Args&&... args) {
    if (!tells_) return;
    story_.push_back(fmt::format("{:9.3f} ms  {}",
                                 static_cast<double>((now_ - TimePoint{}).count()) / 1e6,
                                 fmt::format(text, std::forward<Args>(args)...)));
  }
  const std::vector<std::string>& story() const { return story_; }

  Chance chance;

 private:
  struct Event {
    TimePoint at;
    std::uint64_t sequence;
    std::function<void()> what;
    bool operator<(const Event& o) const {
      return at != o.at ? at > o.at : sequence > o.sequence;  // the earliest on top
    }
  };
  TimePoint now_{std::chrono::seconds(100)};
  std::uint64_t sequence_ = 0;
  std::priority_queue<Event> events_;
  bool tells_;
  std::vector<std::string> story_;
};

}  // namespace troupe::mysql_topology::sim
