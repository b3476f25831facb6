#include "engines/agent/model/template.hpp"

#include <fmt/format.h>

#include <optional>

#include "engines/agent/model/template_syntax.hpp"

namespace troupe::agent {
namespace {

using tmpl::Call;
using tmpl::Node;
using tmpl::Operand;
using tmpl::Pipeline;
using tmpl::Value;

enum class Flow { Next, Break, Continue };

class Renderer {
 public:
  explicit Renderer(const TemplateFunctions& functions) : functions_(functions) {
    variables_.emplace_back("$", Value{});
  }

  Result<Flow> run(const std::vector<Node>& nodes, const Value& dot) {
    for (const auto& node : nodes) {
      auto flow = one(node, dot);
      if (!flow) return flow.error();
      if (*flow != Flow::Next) return *flow;
    }
    return Flow::Next;
  }

  std::string take() { return std::move(out_); }

 private:
  using Variables = std::vector<std::pair<std::string, Value>>;

  // Variables declared in a block end with it.
  class Scope {
   public:
    explicit Scope(Variables& variables) : variables_(variables), size_(variables.size()) {}
    ~Scope() { variables_.resize(size_); }

   private:
    Variables& variables_;
    std::size_t size_;
  };

  Result<void> step() {
    if (++steps_ > kMaxSteps) return invalid("it takes too many steps");
    return {};
  }
  Error invalid(std::string_view what) const {
    return error(Code::Invalid, fmt::format("template line {}: {}", line_, what));
  }

  Result<void> write(std::string_view text) {
    if (out_.size() + text.size() > kMaxOutputBytes) return invalid("the output is too long");
    out_.append(text);
    return {};
  }

  Result<Flow> one(const Node& node, const Value& dot) {
    if (node.line != 0) line_ = node.line;
    if (auto allowed = step(); !allowed) return allowed.error();
    switch (node.kind) {
      case Node::Kind::Text:
        if (auto written = write(node.text); !written) return written.error();
        return Flow::Next;
      case Node::Kind::Break:
        return Flow::Break;
      case Node::Kind::Continue:
        return Flow::Continue;
      case Node::Kind::Print: {
        auto value = evaluate(node.pipeline, dot);
        if (!value) return value.error();
        if (!node.pipeline.variables.empty()) return Flow::Next;
        if (auto written = write(value->print()); !written) return written.error();
        return Flow::Next;
      }
      case Node::Kind::If:
      case Node::Kind::With: {
        const Scope scope(variables_);
        const auto value = evaluate(node.pipeline, dot);
        if (!value) return value.error();
        if (!value->truth()) return run(node.otherwise, dot);
        return run(node.body, node.kind == Node::Kind::With ? *value : dot);
      }
      case Node::Kind::Range:
        return range(node, dot);
    }
    return Flow::Next;
  }

  Result<Flow> range(const Node& node, const Value& dot) {
    const Scope scope(variables_);
    Pipeline source = node.pipeline;
    source.variables.clear();
    const auto value = evaluate(source, dot);
    if (!value) return value.error();
    std::vector<std::pair<Value, Value>> items;
    if (const auto* list = value->list()) {
      for (const auto& item : *list)
        items.emplace_back(static_cast<std::int64_t>(items.size()), item);
    } else if (const auto* map = value->map()) {
      for (const auto& [key, item] : *map) items.emplace_back(key, item);
    } else if (!value->is_nil()) {
      return invalid(fmt::format("range needs a list or a map, found {}", value->kind()));
    }
    if (items.empty()) return run(node.otherwise, dot);
    const auto& names = node.pipeline.variables;
    for (const auto& [key, item] : items) {
      if (auto allowed = step(); !allowed) return allowed.error();
      const Scope turn(variables_);
      if (names.size() == 2) variables_.emplace_back(names[0], key);
      if (!names.empty()) variables_.emplace_back(names.back(), item);
      auto flow = run(node.body, item);
      if (!flow) return flow.error();
      if (*flow == Flow::Break) break;
    }
    return Flow::Next;
  }

