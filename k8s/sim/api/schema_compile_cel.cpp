// x-kubernetes-validations: each rule and its message as a compiled CEL program.
#include <fmt/format.h>

#include <algorithm>

#include "k8s/sim/api/cel.hpp"
#include "k8s/sim/api/schema_cel.hpp"
#include "k8s/sim/api/schema_compiler.hpp"

namespace troupe::sim {

void SchemaCompiler::read_validations(const json::object& s, const std::string& path,
                                      SchemaNode& node) {
  const auto* rules = find(s, "x-kubernetes-validations");
  if (!rules || !rules->is_array()) return;
  std::size_t i = 0;
  for (const auto& rule : rules->get_array()) {
    const auto rule_path = fmt::format("{}.x-kubernetes-validations[{}]", path, i++);
    if (rule.is_object()) read_validation(rule.get_object(), rule_path, node);
  }
  node.has_nested_validations = true;
}

void SchemaCompiler::read_validation(const json::object& rule, const std::string& path,
                                     SchemaNode& node) {
  ValidationRule out;
  out.rule = string_at(rule, "rule");
  out.message = string_at(rule, "message");
  out.reason = string_at(rule, "reason");
  out.field_path = string_at(rule, "fieldPath");
  out.optional_old = true_at(rule, "optionalOldSelf");
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
  if (const auto source = string_at(rule, "messageExpression"); !source.empty()) {
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

}  // namespace troupe::sim
