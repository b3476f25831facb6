// Reading Kubernetes objects held as Boost.JSON values: a path of member names, and what to assume
// when something on the way is absent or of another type. The API server has validated the objects,
// so absence is normal here and never an error.
//
// Everything returned by reference or view lives as long as the value that was asked.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace troupe::sim {

using JsonPath = std::initializer_list<std::string_view>;

// The value at `path`, or null when a member is missing or its parent is no object.
const boost::json::value* find(const boost::json::value& root, JsonPath path);

std::string_view text(const boost::json::value& root, JsonPath path,
                      std::string_view fallback = "");
std::int64_t number(const boost::json::value& root, JsonPath path, std::int64_t fallback = 0);
bool flag(const boost::json::value& root, JsonPath path, bool fallback = false);
// An empty container when absent.
const boost::json::array& items(const boost::json::value& root, JsonPath path);
const boost::json::object& fields(const boost::json::value& root, JsonPath path);

// A scalar as a person would write it; strings without quotes.
std::string scalar_text(const boost::json::value& scalar);

// The element of a list of objects whose "name" is `name`, or null.
const boost::json::value* find_named(const boost::json::array& list, std::string_view name);

// The element of a status' conditions of that type, or null.
const boost::json::value* find_condition(const boost::json::value& object, std::string_view type);
bool condition_is_true(const boost::json::value& object, std::string_view type);

inline std::string_view name_of(const boost::json::value& o) {
  return text(o, {"metadata", "name"});
}
inline std::string_view namespace_of(const boost::json::value& o) {
  return text(o, {"metadata", "namespace"});
}
inline std::string_view uid_of(const boost::json::value& o) { return text(o, {"metadata", "uid"}); }
inline bool is_deleting(const boost::json::value& o) {
  return !text(o, {"metadata", "deletionTimestamp"}).empty();
}

// An ownerReference that makes `owner` the controller of the object it is put on.
boost::json::object controller_reference(const boost::json::value& owner);
// uid of the owner that is marked as controller, or empty.
std::string_view controller_uid(const boost::json::value& object);

}  // namespace troupe::sim
