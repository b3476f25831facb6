// The faults of a seed, one after the other until they are ended. They are numbered, and each has
// its own chances: a run without some of them has the others at the same times, so that what does
// not matter for a failure can be left out of it.
#pragma once

#include <functional>
#include <utility>

#include "tests/sim/mysql/timeline.hpp"
#include "tests/sim/run.hpp"

namespace troupe::mysql_topology::sim {

class Strikes {
 public:
  struct Pace {
    Duration min{};
    Duration max{};
  };
  Strikes(Timeline& timeline, const troupe::sim::Scenario& scenario, Pace pace)
      : timeline_(timeline), scenario_(scenario), pace_(pace), schedule_(~scenario.seed) {}

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
  void next() {
    timeline_.after(schedule_.between(pace_.min, pace_.max), [this] {
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
  Chance luck_{0};
  int count_ = 0;
  bool ended_ = false;
};

}  // namespace troupe::mysql_topology::sim
