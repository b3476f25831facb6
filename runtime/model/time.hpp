// Time as Troupe uses it: monotonic for decisions, wall time only for what is shown.
//
// Decisions never read a clock: the time is an argument. Only the shells (gateways, actor hosts,
// watchers) hold a Clock, and tests and the simulator give them one that they turn by hand.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace troupe {

using Duration = std::chrono::nanoseconds;

// Tag of the injected monotonic clock. It has no now(): who needs the time is given it.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, duration>;
  static constexpr bool is_steady = true;
};

// An instant on the injected monotonic clock. The default value is "never seen".
using TimePoint = MonotonicClock::time_point;

// Wall time, for status fields, events and logs. Never compared for decisions.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

// Source of both. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall() const = 0;
};

// RFC 3339 in UTC with seconds, as metav1.Time: 2026-01-31T12:00:00Z.
std::string to_rfc3339(WallTime t);
// RFC 3339 with six digits, as metav1.MicroTime (Leases, events.k8s.io).
std::string to_rfc3339_micro(WallTime t);
// Short human form of a duration for guards and messages: "4.1s", "350ms", "2m10s".
std::string to_text(Duration d);

}  // namespace troupe
