// The objects that the operator manages, as anybody sees them through kubectl.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "tests/oracle/kubectl.hpp"

namespace troupe::oracle {

inline constexpr const char* kManagedKinds = "mysqlreplication,unit,unitset";

bool is_ready(const boost::json::value& object);
// What of them is not ready, for people.
std::string state_of(const boost::json::array& objects);
// Until all there are in any namespace are ready, telling what is waited for. False at the
// deadline.
bool wait_until_ready(const Kubectl& kubectl, std::chrono::seconds deadline);

// The list at a JSON pointer, or an empty one.
const boost::json::array& items_at(const boost::json::value& value, std::string_view pointer);

}  // namespace troupe::oracle
