#include "k8s/sim/api/schema_cel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/schema_lists.hpp"

namespace troupe::sim {
namespace {

// What a messageExpression may say; longer results fall back to the fixed message.
constexpr std::size_t kMaxMessageBytes = 5120;

cel::TypePtr string_type(std::string_view format) {
  if (format == "byte") return cel::simple(cel::Kind::Bytes);
  if (format == "duration") return cel::simple(cel::Kind::Duration);
  if (format == "date" || format == "date-time") return cel::simple(cel::Kind::Timestamp);
  return cel::simple(cel::Kind::String);
}

cel::TypePtr metadata_type() {
  auto type = std::make_shared<cel::Type>();
  type->kind = cel::Kind::Object;
  type->fields.emplace("name", cel::simple(cel::Kind::String));
  type->fields.emplace("generateName", cel::simple(cel::Kind::String));
  return type;
}

cel::TypePtr object_type(const SchemaNode& node, bool is_root) {
  if (node.additional) {
    auto element = cel_type_of(*node.additional, node.additional->embedded_resource);
    if (!element) return nullptr;
    return cel::map_of(cel::simple(cel::Kind::String), std::move(element));
  }
  auto type = std::make_shared<cel::Type>();
  type->kind = cel::Kind::Object;
  for (const auto& [name, property] : node.properties) {
    if (is_root && name == "metadata") continue;
    auto field = cel_type_of(*property, property->embedded_resource);
    auto escaped = cel::escape_property(name);
    if (field && !escaped.empty()) type->fields.emplace(std::move(escaped), std::move(field));
  }
  if (is_root) {
    type->fields.emplace("apiVersion", cel::simple(cel::Kind::String));
    type->fields.emplace("kind", cel::simple(cel::Kind::String));
    type->fields.emplace("metadata", metadata_type());
  }
  return type;
}

cel::TypePtr array_type(const SchemaNode& node) {
  if (!node.items) return nullptr;
  auto element = cel_type_of(*node.items, node.items->embedded_resource);
  if (!element) return nullptr;
  auto type = std::make_shared<cel::Type>();
  type->kind = cel::Kind::List;
  type->element = std::move(element);
  type->unordered = node.list_type != ListType::Atomic;
  return type;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

// How the rule is called where it could not be evaluated.
std::string rule_name(const ValidationRule& rule) {
  return trimmed(rule.message.empty() ? rule.rule : rule.message);
}

class RuleRunner {
 public:
  std::vector<FieldError> run(const SchemaNode& root, const json::value& object,
                              const json::value* old) {
    visit(root, object, old, "");
    return std::move(errors_);
  }

 private:
  void visit(const SchemaNode& node, const json::value& value, const json::value* old,
             const std::string& path) {
    if (value.is_null() || !node.has_nested_validations) return;
    if (old && old->is_null()) old = nullptr;
    for (const auto& rule : node.validations) check(node, rule, value, old, path);
    if (const auto* object = value.if_object()) {
      visit_object(node, *object, old, path);
    } else if (const auto* array = value.if_array(); array && node.items) {
      const OldItems old_items(node, old);
      for (std::size_t i = 0; i < array->size(); ++i) {
        visit(*node.items, (*array)[i], old_items.find((*array)[i]),
              fmt::format("{}[{}]", path, i));
      }
    }
  }

  void visit_object(const SchemaNode& node, const json::object& object, const json::value* old,
                    const std::string& path) {
    const auto* old_object = old ? old->if_object() : nullptr;
    for (const auto& [name, member] : object) {
      const std::string_view key = name;
      const auto* old_member = old_object ? old_object->if_contains(key) : nullptr;
      if (const auto* declared = node.property(key)) {
        visit(*declared, member, old_member,
              path.empty() ? std::string(key) : fmt::format("{}.{}", path, key));
      } else if (node.additional) {
        visit(*node.additional, member, old_member, fmt::format("{}[{}]", path, key));
      }
    }
  }

  void check(const SchemaNode& node, const ValidationRule& rule, const json::value& value,
             const json::value* old, const std::string& path) {
    if (rule.uses_old && !old && !rule.optional_old) return;
    const cel::Bindings bindings = {{"self", &value}, {"oldSelf", old}};
    const auto result = rule.program->evaluate_bool(bindings);
    if (!result) {
      errors_.push_back(invalid(shown(path), quoted(to_string(node.type)),
                                evaluation_error(rule, result.error().message)));
      return;
    }
    // Ratcheting: a rule on an unchanged value does not stop an update.
    if (*result || (!rule.uses_old && old && same(*old, value))) return;
    errors_.push_back(refusal(node, rule, value, path, bindings));
  }

  static std::string evaluation_error(const ValidationRule& rule, const std::string& message) {
    if (message.starts_with("no such overload")) {
      return fmt::format(
          "'{}': call arguments did not match a supported operator, function or macro signature "
          "for rule: {}",
          message, rule_name(rule));
    }
    if (message.starts_with("operation cancelled")) {
      return fmt::format(
          "'{}': no further validation rules will be run due to call cost exceeds limit for rule: "
          "{}",
          message, rule_name(rule));
    }
    return fmt::format("{} evaluating rule: {}", message, rule_name(rule));
  }

  static FieldError refusal(const SchemaNode& node, const ValidationRule& rule,
                            const json::value& value, const std::string& path,
                            const cel::Bindings& bindings) {
    const auto detail = message_of(rule, bindings);
    auto field = shown(path.empty() && !rule.field_path.empty() ? rule.field_path.substr(1)
                                                                : path + rule.field_path);
    const bool is_scalar = node.type != SchemaType::Object && node.type != SchemaType::Array;
    const auto text = is_scalar ? show(value) : std::string();
    if (rule.reason == "FieldValueForbidden") return forbidden(std::move(field), detail);
    if (rule.reason == "FieldValueRequired") return required(std::move(field), detail);
    if (rule.reason == "FieldValueDuplicate") return duplicate(std::move(field), text);
    return invalid(std::move(field), text, detail);
  }

  static std::string message_of(const ValidationRule& rule, const cel::Bindings& bindings) {
    if (rule.message_program) {
      if (const auto text = rule.message_program->evaluate_string(bindings)) {
        auto message = trimmed(*text);
        const bool usable = !message.empty() && message.size() <= kMaxMessageBytes &&
                            message.find('\n') == std::string::npos;
        if (usable) return message;
      }
    }
    if (!rule.message.empty()) return trimmed(rule.message);
    return "failed rule: " + trimmed(rule.rule);
  }

  static std::string shown(std::string path) { return path.empty() ? "<nil>" : std::move(path); }

  std::vector<FieldError> errors_;
};

}  // namespace

cel::TypePtr cel_type_of(const SchemaNode& node, bool is_root) {
  if (node.int_or_string) return cel::simple(cel::Kind::Dyn);
  switch (node.type) {
    case SchemaType::Object:
      return object_type(node, is_root || node.embedded_resource);
    case SchemaType::Array:
      return array_type(node);
    case SchemaType::String:
      return string_type(node.rules.format);
    case SchemaType::Integer:
      return cel::simple(cel::Kind::Int);
    case SchemaType::Number:
      return cel::simple(cel::Kind::Double);
    case SchemaType::Boolean:
      return cel::simple(cel::Kind::Bool);
    case SchemaType::Any:
      return nullptr;
  }
  return nullptr;
}

cel::Environment rule_environment(const SchemaNode& node, bool is_root, bool optional_old) {
  auto self = cel_type_of(node, is_root);
  if (!self) return {};
  auto old_self = optional_old ? cel::optional_of(self) : self;
  return {{"self", std::move(self)}, {"oldSelf", std::move(old_self)}};
}

std::vector<FieldError> validate_rules(const SchemaNode& root, const json::value& object,
                                       const json::value* old) {
  return RuleRunner().run(root, object, old);
}

}  // namespace troupe::sim
