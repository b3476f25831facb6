#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "k8s/sim/api/cel.hpp"
#include "k8s/sim/api/schema.hpp"
#include "k8s/sim/api/schema_cel.hpp"

namespace troupe::sim {
namespace {

// A schema may nest this deep; the real server's decoder stops near there, too.
constexpr int kMaxDepth = 200;

enum class Level { Root, Item, Field };

const json::value* find(const json::object& o, std::string_view key) {
  const auto it = o.find(key);
  return it == o.end() ? nullptr : &it->value();
}

bool flag(const json::object& o, std::string_view key) {
  const auto* v = find(o, key);
  return v && v->is_bool() && v->get_bool();
}

std::string text(const json::object& o, std::string_view key) {
  const auto* v = find(o, key);
  return v && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::optional<double> number(const json::object& o, std::string_view key) {
  const auto* v = find(o, key);
  if (!v || !v->is_number()) return std::nullopt;
  return v->to_number<double>();
}

std::optional<std::int64_t> count(const json::object& o, std::string_view key) {
  const auto n = number(o, key);
  if (!n) return std::nullopt;
  return static_cast<std::int64_t>(*n);
}

std::vector<std::string> texts(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  const auto* v = find(o, key);
  if (!v || !v->is_array()) return out;
  for (const auto& item : v->get_array()) {
    if (item.is_string()) out.emplace_back(item.get_string());
  }
  return out;
}

SchemaType type_of(std::string_view name) {
  if (name == "object") return SchemaType::Object;
  if (name == "array") return SchemaType::Array;
  if (name == "string") return SchemaType::String;
  if (name == "integer") return SchemaType::Integer;
  if (name == "number") return SchemaType::Number;
  if (name == "boolean") return SchemaType::Boolean;
  return SchemaType::Any;
}

// Formats that the API server checks; any other is a comment.
bool known_format(SchemaType type, std::string_view format) {
  switch (type) {
    case SchemaType::Integer:
      return format == "int32" || format == "int64";
    case SchemaType::Number:
      return format == "float" || format == "double";
    case SchemaType::Any:
    case SchemaType::String:
      return true;
    default:
      return false;
  }
}

bool is_type_only(const json::value& schema, std::string_view type) {
  return schema.is_object() && schema.get_object().size() == 1 &&
         text(schema.get_object(), "type") == type;
}

// anyOf: [{type: integer}, {type: string}], which x-kubernetes-int-or-string may carry along.
bool is_int_or_string_pattern(const json::value* any_of) {
  if (!any_of || !any_of->is_array()) return false;
  const auto& list = any_of->get_array();
  return list.size() == 2 && is_type_only(list[0], "integer") && is_type_only(list[1], "string");
}

class Compiler {
 public:
  explicit Compiler(const SchemaOptions& options) : options_(options) {}

  SchemaNodePtr compile_root(const json::value& schema);
  std::vector<FieldError> take_errors();

 private:
  using Node = std::shared_ptr<SchemaNode>;

  Node compile(const json::value& schema, const std::string& path, Level level, int depth);
  Node compile_nested(const json::value& schema, const std::string& path, bool skip_any_of,
                      int depth);
  void read_shape(const json::object& s, const std::string& path, SchemaNode& node, Level level,
                  int depth);
  void read_children(const json::object& s, const std::string& path, SchemaNode& node, int depth);
  void read_additional(const json::object& s, const std::string& path, SchemaNode& node,
                       Level level);
  void read_rules(const json::object& s, const std::string& path, SchemaNode& node,
                  bool skip_any_of, int depth);
  void read_bounds(const json::object& s, ValueRules& rules);
  void read_junctors(const json::object& s, const std::string& path, ValueRules& rules,
                     bool skip_any_of, int depth);
  void read_list_type(const json::object& s, const std::string& path, SchemaNode& node);
  void check_map_keys(const std::string& path, const SchemaNode& node);
  void read_validations(const json::object& s, const std::string& path, SchemaNode& node);
  void read_validation(const json::object& rule, const std::string& path, SchemaNode& node);
  void check_type(const json::object& s, const std::string& path, const SchemaNode& node,
                  Level level);
  void check_nested_is_structural(const json::object& s, const std::string& path);
  void check_metadata(const json::object& s, const std::string& path, Level level);
  void check_default(const std::string& path, const SchemaNode& node);
  void add_type_meta(SchemaNode& node, bool is_root);

  void fail(FieldError error) { errors_.push_back(std::move(error)); }

  const SchemaOptions& options_;
  std::vector<FieldError> errors_;
};

std::vector<FieldError> Compiler::take_errors() {
  std::ranges::sort(errors_, {}, [](const FieldError& e) { return to_string(e); });
  return std::move(errors_);
}

SchemaNodePtr Compiler::compile_root(const json::value& schema) {
  auto node = compile(schema, options_.path, Level::Root, 0);
  if (schema.is_object() && flag(schema.get_object(), "nullable")) {
    fail(forbidden(options_.path + ".nullable", "nullable cannot be true at the root"));
  }
  if (node) add_type_meta(*node, true);
  return node;
}

Compiler::Node Compiler::compile(const json::value& schema, const std::string& path, Level level,
                                 int depth) {
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

void Compiler::read_shape(const json::object& s, const std::string& path, SchemaNode& node,
                          Level level, int depth) {
  node.type = type_of(text(s, "type"));
  node.nullable = flag(s, "nullable");
  node.int_or_string = flag(s, "x-kubernetes-int-or-string");
  node.preserve_unknown = flag(s, "x-kubernetes-preserve-unknown-fields");
  node.embedded_resource = flag(s, "x-kubernetes-embedded-resource");
  node.atomic_map = text(s, "x-kubernetes-map-type") == "atomic";

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

void Compiler::read_children(const json::object& s, const std::string& path, SchemaNode& node,
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

void Compiler::read_additional(const json::object& s, const std::string& path, SchemaNode& node,
                               Level level) {
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

void Compiler::check_type(const json::object& s, const std::string& path, const SchemaNode& node,
                          Level level) {
  const auto type = text(s, "type");
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
  if (flag(s, "uniqueItems")) {
    fail(forbidden(path + ".uniqueItems",
                   "uniqueItems cannot be set to true since the runtime complexity becomes "
                   "quadratic"));
  }
}

void Compiler::check_metadata(const json::object& s, const std::string& path, Level level) {
  const bool has_meta = level == Level::Root || flag(s, "x-kubernetes-embedded-resource");
  const auto* properties = find(s, "properties");
  if (!has_meta || !properties || !properties->is_object()) return;
  const auto& p = properties->get_object();
  for (const auto* name : {"kind", "apiVersion"}) {
    const auto* schema = find(p, name);
    if (!schema || !schema->is_object()) continue;
    if (const auto type = text(schema->get_object(), "type"); type != "string") {
      fail(invalid(fmt::format("{}.properties[{}].type", path, name), quoted(type),
                   "must be string"));
    }
  }
  const auto* metadata = find(p, "metadata");
  if (!metadata || !metadata->is_object()) return;
  const auto meta_path = path + ".properties[metadata]";
  if (const auto type = text(metadata->get_object(), "type"); type != "object") {
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

// apiVersion, kind and metadata, which the API server adds to what the author wrote. Rules that
// the author gave for metadata.name stay.
void Compiler::add_type_meta(SchemaNode& node, bool is_root) {
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

void Compiler::read_bounds(const json::object& s, ValueRules& rules) {
  rules.minimum = number(s, "minimum");
  rules.maximum = number(s, "maximum");
  rules.multiple_of = number(s, "multipleOf");
  rules.exclusive_minimum = flag(s, "exclusiveMinimum");
  rules.exclusive_maximum = flag(s, "exclusiveMaximum");
  rules.min_length = count(s, "minLength");
  rules.max_length = count(s, "maxLength");
  rules.min_items = count(s, "minItems");
  rules.max_items = count(s, "maxItems");
  rules.min_properties = count(s, "minProperties");
  rules.max_properties = count(s, "maxProperties");
  rules.unique_items = flag(s, "uniqueItems");
  rules.required = texts(s, "required");
}

void Compiler::read_rules(const json::object& s, const std::string& path, SchemaNode& node,
                          bool skip_any_of, int depth) {
  auto& rules = node.rules;
  read_bounds(s, rules);
  if (const auto* values = find(s, "enum"); values && values->is_array()) {
    rules.enum_values.assign(values->get_array().begin(), values->get_array().end());
  }
  if (const auto format = text(s, "format"); known_format(node.type, format)) {
    rules.format = format;
  }
  rules.pattern = text(s, "pattern");
  if (!rules.pattern.empty()) {
    RE2::Options quiet;
    quiet.set_log_errors(false);
    auto regex = std::make_shared<RE2>(rules.pattern, quiet);
    if (regex->ok()) {
      rules.pattern_regex = std::move(regex);
    } else {
      // Go's regexp and RE2 are one language, so this is what the real server refuses as well.
      fail(invalid(path + ".pattern", quoted(rules.pattern),
                   "must be a valid regular expression, but isn't: error parsing regexp: " +
                       regex->error()));
    }
  }
  read_junctors(s, path, rules, skip_any_of, depth);
}

void Compiler::read_junctors(const json::object& s, const std::string& path, ValueRules& rules,
                             bool skip_any_of, int depth) {
  const auto read = [&](const char* key, std::vector<SchemaNodePtr>& into) {
    const auto* list = find(s, key);
    if (!list || !list->is_array()) return;
    std::size_t i = 0;
    for (const auto& schema : list->get_array()) {
      const bool first_all_of = i == 0 && &into == &rules.all_of;
      auto node =
          compile_nested(schema, fmt::format("{}.{}[{}]", path, key, i++), first_all_of, depth + 1);
      if (node) into.push_back(std::move(node));
    }
  };
  // The pattern itself says no more than x-kubernetes-int-or-string does.
  if (!skip_any_of || !is_int_or_string_pattern(find(s, "anyOf"))) read("anyOf", rules.any_of);
  read("oneOf", rules.one_of);
  read("allOf", rules.all_of);
  if (const auto* negated = find(s, "not")) {
    rules.negated = compile_nested(*negated, path + ".not", false, depth + 1);
  }
}

Compiler::Node Compiler::compile_nested(const json::value& schema, const std::string& path,
                                        bool skip_any_of, int depth) {
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

void Compiler::check_nested_is_structural(const json::object& s, const std::string& path) {
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

void Compiler::read_list_type(const json::object& s, const std::string& path, SchemaNode& node) {
  const auto map_type = text(s, "x-kubernetes-map-type");
  if (!map_type.empty() && map_type != "atomic" && map_type != "granular") {
    fail(not_supported(path + ".x-kubernetes-map-type", quoted(map_type), {"atomic", "granular"}));
  }
  if (!map_type.empty() && node.type != SchemaType::Object) {
    constexpr auto kDetail = "must be object if x-kubernetes-map-type is specified";
    fail(text(s, "type").empty() ? required(path + ".type", kDetail)
                                 : invalid(path + ".type", quoted(text(s, "type")), kDetail));
  }
  const auto list_type = text(s, "x-kubernetes-list-type");
  node.list_map_keys = texts(s, "x-kubernetes-list-map-keys");
  if (!list_type.empty() && node.type != SchemaType::Array) {
    constexpr auto kDetail = "must be array if x-kubernetes-list-type is specified";
    fail(text(s, "type").empty() ? required(path + ".type", kDetail)
                                 : invalid(path + ".type", quoted(text(s, "type")), kDetail));
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

void Compiler::check_map_keys(const std::string& path, const SchemaNode& node) {
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

void Compiler::check_default(const std::string& path, const SchemaNode& node) {
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

void Compiler::read_validations(const json::object& s, const std::string& path, SchemaNode& node) {
  const auto* rules = find(s, "x-kubernetes-validations");
  if (!rules || !rules->is_array()) return;
  std::size_t i = 0;
  for (const auto& rule : rules->get_array()) {
    const auto rule_path = fmt::format("{}.x-kubernetes-validations[{}]", path, i++);
    if (rule.is_object()) read_validation(rule.get_object(), rule_path, node);
  }
  node.has_nested_validations = true;
}

void Compiler::read_validation(const json::object& rule, const std::string& path,
                               SchemaNode& node) {
  ValidationRule out;
  out.rule = text(rule, "rule");
  out.message = text(rule, "message");
  out.reason = text(rule, "reason");
  out.field_path = text(rule, "fieldPath");
  out.optional_old = flag(rule, "optionalOldSelf");
  if (out.rule.find_first_not_of(" \t\r\n") == std::string::npos) {
    fail(required(path + ".rule", "rule is not specified"));
    return;
  }
  if (out.message.empty() && out.rule.find('\n') != std::string::npos) {
    fail(required(path + ".message", "message must be specified if rule contains line breaks"));
  }
  static const std::vector<std::string> kReasons = {"FieldValueDuplicate", "FieldValueForbidden",
                                                    "FieldValueInvalid", "FieldValueRequired"};
  if (!out.reason.empty() && std::ranges::find(kReasons, out.reason) == kReasons.end()) {
    fail(not_supported(path + ".reason", quoted(out.reason), kReasons));
  }
  const bool is_root = path.find(".x-kubernetes-validations") == options_.path.size();
  const auto environment = rule_environment(node, is_root, out.optional_old);
  auto program = cel::Program::compile(out.rule, environment);
  if (!program) {
    fail(invalid(path + ".rule", show(rule), "compilation failed: " + program.error().message));
    return;
  }
  const auto kind = (*program)->result_type().kind;
  if (kind != cel::Kind::Bool && kind != cel::Kind::Dyn) {
    fail(invalid(path + ".rule", show(rule), "cel expression must evaluate to a bool"));
    return;
  }
  out.program = *program;
  out.uses_old = out.program->uses("oldSelf");
  if (const auto source = text(rule, "messageExpression"); !source.empty()) {
    auto message = cel::Program::compile(source, environment);
    if (!message) {
      fail(invalid(path + ".messageExpression", show(rule),
                   "messageExpression compilation failed: " + message.error().message));
      return;
    }
    if ((*message)->result_type().kind != cel::Kind::String) {
      fail(invalid(path + ".messageExpression", show(rule),
                   "messageExpression must evaluate to a string"));
      return;
    }
    out.message_program = *message;
  }
  node.validations.push_back(std::move(out));
}

}  // namespace

FieldResult<Schema> Schema::compile(const json::value& open_api_v3_schema,
                                    const SchemaOptions& options) {
  Compiler compiler(options);
  auto root = compiler.compile_root(open_api_v3_schema);
  auto errors = compiler.take_errors();
  if (!errors.empty()) return errors;
  return Schema(std::move(root));
}

}  // namespace troupe::sim
