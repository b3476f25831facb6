// Which news of an object's conditions people are told, and when.
//
// A decision says what has become of its conditions at once (Conditions::tell_changes). What stands
// for a moment only is no news: a guard that comes and goes with each failover, or with each start
// of the operator, would bury what matters. So a warning waits until its guard has stood for
// kStands, and an end is told only of what was told. What happened, as against what stands in the
// way, passes at once. Of one condition several guards may stand: each is told once, and again when
// it says something else than numbers, or comes back after kStands.
//
// Part of an actor's memory; a restart forgets what was about to be told, never what is wrong, for
// that stands in the status. One entry a condition and rule.
#pragma once

#include <map>
#include <optional>
#include <string>

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
    std::optional<TimePoint> since;  // its guard stands; nullopt: not now
  };
  struct Told {
    std::string text;
    std::optional<TimePoint> gone;  // since when its guard does not stand
  };
  struct Condition {  // by rule
    std::map<std::string, Waiting, std::less<>> waiting;
    std::map<std::string, Told, std::less<>> told;  // and not said to be over
  };

  // Whether it is to be told now.
  bool hear(Effect& effect, TimePoint now);
  // Puts into `decision` what is due.
  static void tell(Condition& condition, Decision& decision, TimePoint now);

  std::map<std::string, Condition, std::less<>> conditions_;  // by type
};

}  // namespace troupe::actors
