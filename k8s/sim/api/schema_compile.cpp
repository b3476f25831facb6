#include <fmt/format.h>

#include <algorithm>

#include "k8s/sim/api/schema_compiler.hpp"

namespace troupe::sim {
namespace {

// A schema may nest this deep; the real server's decoder stops near there, too.
constexpr int kMaxDepth = 200;

SchemaType type_of(std::string_view name) {
  if (name == "object") return SchemaType::Object;
  if (name == "array") return SchemaType::Array;
  if (name == "string") return SchemaType::String;
  if (name == "integer") return SchemaType::Integer;
  if (name == "number") return SchemaType::Number;
  if (name == "boolean") return SchemaType::Boolean;
  return SchemaType::Any;
}

}  // namespace

std::vector<FieldError> SchemaCompiler::take_errors() {
  std::ranges::sort(errors_, {}, [](const FieldError& e) { return to_string(e); });
  return std::move(errors_);
}

SchemaNodePtr SchemaCompiler::compile_root(const json::value& schema) {
  auto node = compile(schema, options_.path, Level::Root, 0);
  if (schema.is_object() && true_at(schema.get_object(), "nullable")) {
    fail(forbidden(options_.path + ".nullable", "nullable cannot be true at the root"));
  }
  if (node) add_type_meta(*node, true);
  return node;
}

SchemaCompiler::Node SchemaCompiler::compile(const json::value& schema, const std::string& path,
                                             Level level, int depth) {
  if (!schema.is_object() || depth > kMaxDepth) {
    fail(invalid(path, show(schema), "must be a schema object"));
    return nullptr;
  }
  const auto& s = schema.get_object();
  auto node = std::make_shared<SchemaNode>();
  read_shape(s, path, *node, level, depth);
  read_rules(s, path, *node, is_int_or_string_pattern(find(s, "anyOf")), depth);
  read_list_type(s, path, *node);
  read_validations(s, path, *node);
  check_type(s, path, *node, level);
  check_metadata(s, path, level);
  if (const auto* value = find(s, "default"); value && !value->is_null()) {
    node->default_value = *value;
    node->has_nested_defaults = true;
    check_default(path, *node);
  }
  if (node->embedded_resource) add_type_meta(*node, false);
  return node;
}

void SchemaCompiler::read_shape(const json::object& s, const std::string& path, SchemaNode& node,
                                Level level, int depth) {
  node.type = type_of(string_at(s, "type"));
  node.nullable = true_at(s, "nullable");
  node.int_or_string = true_at(s, "x-kubernetes-int-or-string");
  node.preserve_unknown = true_at(s, "x-kubernetes-preserve-unknown-fields");
  node.embedded_resource = true_at(s, "x-kubernetes-embedded-resource");
  node.atomic_map = string_at(s, "x-kubernetes-map-type") == "atomic";

  const auto* preserve = find(s, "x-kubernetes-preserve-unknown-fields");
  if (preserve && !node.preserve_unknown) {
    fail(invalid(path + ".x-kubernetes-preserve-unknown-fields", show(*preserve),
                 "must be true or undefined"));
  }
  if (node.int_or_string && node.preserve_unknown) {
    fail(invalid(path + ".x-kubernetes-preserve-unknown-fields", "true",
                 "must be false if x-kubernetes-int-or-string is true"));
  }
  if (node.int_or_string && node.embedded_resource) {
    fail(invalid(path + ".x-kubernetes-embedded-resource", "true",
                 "must be false if x-kubernetes-int-or-string is true"));
  }
  read_children(s, path, node, depth);
  read_additional(s, path, node, level);
}

void SchemaCompiler::read_children(const json::object& s, const std::string& path, SchemaNode& node,
                                   int depth) {
  const auto adopt = [&node](const Node& child) {
    if (!child) return;
    node.has_nested_defaults |= child->has_nested_defaults;
    node.has_nested_validations |= child->has_nested_validations;
  };
  if (const auto* properties = find(s, "properties"); properties && properties->is_object()) {
    for (const auto& [name, schema] : properties->get_object()) {
      auto child = compile(schema, fmt::format("{}.properties[{}]", path, std::string_view(name)),
                           Level::Field, depth + 1);
      adopt(child);
      if (child) node.properties.emplace(name, std::move(child));
    }
  }
  const auto* items = find(s, "items");
  if (items) {
    auto child = compile(*items, path + ".items", Level::Item, depth + 1);
    adopt(child);
    node.items = std::move(child);
  } else if (node.type == SchemaType::Array) {
    fail(required(path + ".items", "must be specified"));
  }
  const auto* additional = find(s, "additionalProperties");
  if (additional && additional->is_object()) {
    auto child = compile(*additional, path + ".additionalProperties", Level::Field, depth + 1);
    adopt(child);
    node.additional = std::move(child);
  }
}

void SchemaCompiler::read_additional(const json::object& s, const std::string& path,
                                     SchemaNode& node, Level level) {
  const auto* additional = find(s, "additionalProperties");
  if (!additional) return;
  if (additional->is_bool()) {
    node.additional_allowed = additional->get_bool();
    if (!node.additional_allowed) {
      fail(
          forbidden(path + ".additionalProperties", "additionalProperties cannot be set to false"));
    }
  }
  if (level == Level::Root) {
    fail(forbidden(path + ".additionalProperties", "must not be used at the root"));
  }
  if (node.embedded_resource) {
    fail(forbidden(path + ".additionalProperties",
                   "must not be used if x-kubernetes-embedded-resource is set"));
  }
  if (!node.properties.empty()) {
    fail(forbidden(path + ".additionalProperties",
                   "additionalProperties and properties are mutual exclusive"));
  }
}

void SchemaCompiler::check_default(const std::string& path, const SchemaNode& node) {
  // The node alone, so that the checks of its own default do not look for a parent.
  const Schema schema(std::make_shared<SchemaNode>(node));
  auto value = *node.default_value;
  if (!schema.prune(value).empty()) {
    fail(invalid(path + ".default", show(*node.default_value), "must not have unknown fields"));
    return;
  }
  schema.apply_defaults(value);
  for (auto& e : schema.validate(value)) {
    e.field = e.field == "<nil>" || e.field.empty() ? path + ".default"
                                                    : fmt::format("{}.default.{}", path, e.field);
    fail(std::move(e));
  }
}

// apiVersion, kind and metadata, which the API server adds to what the author wrote. Rules that
// the author gave for metadata.name stay.
void SchemaCompiler::add_type_meta(SchemaNode& node, bool is_root) {
  auto string_node = std::make_shared<SchemaNode>();
  string_node->type = SchemaType::String;
  node.properties.try_emplace("apiVersion", string_node);
  node.properties.try_emplace("kind", string_node);
  if (is_root) node.embedded_resource = true;
  if (!options_.object_meta) return;
  auto meta = std::make_shared<SchemaNode>(*options_.object_meta);
  if (const auto* own = node.property("metadata")) {
    for (const auto& [name, schema] : own->properties) meta->properties[name] = schema;
  }
  node.properties.insert_or_assign("metadata", std::move(meta));
}

SchemaCompiler::Node SchemaCompiler::compile_nested(const json::value& schema,
                                                    const std::string& path, bool skip_any_of,
                                                    int depth) {
  if (!schema.is_object() || depth > kMaxDepth) {
    fail(invalid(path, show(schema), "must be a schema object"));
    return nullptr;
  }
  const auto& s = schema.get_object();
  check_nested_is_structural(s, path);
  auto node = std::make_shared<SchemaNode>();
  node->nullable = true;  // the surrounding schema decides on null
  read_rules(s, path, *node, skip_any_of, depth);
  if (const auto* properties = find(s, "properties"); properties && properties->is_object()) {
    for (const auto& [name, inner] : properties->get_object()) {
      auto child = compile_nested(
          inner, fmt::format("{}.properties[{}]", path, std::string_view(name)), false, depth + 1);
      if (child) node->properties.emplace(name, std::move(child));
    }
  }
  if (const auto* items = find(s, "items")) {
    node->items = compile_nested(*items, path + ".items", false, depth + 1);
  }
  return node;
}

FieldResult<Schema> Schema::compile(const json::value& open_api_v3_schema,
                                    const SchemaOptions& options) {
  SchemaCompiler compiler(options);
  auto root = compiler.compile_root(open_api_v3_schema);
  auto errors = compiler.take_errors();
  if (!errors.empty()) return errors;
  return Schema(std::move(root));
}

}  // namespace troupe::sim
