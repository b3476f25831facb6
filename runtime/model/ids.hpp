// Strong ids of the runtime: never bare integers.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace troupe {

// An object actor of this process: a place in its tables, and which one in a row of those that had
// the place. Places are dense and reused, ids never are: what is addressed to an actor that has
// ended reaches nobody. At most 53 bits, which JavaScript's numbers hold.
struct ActorId {
  static constexpr int kPlaceBits = 22;
  static constexpr int kBits = 53;

  std::uint64_t value = UINT64_MAX;

  auto operator<=>(const ActorId&) const = default;
  explicit operator bool() const { return value != UINT64_MAX; }
  std::size_t place() const { return value & ((std::uint64_t{1} << kPlaceBits) - 1); }
  // The next one to have this place; none when the place has had as many as can be told apart.
  ActorId next() const {
    const auto raised = value + (std::uint64_t{1} << kPlaceBits);
    return raised >> kBits ? ActorId{} : ActorId{raised};
  }
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
