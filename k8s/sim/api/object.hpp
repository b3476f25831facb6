// Reading and changing Kubernetes objects held as Boost.JSON values.
//
// Paths are member names joined by dots ("spec.nodeName"); none of the paths used here has a dot in
// a name. Readers answer empty or null for what is not there or of another type. Pure functions.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::sim {

namespace json = boost::json;

const json::value* find(const json::value& root, std::string_view path);
const json::value* find(const json::object& root, std::string_view path);
json::value* find(json::object& root, std::string_view path);
std::string_view string_at(const json::value& root, std::string_view path);
std::string_view string_at(const json::object& root, std::string_view path);
std::optional<std::int64_t> int_at(const json::value& root, std::string_view path);
std::optional<std::int64_t> int_at(const json::object& root, std::string_view path);
bool true_at(const json::object& root, std::string_view path);
const json::array* array_at(const json::value& root, std::string_view path);
const json::array* array_at(const json::object& root, std::string_view path);
const json::object* object_at(const json::value& root, std::string_view path);
const json::object* object_at(const json::object& root, std::string_view path);

std::optional<std::int64_t> to_int(const json::value& value);

// Sets a member, making the objects on the way.
void set_at(json::object& root, std::string_view path, json::value value);
void erase_at(json::object& root, std::string_view path);
// The member object of that name; made (or replaced, if it is no object) when missing.
json::object& child(json::object& parent, std::string_view name);

inline json::object& metadata_of(json::object& object) { return child(object, "metadata"); }
std::string_view name_of(const json::object& object);
std::string_view namespace_of(const json::object& object);
std::string_view uid_of(const json::object& object);
bool is_deleting(const json::object& object);
bool has_finalizers(const json::object& object);
bool has_finalizer(const json::object& object, std::string_view finalizer);
void add_finalizer(json::object& object, std::string_view finalizer);
void remove_finalizer(json::object& object, std::string_view finalizer);

// "apps/v1", or "v1" for the core group.
std::string api_version(std::string_view group, std::string_view version);
// {"apps", "v1"} out of "apps/v1".
struct GroupVersion {
  std::string group;
  std::string version;
  friend auto operator<=>(const GroupVersion&, const GroupVersion&) = default;
};
GroupVersion parse_api_version(std::string_view text);

// The object with apiVersion and kind set and standing first, as every client expects to see it.
void set_type_meta(json::object& object, std::string_view api_version, std::string_view kind);

// As ==, which in Boost.JSON 1.81 copies every member that it compares, all the way down.
bool same(const json::value& a, const json::value& b);
bool same(const json::object& a, const json::object& b);
bool same(const json::array& a, const json::array& b);

}  // namespace troupe::sim
