#include "k8s/sim/api/builtin_schemas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <unordered_map>

#include "k8s/sim/api/builtin_schemas_text.hpp"
#include "k8s/sim/api/object.hpp"

namespace troupe::sim {
namespace {

constexpr std::string_view kObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
constexpr std::string_view kQuantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
constexpr std::string_view kIntOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

json::object reference(std::string_view component) {
  return {{"$ref", fmt::format("#/components/schemas/{}", component)}};
}

// What a scalar type of the text is, compiled and in OpenAPI.
struct Scalar {
  SchemaNode node;
  json::object document;
};

Scalar typed(SchemaType type, std::string_view name, std::string_view format = {}) {
  Scalar out;
  out.node.type = type;
  out.node.rules.format = format;
  out.document.emplace("type", name);
  if (!format.empty()) out.document.emplace("format", format);
  return out;
}

const std::map<std::string_view, Scalar>& scalars() {
  static const auto kScalars = [] {
    std::map<std::string_view, Scalar> all;
    all["string"] = typed(SchemaType::String, "string");
    all["bool"] = typed(SchemaType::Boolean, "boolean");
    all["int32"] = typed(SchemaType::Integer, "integer", "int32");
    all["int64"] = typed(SchemaType::Integer, "integer", "int64");
    all["double"] = typed(SchemaType::Number, "number", "double");
    all["bytes"] = typed(SchemaType::String, "string", "byte");
    all["time"] = typed(SchemaType::String, "string", "date-time");
    all["microtime"] = all["time"];
    auto& quantity = all["quantity"];
    quantity.node.type = SchemaType::String;
    quantity.node.quantity = true;
    quantity.document = reference(kQuantity);
    auto& int_or_string = all["intstr"];
    int_or_string.node.int_or_string = true;
    int_or_string.document = reference(kIntOrString);
    all["object"] = typed(SchemaType::Object, "object");
    all["object"].node.preserve_unknown = true;
    all["object"].node.atomic_map = true;
    all["jsonschema"] = all["object"];
    all["any"].node.preserve_unknown = true;
    return all;
  }();
  return kScalars;
}

class Builtins {
 public:
  Builtins() {
    for (auto& type : parse_builtin_types(
             {kMetaTypes, kCoreTypes, kWorkloadTypes, kClusterTypes, kNetworkTypes})) {
      auto component = type.component;
      types_.emplace(std::move(component), std::move(type));
    }
    add_common_components();
    for (const auto& [component, type] : types_) {
      components_.emplace(component, document_of(type));
      if (!type.is_kind) continue;
      kinds_.push_back({type.group, type.version, type.name, component});
      schemas_.emplace(key(type.group, type.version, type.name), Schema(node_of(component), false));
    }
  }

  const Schema* find(std::string_view group, std::string_view version,
                     std::string_view kind) const {
    const auto it = schemas_.find(key(group, version, kind));
    return it == schemas_.end() ? nullptr : &it->second;
  }

  const std::vector<BuiltinKind>& kinds() const { return kinds_; }
  const json::object& components() const { return components_; }
  SchemaNodePtr object_meta() const { return nodes_.at(std::string(kObjectMeta)); }

 private:
  static std::string key(std::string_view group, std::string_view version, std::string_view kind) {
    return fmt::format("{}/{}/{}", group, version, kind);
  }

  void add_common_components() {
    components_[kQuantity] = {
        {"description", "An amount with an optional suffix, such as 500m or 2Gi."},
        {"oneOf", json::array{{{"type", "string"}}, {{"type", "number"}}}}};
    components_[kIntOrString] = {
        {"description", "A number, or a text such as a percentage or the name of a port."},
        {"format", "int-or-string"},
        {"oneOf", json::array{{{"type", "integer"}}, {{"type", "string"}}}}};
  }

  SchemaNodePtr node_of(const std::string& component) {
    if (const auto it = nodes_.find(component); it != nodes_.end()) return it->second;
    const auto& type = types_.at(component);
    auto node = std::make_shared<SchemaNode>();
    node->type = SchemaType::Object;
    node->atomic_map = type.atomic;
    if (type.is_kind) {
      const auto text = std::make_shared<SchemaNode>(scalars().at("string").node);
      node->properties.emplace("apiVersion", text);
      node->properties.emplace("kind", text);
    }
    for (const auto& field : type.fields) {
      auto child = field_node(field);
      node->has_nested_defaults |= child->has_nested_defaults;
      node->properties.emplace(field.name, std::move(child));
      if (field.enforced) node->rules.required.push_back(field.name);
    }
    nodes_.emplace(component, node);
    return node;
  }

  // A copy of the type's node with what the field adds to it.
  SchemaNodePtr field_node(const BuiltinField& field) {
    auto node = std::make_shared<SchemaNode>(*type_node(field.type));
    if (field.is_set) node->list_type = ListType::Set;
    if (!field.keys.empty()) {
      node->list_type = ListType::Map;
      node->list_map_keys = field.keys;
    }
    node->atomic_map |= field.atomic;
    node->patch_merge = field.merge;
    node->patch_merge_key = field.merge_key;
    node->patch_retain_keys = field.retain;
    for (const auto& value : field.enum_values) node->rules.enum_values.emplace_back(value);
    node->default_value = field.default_value;
    node->by_value = field.by_value;
    if (field.by_value) node->default_value = json::object();
    node->has_nested_defaults |= node->default_value.has_value();
    return node;
  }

