#include "k8s/sim/api/object.hpp"

#include <algorithm>

namespace troupe::sim {
namespace {

template <class Object, class Value>
Value* descend(Object& root, std::string_view path) {
  Object* at = &root;
  while (true) {
    const auto dot = path.find('.');
    Value* next = at->if_contains(path.substr(0, dot));
    if (next == nullptr || dot == std::string_view::npos) return next;
    at = next->if_object();
    if (at == nullptr) return nullptr;
    path.remove_prefix(dot + 1);
  }
}

std::string_view as_text(const json::value* value) {
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

}  // namespace

const json::value* find(const json::object& root, std::string_view path) {
  return descend<const json::object, const json::value>(root, path);
}

json::value* find(json::object& root, std::string_view path) {
  return descend<json::object, json::value>(root, path);
}

const json::value* find(const json::value& root, std::string_view path) {
  const auto* object = root.if_object();
  return object == nullptr ? nullptr : find(*object, path);
}

std::string_view string_at(const json::value& root, std::string_view path) {
  return as_text(find(root, path));
}

std::string_view string_at(const json::object& root, std::string_view path) {
  return as_text(find(root, path));
}

std::optional<std::int64_t> to_int(const json::value& value) {
  if (const auto* i = value.if_int64()) return *i;
  if (const auto* u = value.if_uint64()) return static_cast<std::int64_t>(*u);
  return std::nullopt;
}

std::optional<std::int64_t> int_at(const json::object& root, std::string_view path) {
  const auto* value = find(root, path);
  return value == nullptr ? std::nullopt : to_int(*value);
}

std::optional<std::int64_t> int_at(const json::value& root, std::string_view path) {
  const auto* value = find(root, path);
  return value == nullptr ? std::nullopt : to_int(*value);
}

bool true_at(const json::object& root, std::string_view path) {
  const auto* value = find(root, path);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const json::array* array_at(const json::object& root, std::string_view path) {
  const auto* value = find(root, path);
  return value == nullptr ? nullptr : value->if_array();
}

const json::array* array_at(const json::value& root, std::string_view path) {
  const auto* object = root.if_object();
  return object == nullptr ? nullptr : array_at(*object, path);
}

const json::object* object_at(const json::object& root, std::string_view path) {
  const auto* value = find(root, path);
  return value == nullptr ? nullptr : value->if_object();
}

const json::object* object_at(const json::value& root, std::string_view path) {
  const auto* object = root.if_object();
  return object == nullptr ? nullptr : object_at(*object, path);
}

json::object& child(json::object& parent, std::string_view name) {
  auto& slot = parent[name];
  if (!slot.is_object()) slot.emplace_object();
  return slot.get_object();
}

void set_at(json::object& root, std::string_view path, json::value value) {
  json::object* at = &root;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    at = &child(*at, path.substr(0, dot));
    path.remove_prefix(dot + 1);
  }
  (*at)[path] = std::move(value);
}

void erase_at(json::object& root, std::string_view path) {
  const auto dot = path.rfind('.');
  if (dot == std::string_view::npos) {
    root.erase(path);
    return;
  }
  auto* parent = find(root, path.substr(0, dot));
  if (parent != nullptr && parent->is_object()) parent->get_object().erase(path.substr(dot + 1));
}

std::string_view name_of(const json::object& object) { return string_at(object, "metadata.name"); }

std::string_view namespace_of(const json::object& object) {
  return string_at(object, "metadata.namespace");
}

std::string_view uid_of(const json::object& object) { return string_at(object, "metadata.uid"); }

bool is_deleting(const json::object& object) {
  return !string_at(object, "metadata.deletionTimestamp").empty();
}

bool has_finalizers(const json::object& object) {
  const auto* finalizers = array_at(object, "metadata.finalizers");
  return finalizers != nullptr && !finalizers->empty();
}

bool has_finalizer(const json::object& object, std::string_view finalizer) {
  const auto* finalizers = array_at(object, "metadata.finalizers");
  return finalizers != nullptr &&
         std::any_of(finalizers->begin(), finalizers->end(), [&](const auto& f) {
           return f.is_string() && std::string_view(f.get_string()) == finalizer;
         });
}

void add_finalizer(json::object& object, std::string_view finalizer) {
  if (has_finalizer(object, finalizer)) return;
  auto& slot = metadata_of(object)["finalizers"];
  if (!slot.is_array()) slot.emplace_array();
  slot.get_array().emplace_back(finalizer);
}

void remove_finalizer(json::object& object, std::string_view finalizer) {
  auto* slot = find(object, "metadata.finalizers");
  if (slot == nullptr || !slot->is_array()) return;
  auto& finalizers = slot->get_array();
  finalizers.erase(std::remove(finalizers.begin(), finalizers.end(), json::value(finalizer)),
                   finalizers.end());
  if (finalizers.empty()) metadata_of(object).erase("finalizers");
}

std::string api_version(std::string_view group, std::string_view version) {
  if (group.empty()) return std::string(version);
  return std::string(group).append("/").append(version);
}

GroupVersion parse_api_version(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

void set_type_meta(json::object& object, std::string_view api_version, std::string_view kind) {
  json::object ordered(object.storage());
  ordered.reserve(object.size() + 2);
  ordered["apiVersion"] = api_version;
  ordered["kind"] = kind;
  if (auto* metadata = object.if_contains("metadata")) ordered["metadata"] = std::move(*metadata);
  for (auto& [key, value] : object) {
    if (!ordered.contains(key)) ordered.emplace(key, std::move(value));
  }
  object = std::move(ordered);
}

bool same(const json::value& a, const json::value& b) {
  if (a.is_object() && b.is_object()) return same(a.get_object(), b.get_object());
  if (a.is_array() && b.is_array()) return same(a.get_array(), b.get_array());
  return a == b;
}

bool same(const json::array& a, const json::array& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return same(x, y); });
}

bool same(const json::object& a, const json::object& b) {
  if (a.size() != b.size()) return false;
  // Most often they have their members in the same order.
  const auto* beside = b.begin();
  for (const auto& member : a) {
    const auto& neighbour = *beside++;
    const auto* other =
        neighbour.key() == member.key() ? &neighbour.value() : b.if_contains(member.key());
    if (other == nullptr || !same(member.value(), *other)) return false;
  }
  return true;
}

}  // namespace troupe::sim
