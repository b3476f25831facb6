#include "runtime/model/backoff.hpp"

#include <algorithm>

namespace troupe {

Duration Backoff::delay(std::uint32_t attempt, std::uint64_t random) const {
  const auto doublings = std::min<std::uint32_t>(attempt == 0 ? 0 : attempt - 1, 30);
  const auto factor = std::int64_t{1} << doublings;
  const auto whole = base > cap / factor ? cap : base * factor;
  const auto half = whole / 2;
  if (half.count() == 0) return whole;
  return half +
         Duration(static_cast<std::int64_t>(random % static_cast<std::uint64_t>(half.count())));
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + 0x9e3779b97f4a7c15ULL * (b + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace troupe
