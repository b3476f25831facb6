#include "k8s/sim/api/random.hpp"

#include <fmt/format.h>

#include <string_view>

namespace troupe::sim {

std::string Random::uid() {
  const auto high = next();
  const auto low = next();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xfff, 0x8000 | ((low >> 48) & 0x3fff), low & 0xffff'ffff'ffff);
}

std::string Random::name_suffix() {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  constexpr int kLength = 5;
  std::string suffix;
  for (int i = 0; i < kLength; ++i) suffix += kAlphabet[below(kAlphabet.size())];
  return suffix;
}

}  // namespace troupe::sim
