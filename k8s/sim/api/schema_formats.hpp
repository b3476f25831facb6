// String formats of OpenAPI schemas, as the API server checks them.
//
// A format that is not known here passes, as it does there. The isbn formats are left out.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace troupe::sim {

bool matches_format(std::string_view format, std::string_view text);

// RFC 3339 to an instant; nanoseconds, offsets and lower-case letters included.
using Instant = std::chrono::sys_time<std::chrono::nanoseconds>;
std::optional<Instant> parse_rfc3339(std::string_view text);

// YYYY-MM-DD, at midnight UTC.
std::optional<Instant> parse_date(std::string_view text);

// Go's duration: "1h30m", "-1.5s", "0".
std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

}  // namespace troupe::sim
