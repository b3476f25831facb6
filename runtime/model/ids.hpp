// Strong ids of the runtime: never bare integers.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace troupe {

// An object actor of this process. Ids are dense and reused only after the actor has stopped.
struct ActorId {
  std::uint32_t value = UINT32_MAX;
  auto operator<=>(const ActorId&) const = default;
  explicit operator bool() const { return value != UINT32_MAX; }
};

// One chain of cause and effect: given to a watch event, a timer or an observation when it enters
// the process and carried by every decision, effect and write that follows from it.
struct CausalId {
  std::uint64_t value = 0;
  auto operator<=>(const CausalId&) const = default;
  explicit operator bool() const { return value != 0; }
};

}  // namespace troupe

template <>
struct std::hash<troupe::ActorId> {
  std::size_t operator()(troupe::ActorId id) const noexcept { return id.value; }
};
template <>
struct std::hash<troupe::CausalId> {
  std::size_t operator()(troupe::CausalId id) const noexcept { return id.value; }
};
