// The rules on values: bounds, enums, patterns, formats, and how schemas are joined.
#include <fmt/format.h>
#include <re2/re2.h>

#include "k8s/sim/api/schema_compiler.hpp"

namespace troupe::sim {
namespace {

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
         string_at(schema.get_object(), "type") == type;
}

}  // namespace

bool is_int_or_string_pattern(const json::value* any_of) {
  if (!any_of || !any_of->is_array()) return false;
  const auto& list = any_of->get_array();
  return list.size() == 2 && is_type_only(list[0], "integer") && is_type_only(list[1], "string");
}

std::vector<std::string> texts_at(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  const auto* v = find(o, key);
  if (!v || !v->is_array()) return out;
  for (const auto& item : v->get_array()) {
    if (item.is_string()) out.emplace_back(item.get_string());
  }
  return out;
}

void SchemaCompiler::read_bounds(const json::object& s, ValueRules& rules) {
  rules.minimum = number(s, "minimum");
  rules.maximum = number(s, "maximum");
  rules.multiple_of = number(s, "multipleOf");
  rules.exclusive_minimum = true_at(s, "exclusiveMinimum");
  rules.exclusive_maximum = true_at(s, "exclusiveMaximum");
  rules.min_length = count(s, "minLength");
  rules.max_length = count(s, "maxLength");
  rules.min_items = count(s, "minItems");
  rules.max_items = count(s, "maxItems");
  rules.min_properties = count(s, "minProperties");
  rules.max_properties = count(s, "maxProperties");
  rules.unique_items = true_at(s, "uniqueItems");
  rules.required = texts_at(s, "required");
}

void SchemaCompiler::read_rules(const json::object& s, const std::string& path, SchemaNode& node,
                                bool skip_any_of, int depth) {
  auto& rules = node.rules;
  read_bounds(s, rules);
  if (const auto* values = find(s, "enum"); values && values->is_array()) {
    rules.enum_values.assign(values->get_array().begin(), values->get_array().end());
  }
  if (const auto format = string_at(s, "format"); known_format(node.type, format)) {
    rules.format = format;
  }
  rules.pattern = string_at(s, "pattern");
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

void SchemaCompiler::read_junctors(const json::object& s, const std::string& path,
                                   ValueRules& rules, bool skip_any_of, int depth) {
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

}  // namespace troupe::sim
