#include "actors/model/json.hpp"

namespace troupe::actors {

using boost::json::array;
using boost::json::object;

object& object_at(object& parent, std::string_view key) {
  auto& v = parent[key];
  if (!v.is_object()) v = object();
  return v.as_object();
}

array& array_at(object& parent, std::string_view key) {
  auto& v = parent[key];
  if (!v.is_array()) v = array();
  return v.as_array();
}

const object* find_object(const object& parent, std::string_view key) {
  const auto* v = parent.if_contains(key);
  return v ? v->if_object() : nullptr;
}

const array* find_array(const object& parent, std::string_view key) {
  const auto* v = parent.if_contains(key);
  return v ? v->if_array() : nullptr;
}

std::string text_at(const object& parent, std::string_view key) {
  const auto* v = parent.if_contains(key);
  return v && v->is_string() ? std::string(v->as_string()) : std::string();
}

const object* find_named(const array& items, std::string_view name) {
  for (const auto& item : items)
    if (item.is_object() && text_at(item.as_object(), "name") == name) return &item.as_object();
  return nullptr;
}

object* find_named(array& items, std::string_view name) {
  return const_cast<object*>(find_named(std::as_const(items), name));
}

object parse_object(std::string_view text) {
  boost::system::error_code ec;
  auto parsed = boost::json::parse(text, ec);
  return !ec && parsed.is_object() ? std::move(parsed.as_object()) : object();
}

}  // namespace troupe::actors
