// Text of request targets.
#pragma once

#include <string>
#include <string_view>

namespace troupe::k8s {

// Everything but RFC 3986's unreserved characters as %XX: safe in a path segment and in a query.
std::string percent_encoded(std::string_view text);

}  // namespace troupe::k8s
