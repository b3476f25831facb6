// What a share of measurements stays within.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace troupe::oracle {

// The smallest of which that share are not above; 0 of none.
inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace troupe::oracle
