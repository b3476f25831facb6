#include "k8s/sim/controllers/amounts.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <limits>

#include "k8s/sim/api/schema_quantity.hpp"
#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

std::int64_t in_units_of(const boost::json::value* quantity, std::int64_t nanos_per_unit) {
  if (quantity == nullptr) return 0;
  const auto parsed = Quantity::parse(scalar_text(*quantity));
  if (!parsed) return 0;
  const __int128 nanos = parsed->nanos();
  const __int128 units = nanos / nanos_per_unit + (nanos % nanos_per_unit > 0 ? 1 : 0);
  constexpr __int128 kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::clamp(units, -kMost, kMost));
}

}  // namespace

std::int64_t milli_amount(const boost::json::value* quantity) {
  return in_units_of(quantity, 1'000'000);
}

std::int64_t whole_amount(const boost::json::value* quantity) {
  return in_units_of(quantity, 1'000'000'000);
}

}  // namespace troupe::sim
