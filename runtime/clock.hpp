// The two clocks: the machine's, and one that tests and the simulator turn by hand.
#pragma once

#include <atomic>

#include "runtime/model/time.hpp"

namespace troupe {

// CLOCK_MONOTONIC and the wall clock.
class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  WallTime wall() const override;
};

// Stands still until told. Wall time runs along with it. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime wall_start = WallTime(std::chrono::seconds(1'700'000'000)))
      : wall_start_(wall_start) {}
  TimePoint now() const override { return TimePoint(Duration(ticks_.load())); }
  WallTime wall() const override;
  void advance(Duration by) { ticks_.fetch_add(by.count()); }
  void set(TimePoint t) { ticks_.store(t.time_since_epoch().count()); }

 private:
  WallTime wall_start_;
  std::atomic<std::int64_t> ticks_{std::chrono::nanoseconds(std::chrono::hours(1)).count()};
};

}  // namespace troupe
