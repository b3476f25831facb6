// Reading metav1.Time and MicroTime.
#pragma once

#include <optional>
#include <string_view>

#include "runtime/model/time.hpp"

namespace troupe::sim {

// RFC 3339 in UTC or with an offset, with or without a fraction.
std::optional<WallTime> parse_timestamp(std::string_view text);

}  // namespace troupe::sim
