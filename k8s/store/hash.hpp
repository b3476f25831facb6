// Hashes of what the store and the router look up by. The same in every run, so that a simulation
// can be replayed.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace troupe::k8s::internal {

constexpr std::uint64_t mixed(std::uint64_t seed, std::uint64_t value) {
  // The finalizer of SplitMix64 over the sum.
  std::uint64_t x = seed + 0x9e3779b97f4a7c15u + value;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

inline std::uint64_t mixed(std::uint64_t seed, std::string_view text) {
  return mixed(seed, std::hash<std::string_view>{}(text));
}

}  // namespace troupe::k8s::internal
