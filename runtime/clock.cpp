#include "runtime/clock.hpp"

namespace troupe {

TimePoint SystemClock::now() const {
  return TimePoint(std::chrono::steady_clock::now().time_since_epoch());
}

WallTime SystemClock::wall() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

WallTime ManualClock::wall() const {
  return wall_start_ + std::chrono::floor<std::chrono::microseconds>(now().time_since_epoch());
}

}  // namespace troupe
