// Which news of an object's conditions people are told, and when.
//
// A decision says what has become of its conditions at once (Conditions::tell_changes). What stands
// for a moment only is no news: a guard that comes and goes with each failover, or with each start
// of the operator, would bury what matters. So a warning waits until its guard has stood for
// kStands, and an end is told only of what was told. What happened, as against what stands in the
// way, passes at once.
//
// Part of an actor's memory; a restart forgets what was about to be told, never what is wrong, for
// that stands in the status. One entry a condition.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/model/decision.hpp"

namespace troupe::actors {

class Herald {
 public:
  // Longer than a failover and than an operator needs to look at everything once.
  static constexpr Duration kStands = std::chrono::seconds(5);

  // Takes out of `decision` the events that are to wait or are no news, puts in those that are due,
  // and names the time to look again.
  void sift(Decision& decision, TimePoint now);

 private:
  struct Waiting {
    Effect effect;
    TimePoint since;
  };
  struct Condition {
    std::optional<Waiting> waiting;
    std::string rule;  // of what people were told last and that is not over; empty: nothing
    std::string text;
  };

  // Whether it is to be told now.
  bool hear(Effect& effect, TimePoint now);

  std::map<std::string, Condition, std::less<>> conditions_;  // by type
};

}  // namespace troupe::actors
