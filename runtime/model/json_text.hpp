// JSON for people and scripts: Boost.JSON writes 405.2 as 4.052E2, which is valid and unreadable.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace troupe {

// As boost::json::serialize, but a fraction is a plain decimal with at most six digits behind the
// point, microseconds in seconds; what is no number is null.
std::string json_text(const boost::json::value& value);

}  // namespace troupe
