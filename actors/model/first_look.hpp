// What a process that has just begun tells of servers that it has not seen yet: nothing. What its
// predecessor told stands until it has seen them, or for a while if they are not to be seen.
#pragma once

#include <boost/describe/class.hpp>

#include "actors/model/decision.hpp"
#include "runtime/model/time.hpp"

namespace troupe::actors {

inline constexpr Duration kFirstLook = std::chrono::seconds(3);

// Of one object, in its Memory.
struct FirstLook {
  TimePoint ends;  // default: it has not begun

  // With a wake-up at its end.
  bool lasts(bool has_seen_all, TimePoint now, Decision& decision) {
    if (ends == TimePoint{}) ends = now + kFirstLook;
    if (has_seen_all || now >= ends) {
      ends = now;  // what is lost from sight later is news
      return false;
    }
    decision.wake_at(ends);
    return true;
  }
};
BOOST_DESCRIBE_STRUCT(FirstLook, (), (ends))

}  // namespace troupe::actors
