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

}  // namespace troupe::agent