  SchemaNodePtr type_node(std::string_view type) {
    if (type.starts_with("[]") || type.starts_with("{}")) {
      auto node = std::make_shared<SchemaNode>();
      auto element = type_node(type.substr(2));
      node->has_nested_defaults = element->has_nested_defaults;
      node->type = type.starts_with("[]") ? SchemaType::Array : SchemaType::Object;
      (node->type == SchemaType::Array ? node->items : node->additional) = std::move(element);
      return node;
    }
    const auto scalar = scalars().find(type);
    if (scalar != scalars().end()) return std::make_shared<SchemaNode>(scalar->second.node);
    return node_of(std::string(type));
  }

  static json::object type_document(std::string_view type) {
    if (type.starts_with("[]")) {
      return {{"type", "array"}, {"items", type_document(type.substr(2))}};
    }
    if (type.starts_with("{}")) {
      return {{"type", "object"}, {"additionalProperties", type_document(type.substr(2))}};
    }
    const auto scalar = scalars().find(type);
    return scalar == scalars().end() ? reference(type) : scalar->second.document;
  }

  static json::object field_document(const BuiltinField& field) {
    auto out = type_document(field.type);
    // A $ref stands alone, so what the field adds goes around it.
    if (out.contains("$ref")) out = {{"allOf", json::array{out}}};
    if (!field.documentation.empty()) out["description"] = field.documentation;
    if (field.by_value) out["default"] = json::object();
    if (field.default_value) out["default"] = *field.default_value;
    if (!field.enum_values.empty()) out["enum"] = json::value_from(field.enum_values);
    if (field.type.starts_with("[]")) {
      out["x-kubernetes-list-type"] = !field.keys.empty() ? "map" : field.is_set ? "set" : "atomic";
    }
    if (!field.keys.empty()) out["x-kubernetes-list-map-keys"] = json::value_from(field.keys);
    if (field.atomic) out["x-kubernetes-map-type"] = "atomic";
    if (!field.merge_key.empty()) out["x-kubernetes-patch-merge-key"] = field.merge_key;
    if (field.merge || field.retain) {
      out["x-kubernetes-patch-strategy"] = !field.retain ? "merge"
                                           : field.merge ? "merge,retainKeys"
                                                         : "retainKeys";
    }
    return out;
  }

  static json::object document_of(const BuiltinType& type) {
    json::object out;
    json::object properties;
    json::array needed;
    out["type"] = "object";
    if (!type.documentation.empty()) out["description"] = type.documentation;
    if (type.is_kind) {
      properties["apiVersion"] = {{"type", "string"},
                                  {"description", "Group and version of the API."}};
      properties["kind"] = {{"type", "string"}, {"description", "The kind of the object."}};
    }
    for (const auto& field : type.fields) {
      properties[field.name] = field_document(field);
      if (field.required) needed.emplace_back(field.name);
    }
    out["properties"] = std::move(properties);
    if (!needed.empty()) out["required"] = std::move(needed);
    if (type.atomic) out["x-kubernetes-map-type"] = "atomic";
    if (type.is_kind) {
      out["x-kubernetes-group-version-kind"] =
          json::array{{{"group", type.group}, {"version", type.version}, {"kind", type.name}}};
    }
    return out;
  }

  std::map<std::string, BuiltinType> types_;
  std::unordered_map<std::string, SchemaNodePtr> nodes_;
  std::map<std::string, Schema> schemas_;
  std::vector<BuiltinKind> kinds_;
  json::object components_;
};

const Builtins& builtins() {
  static const Builtins kAll;
  return kAll;
}

// Compiled schemas, shared by all servers of the process: a definition is compiled when it is
// checked and when it is served, and simulations start servers by the thousand with the same ones.
class CompiledSchemas {
 public:
  std::optional<Schema> find(const json::value& source, const std::string& path) const {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find_if(
        all_, [&](const Compiled& c) { return c.path == path && same(c.source, source); });
    return found == all_.end() ? std::nullopt : std::optional(found->schema);
  }
  void keep(const json::value& source, const std::string& path, const Schema& schema) {
    const std::scoped_lock lock(mutex_);
    all_.push_back({source, path, schema});
    if (all_.size() > kMost) all_.pop_front();
  }

 private:
  static constexpr std::size_t kMost = 16;
  struct Compiled {
    json::value source;
    std::string path;
    Schema schema;
  };
  mutable std::mutex mutex_;
  std::deque<Compiled> all_;  // oldest first
};

}  // namespace

const Schema* find_builtin_schema(std::string_view group, std::string_view version,
                                  std::string_view kind) {
  return builtins().find(group, version, kind);
}

const Schema& builtin_schema(std::string_view group, std::string_view version,
                             std::string_view kind) {
  const auto* schema = find_builtin_schema(group, version, kind);
  if (!schema) {
    throw std::out_of_range(fmt::format("no built-in kind {} in {}/{}", kind, group, version));
  }
  return *schema;
}

const std::vector<BuiltinKind>& builtin_kinds() { return builtins().kinds(); }

const json::object& builtin_components() { return builtins().components(); }

SchemaNodePtr object_meta_schema() { return builtins().object_meta(); }

FieldResult<Schema> compile_custom_resource_schema(const json::value& open_api_v3_schema,
                                                   std::string path) {
  static CompiledSchemas compiled;
  if (auto known = compiled.find(open_api_v3_schema, path)) return std::move(*known);
  auto schema = Schema::compile(open_api_v3_schema, {path, object_meta_schema()});
  if (schema) compiled.keep(open_api_v3_schema, path, *schema);
  return schema;
}

}  // namespace troupe::sim
