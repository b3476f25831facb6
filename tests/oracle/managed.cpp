#include "tests/oracle/managed.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "tests/oracle/say.hpp"

namespace troupe::oracle {

const boost::json::array& items_at(const boost::json::value& value, std::string_view pointer) {
  static const boost::json::array none;
  boost::system::error_code ec;
  const auto* list = value.find_pointer(pointer, ec);
  return list && list->is_array() ? list->as_array() : none;
}

bool is_ready(const boost::json::value& object) {
  if (text_at(object, "/status/observedGeneration") != text_at(object, "/metadata/generation"))
    return false;
  if (text_at(object, "/kind") == "MysqlReplication")
    return text_at(object, "/status/ready") == "true";
  for (const auto& c : items_at(object, "/status/conditions"))
    if (text_at(c, "/type") == "Ready") return text_at(c, "/status") == "True";
  return false;
}

std::string state_of(const boost::json::array& objects) {
  std::vector<std::string> out;
  for (const auto& o : objects) {
    const auto name = text_at(o, "/metadata/name");
    const auto& conditions = items_at(o, "/status/conditions");
    if (conditions.empty()) out.push_back(name + " has no status yet");
    for (const auto& c : conditions)
      if (text_at(c, "/status") == "False")
        out.push_back(fmt::format("{}: {}", name, text_at(c, "/message")));
  }
  return fmt::format("{}", fmt::join(out, "; "));
}

bool wait_until_ready(const Kubectl& kubectl, std::chrono::seconds deadline) {
  std::string said;
  return eventually(deadline, [&] {
    const boost::json::value list = kubectl.get({kManagedKinds, "-A"});
    const auto& objects = items_at(list, "/items");
    if (text_at(list, "/kind") == "List" && std::all_of(objects.begin(), objects.end(), is_ready))
      return true;
    const auto state = state_of(objects);
    if (state != said && !state.empty()) say("  " + state);
    said = state;
    return false;
  });
}

}  // namespace troupe::oracle
