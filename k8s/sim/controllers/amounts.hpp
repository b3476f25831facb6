// Amounts of resources in manifests ("500m", "1.5Gi", 2) as integers, rounded up and saturating.
// Absent and malformed ones are zero: validation has refused what is malformed.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>

namespace troupe::sim {

std::int64_t milli_amount(const boost::json::value* quantity);
std::int64_t whole_amount(const boost::json::value* quantity);

}  // namespace troupe::sim
