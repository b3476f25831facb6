// What makes a schema structural: types, metadata, lists and maps, and what nested schemas may not
// say.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "k8s/sim/api/schema_compiler.hpp"

namespace troupe::sim {

void SchemaCompiler::check_type(const json::object& s, const std::string& path,
                                const SchemaNode& node, Level level) {
  const auto type = string_at(s, "type");
  if (!type.empty() && node.type == SchemaType::Any) {
    fail(not_supported(path + ".type", quoted(type),
                       {"array", "boolean", "integer", "number", "object", "string"}));
    return;
  }
  if (node.embedded_resource && type != "object") {
    constexpr auto kDetail = "must be object if x-kubernetes-embedded-resource is true";
    fail(type.empty() ? required(path + ".type", kDetail)
                      : invalid(path + ".type", quoted(type), kDetail));
  } else if (type.empty() && !node.int_or_string && !node.preserve_unknown) {
    const auto* detail = level == Level::Root   ? "must not be empty at the root"
                         : level == Level::Item ? "must not be empty for specified array items"
                                                : "must not be empty for specified object fields";
    fail(required(path + ".type", detail));
  }
  if (level == Level::Root && !type.empty() && type != "object") {
    fail(invalid(path + ".type", quoted(type), "must be object at the root"));
  }
  if (node.embedded_resource && !node.preserve_unknown && node.properties.empty()) {
    fail(required(path + ".properties",
                  "must not be empty if x-kubernetes-embedded-resource is true without "
                  "x-kubernetes-preserve-unknown-fields"));
  }
  if (true_at(s, "uniqueItems")) {
    fail(forbidden(path + ".uniqueItems",
                   "uniqueItems cannot be set to true since the runtime complexity becomes "
                   "quadratic"));
  }
}

void SchemaCompiler::check_metadata(const json::object& s, const std::string& path, Level level) {
  const bool has_meta = level == Level::Root || true_at(s, "x-kubernetes-embedded-resource");
  const auto* properties = find(s, "properties");
  if (!has_meta || !properties || !properties->is_object()) return;
  const auto& p = properties->get_object();
  for (const auto* name : {"kind", "apiVersion"}) {
    const auto* schema = find(p, name);
    if (!schema || !schema->is_object()) continue;
    if (const auto type = string_at(schema->get_object(), "type"); type != "string") {
      fail(invalid(fmt::format("{}.properties[{}].type", path, name), quoted(type),
                   "must be string"));
    }
  }
  const auto* metadata = find(p, "metadata");
  if (!metadata || !metadata->is_object()) return;
  const auto meta_path = path + ".properties[metadata]";
  if (const auto type = string_at(metadata->get_object(), "type"); type != "object") {
    fail(invalid(meta_path + ".type", quoted(type), "must be object"));
  }
  if (level != Level::Root) return;
  static const std::set<std::string_view> kAllowed = {"type", "properties", "description",
                                                      "default"};
  bool only_names = std::ranges::all_of(metadata->get_object(),
                                        [](const auto& kv) { return kAllowed.contains(kv.key()); });
  if (const auto* inner = find(metadata->get_object(), "properties"); inner && inner->is_object()) {
    only_names = only_names && std::ranges::all_of(inner->get_object(), [](const auto& kv) {
                   return kv.key() == "name" || kv.key() == "generateName";
                 });
  }
  if (!only_names) {
    fail(forbidden(meta_path,
                   "must not specify anything other than name and generateName, but metadata is "
                   "implicitly specified"));
  }
}

void SchemaCompiler::check_nested_is_structural(const json::object& s, const std::string& path) {
  struct Rule {
    const char* key;
    const char* detail;
  };
  static constexpr Rule kForbidden[] = {
      {"type", "must be empty to be structural"},
      {"additionalProperties", "must be undefined to be structural"},
      {"default", "must be undefined to be structural"},
      {"title", "must be empty to be structural"},
      {"description", "must be empty to be structural"},
      {"nullable", "must be false to be structural"},
      {"x-kubernetes-preserve-unknown-fields", "must be false to be structural"},
      {"x-kubernetes-embedded-resource", "must be false to be structural"},
      {"x-kubernetes-int-or-string", "must be false to be structural"},
      {"x-kubernetes-list-map-keys", "must be empty to be structural"},
      {"x-kubernetes-list-type", "must be undefined to be structural"},
      {"x-kubernetes-map-type", "must be undefined to be structural"},
      {"x-kubernetes-validations", "must be empty to be structural"},
  };
  for (const auto& rule : kForbidden) {
    const auto* value = find(s, rule.key);
    const bool is_set = value && !value->is_null() &&
                        !(value->is_bool() && !value->get_bool() &&
                          std::string_view(rule.key) != "additionalProperties");
    if (is_set) fail(forbidden(fmt::format("{}.{}", path, rule.key), rule.detail));
  }
  if (const auto* properties = find(s, "properties");
      properties && properties->is_object() && properties->get_object().contains("metadata")) {
    fail(forbidden(path + ".properties[metadata]", "must not be specified in a nested context"));
  }
}

void SchemaCompiler::read_list_type(const json::object& s, const std::string& path,
                                    SchemaNode& node) {
  const auto map_type = string_at(s, "x-kubernetes-map-type");
  if (!map_type.empty() && map_type != "atomic" && map_type != "granular") {
    fail(not_supported(path + ".x-kubernetes-map-type", quoted(map_type), {"atomic", "granular"}));
  }
  if (!map_type.empty() && node.type != SchemaType::Object) {
    constexpr auto kDetail = "must be object if x-kubernetes-map-type is specified";
    fail(string_at(s, "type").empty()
             ? required(path + ".type", kDetail)
             : invalid(path + ".type", quoted(string_at(s, "type")), kDetail));
  }
  const auto list_type = string_at(s, "x-kubernetes-list-type");
  node.list_map_keys = texts_at(s, "x-kubernetes-list-map-keys");
  if (!list_type.empty() && node.type != SchemaType::Array) {
    constexpr auto kDetail = "must be array if x-kubernetes-list-type is specified";
    fail(string_at(s, "type").empty()
             ? required(path + ".type", kDetail)
             : invalid(path + ".type", quoted(string_at(s, "type")), kDetail));
  }
  if (list_type == "map") {
    node.list_type = ListType::Map;
    check_map_keys(path, node);
  } else if (list_type == "set") {
    node.list_type = ListType::Set;
    if (node.items && node.items->type == SchemaType::Object && !node.items->atomic_map) {
      fail(invalid(path + ".items.x-kubernetes-map-type", "null",
                   "must be atomic as item of a list with x-kubernetes-list-type=set"));
    }
  } else if (!list_type.empty() && list_type != "atomic") {
    fail(not_supported(path + ".x-kubernetes-list-type", quoted(list_type),
                       {"atomic", "set", "map"}));
  }
  if (!node.list_map_keys.empty() && list_type != "map") {
    constexpr auto kDetail = "must be map if x-kubernetes-list-map-keys is non-empty";
    fail(list_type.empty() ? required(path + ".x-kubernetes-list-type", kDetail)
                           : invalid(path + ".x-kubernetes-list-type", quoted(list_type), kDetail));
  }
}

void SchemaCompiler::check_map_keys(const std::string& path, const SchemaNode& node) {
  if (node.list_map_keys.empty()) {
    fail(required(path + ".x-kubernetes-list-map-keys",
                  "must not be empty if x-kubernetes-list-type is map"));
  }
  if (!node.items) return;
  if (node.items->type != SchemaType::Object) {
    fail(invalid(path + ".items.type", "\"\"",
                 "must be object if parent array's x-kubernetes-list-type is map"));
    return;
  }
  const auto keys = json::value_from(node.list_map_keys);
  std::set<std::string> seen;
  for (const auto& key : node.list_map_keys) {
    const auto* child = node.items->property(key);
    if (!child) {
      fail(invalid(path + ".x-kubernetes-list-map-keys", show(keys),
                   "entries must all be names of item properties"));
      continue;
    }
    if (child->type == SchemaType::Object || child->type == SchemaType::Array) {
      fail(invalid(fmt::format("{}.items.properties[{}].type", path, key), "\"object\"",
                   "must be a scalar type if parent array's x-kubernetes-list-type is map"));
    }
    if (!seen.insert(key).second) {
      fail(invalid(path + ".x-kubernetes-list-map-keys", show(keys),
                   "must not contain duplicate entries"));
    }
    const auto& needed = node.items->rules.required;
    if (!child->default_value && std::ranges::find(needed, key) == needed.end()) {
      fail(required(fmt::format("{}.items.properties[{}].default", path, key),
                    "this property is in x-kubernetes-list-map-keys, so it must have a default "
                    "or be a required property"));
    }
  }
}

}  // namespace troupe::sim