  Result<Value> evaluate(const Pipeline& pipeline, const Value& dot) {
    std::optional<Value> piped;
    for (const auto& call : pipeline.calls) {
      auto value = invoke(call, piped, dot);
      if (!value) return value.error();
      piped = *std::move(value);
    }
    if (!pipeline.variables.empty()) {
      const auto& name = pipeline.variables.back();
      if (pipeline.declares) {
        variables_.emplace_back(name, *piped);
      } else if (auto* variable = find(name)) {
        *variable = *piped;
      } else {
        return invalid(fmt::format("{} is assigned but was never declared", name));
      }
    }
    return *std::move(piped);
  }

  Result<Value> invoke(const Call& call, const std::optional<Value>& piped, const Value& dot) {
    if (auto allowed = step(); !allowed) return allowed.error();
    const auto& head = call.words.front();
    if (head.kind != Operand::Kind::Function) {
      if (call.words.size() > 1 || piped) {
        return invalid("only a function takes arguments");
      }
      return value_of(head, dot);
    }
    if (head.name == "and" || head.name == "or") return short_circuit(call, piped, dot);
    std::vector<Value> arguments;
    for (std::size_t i = 1; i < call.words.size(); ++i) {
      auto value = value_of(call.words[i], dot);
      if (!value) return value.error();
      arguments.push_back(*std::move(value));
    }
    if (piped) arguments.push_back(*piped);
    return apply(head, arguments);
  }

  Result<Value> apply(const Operand& head, std::span<const Value> arguments) {
    const auto function = functions_.find(head.name);
    if (function == functions_.end()) {
      return invalid(fmt::format("there is no function \"{}\"", head.name));
    }
    auto value = function->second(arguments);
    if (!value) return invalid(fmt::format("{}: {}", head.name, value.error().message));
    return fields_of(*std::move(value), head.fields);
  }

  // The later arguments are not even evaluated once the result is known.
  Result<Value> short_circuit(const Call& call, const std::optional<Value>& piped,
                              const Value& dot) {
    const bool stop_at = call.words.front().name == "or";
    Value last;
    for (std::size_t i = 1; i < call.words.size(); ++i) {
      auto value = value_of(call.words[i], dot);
      if (!value) return value.error();
      last = *std::move(value);
      if (last.truth() == stop_at) return last;
    }
    return piped ? *piped : last;
  }

  Result<Value> value_of(const Operand& operand, const Value& dot) {
    switch (operand.kind) {
      case Operand::Kind::Constant:
        return operand.constant;
      case Operand::Kind::Dot:
        return fields_of(dot, operand.fields);
      case Operand::Kind::Variable:
        if (const auto* variable = find(operand.name)) return fields_of(*variable, operand.fields);
        return invalid(fmt::format("there is no variable {}", operand.name));
      case Operand::Kind::Function:
        if (auto allowed = step(); !allowed) return allowed.error();
        return apply(operand, {});
      case Operand::Kind::Nested: {
        auto value = evaluate(*operand.inner, dot);
        if (!value) return value.error();
        return fields_of(*std::move(value), operand.fields);
      }
    }
    return Value{};
  }

  Result<Value> fields_of(Value value, const std::vector<std::string>& fields) {
    for (const auto& field : fields) {
      const auto* map = value.map();
      if (map == nullptr) {
        return invalid(fmt::format(".{} is asked of {}", field, value.kind()));
      }
      const auto found = map->find(field);
      Value next = found == map->end() ? Value{} : found->second;
      value = std::move(next);
    }
    return value;
  }

  Value* find(std::string_view name) {
    for (auto entry = variables_.rbegin(); entry != variables_.rend(); ++entry) {
      if (entry->first == name) return &entry->second;
    }
    return nullptr;
  }

  const TemplateFunctions& functions_;
  Variables variables_;
  std::string out_;
  std::size_t steps_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<std::string> render_template(std::string_view text, const TemplateFunctions& functions) {
  if (text.size() > kMaxTemplateBytes) {
    return error(Code::Invalid,
                 fmt::format("the template is longer than {} bytes", kMaxTemplateBytes));
  }
  const auto nodes = tmpl::parse_template(text);
  if (!nodes) return nodes.error();
  Renderer renderer(functions);
  const auto flow = renderer.run(*nodes, Value{});
  if (!flow) return flow.error();
  if (*flow != Flow::Next)
    return error(Code::Invalid, "{{break}} or {{continue}} outside of {{range}}");
  return renderer.take();
}

}  // namespace troupe::agent
