// Which seeds a simulation runs: those it names, or TROUPE_SEEDS_PERCENT of them, or those of
// TROUPE_SEEDS=FROM..TO (TO excluded), or one.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace troupe::sim {

struct SeedRange {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // excluded
};

inline SeedRange seeds_or(SeedRange otherwise) {
  const auto number = [](std::string_view text) {
    std::uint64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
  };
  const char* given = std::getenv("TROUPE_SEEDS");
  const char* percent = std::getenv("TROUPE_SEEDS_PERCENT");
  if (!given && !percent) return otherwise;
  if (!given)
    return {otherwise.from,
            otherwise.from + (otherwise.to - otherwise.from) * number(percent) / 100};
  const std::string_view text = given;
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) return {number(text), number(text) + 1};
  return {number(text.substr(0, dots)), number(text.substr(dots + 2))};
}

}  // namespace troupe::sim
