#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {

namespace json = boost::json;

const json::value* find(const json::value& root, JsonPath path) {
  const json::value* at = &root;
  for (const std::string_view member : path) {
    const json::object* object = at->if_object();
    at = object == nullptr ? nullptr : object->if_contains(member);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string_view text(const json::value& root, JsonPath path, std::string_view fallback) {
  const json::value* found = find(root, path);
  const json::string* string = found == nullptr ? nullptr : found->if_string();
  return string == nullptr ? fallback : std::string_view(*string);
}

std::int64_t number(const json::value& root, JsonPath path, std::int64_t fallback) {
  const json::value* found = find(root, path);
  if (found == nullptr || !found->is_number()) return fallback;
  boost::system::error_code failed;
  const auto value = found->to_number<std::int64_t>(failed);
  return failed ? fallback : value;
}

bool flag(const json::value& root, JsonPath path, bool fallback) {
  const json::value* found = find(root, path);
  const bool* value = found == nullptr ? nullptr : found->if_bool();
  return value == nullptr ? fallback : *value;
}

const json::array& items(const json::value& root, JsonPath path) {
  static const json::array kNone;
  const json::value* found = find(root, path);
  const json::array* array = found == nullptr ? nullptr : found->if_array();
  return array == nullptr ? kNone : *array;
}

const json::object& fields(const json::value& root, JsonPath path) {
  static const json::object kNone;
  const json::value* found = find(root, path);
  const json::object* object = found == nullptr ? nullptr : found->if_object();
  return object == nullptr ? kNone : *object;
}

std::string scalar_text(const json::value& scalar) {
  if (const json::string* string = scalar.if_string()) return std::string(*string);
  return json::serialize(scalar);
}

const json::value* find_named(const json::array& list, std::string_view name) {
  for (const json::value& element : list) {
    if (text(element, {"name"}) == name) return &element;
  }
  return nullptr;
}

const json::value* find_condition(const json::value& object, std::string_view type) {
  for (const json::value& condition : items(object, {"status", "conditions"})) {
    if (text(condition, {"type"}) == type) return &condition;
  }
  return nullptr;
}

bool condition_is_true(const json::value& object, std::string_view type) {
  const json::value* condition = find_condition(object, type);
  return condition != nullptr && text(*condition, {"status"}) == "True";
}

json::object controller_reference(const json::value& owner) {
  return {{"apiVersion", text(owner, {"apiVersion"})},
          {"kind", text(owner, {"kind"})},
          {"name", name_of(owner)},
          {"uid", uid_of(owner)},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

std::string_view controller_uid(const json::value& object) {
  for (const json::value& owner : items(object, {"metadata", "ownerReferences"})) {
    if (flag(owner, {"controller"})) return text(owner, {"uid"});
  }
  return {};
}

}  // namespace troupe::sim
