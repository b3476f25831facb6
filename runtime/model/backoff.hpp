// Exponential backoff with jitter. Pure: the jitter's randomness is an argument.
#pragma once

#include <cstdint>

#include "runtime/model/time.hpp"

namespace troupe {

struct Backoff {
  Duration base = std::chrono::milliseconds(200);
  Duration cap = std::chrono::seconds(60);

  // Delay before attempt `attempt` + 1, after `attempt` >= 1 failures: base * 2^(attempt-1), at
  // most cap, then spread over [1/2, 1) of itself so that a crowd does not return as one.
  Duration delay(std::uint32_t attempt, std::uint64_t random) const;
};

// A well-mixed number for jitter from ids that differ (splitmix64's finalizer).
std::uint64_t mix(std::uint64_t a, std::uint64_t b);

}  // namespace troupe
