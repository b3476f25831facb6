// The number that orders who may change a member: one more for every change of source.
//
// The operator persists an epoch before it acts on it. A member's agent keeps the highest that it
// was told on the data volume and refuses a lower one; an equal one is a retry of the same change.
#pragma once

#include <compare>
#include <cstdint>

namespace troupe::agent {

struct Epoch {
  std::uint64_t value = 0;  // 0: none was ever given
  auto operator<=>(const Epoch&) const = default;
};

// The highest there may be, so that a record can hold it: as 64-bit integer with a sign, and as a
// number that every reader of JSON reads exactly. Counting never gets there.
inline constexpr Epoch kMaxEpoch{(std::uint64_t{1} << 53) - 1};

}  // namespace troupe::agent
