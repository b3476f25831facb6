// The faults of a seed, one after the other until they are ended. They are numbered, and each has
// its own chances: a run without some of them has the others at the same times, so that what does
// not matter for a failure can be left out of it. They come in bursts: what one leads to meets the
// next, and now and then there is time to recover.
#pragma once

#include <functional>
#include <utility>

#include "tests/sim/mysql/timeline.hpp"
#include "tests/sim/run.hpp"

namespace troupe::mysql_topology::sim {

class Strikes {
 public:
  struct Pace {
    Duration min{};  // from one to the next
    Duration max{};
    int burst = 0;  // at most so many of them, then it is calm for a while; 0: never
    Duration calm_min{};
    Duration calm_max{};
  };
  Strikes(Timeline& timeline, const troupe::sim::Scenario& scenario, Pace pace)
      : timeline_(timeline),
        scenario_(scenario),
        pace_(pace),
        schedule_(~scenario.seed),
        left_(pace.burst) {}

  void begin(std::function<void()> strike) {
    strike_ = std::move(strike);
    next();
  }
  void end() { ended_ = true; }
  bool ended() const { return ended_; }
  int count() const { return count_; }
  // Of the one under way.
  Chance& luck() { return luck_; }

 private:
  Duration pause() {
    if (pace_.burst == 0 || --left_ > 0) return schedule_.between(pace_.min, pace_.max);
    left_ = 1 + schedule_.pick(pace_.burst);
    return schedule_.between(pace_.calm_min, pace_.calm_max);
  }

  void next() {
    timeline_.after(pause(), [this] {
      if (ended_) return;
      const int number = count_++;
      luck_ = Chance(schedule_.next());
      if (!scenario_.strikes || scenario_.strikes->contains(number)) {
        timeline_.tell("fault {}", number);
        strike_();
      }
      next();
    });
  }

  Timeline& timeline_;
  const troupe::sim::Scenario& scenario_;
  const Pace pace_;
  std::function<void()> strike_;
  Chance schedule_;
  int left_;  // of this burst
  Chance luck_{0};
  int count_ = 0;
  bool ended_ = false;
};

}  // namespace troupe::mysql_topology::sim
