#include "k8s/sim/api/cel.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <set>

#include "k8s/sim/api/cel_ast.hpp"
#include "k8s/sim/api/cel_checker.hpp"
#include "k8s/sim/api/cel_functions.hpp"
#include "k8s/sim/api/cel_parser.hpp"

namespace troupe::sim::cel {
namespace {

using Op = Expr::Op;

constexpr std::string_view kOutOfSteps = "operation cancelled: actual cost limit exceeded";

Value none() { return OptionalValue{}; }
Value some(Value value) { return OptionalValue{std::make_shared<const Value>(std::move(value))}; }

class Evaluator {
 public:
  Evaluator(const Environment& environment, const Bindings& bindings)
      : environment_(environment), bindings_(bindings) {}

  Value visit(const Expr& e) {
    if (!spend(1)) return fail(std::string(kOutOfSteps));
    switch (e.op) {
      case Op::Literal:
        return e.literal;
      case Op::Ident:
        return visit_ident(e);
      case Op::Select:
        return visit_select(e);
      case Op::Has:
        return visit_has(e);
      case Op::Index:
        return visit_index(e);
      case Op::Call:
        return visit_call(e);
      case Op::And:
        return visit_logical(e, false);
      case Op::Or:
        return visit_logical(e, true);
      case Op::Condition:
        return visit_condition(e);
      case Op::List:
        return visit_list(e);
      case Op::Map:
        return visit_map(e);
      case Op::Macro:
        return visit_macro(e);
    }
    return fail("no such overload");
  }

  bool exhausted() const { return steps_ > kStepLimit; }

 private:
  bool spend(std::size_t steps) {
    steps_ += steps;
    return !exhausted();
  }

  Value visit_ident(const Expr& e) {
    for (auto it = scope_.rbegin(); it != scope_.rend(); ++it) {
      if (it->first == e.name) return it->second;
    }
    const auto declared = environment_.find(e.name);
    const auto bound = bindings_.find(e.name);
    const auto* json = bound == bindings_.end() ? nullptr : bound->second;
    if (declared->second->kind == Kind::Optional) {
      return json ? some(from_json(*json, declared->second->element)) : none();
    }
    if (!json) return fail(fmt::format("no such attribute(s): {}", e.name));
    return from_json(*json, declared->second);
  }

  // The field of a map or of what an optional holds; nothing when it is absent.
  static Value field_of(const Value& operand, const Expr& e, bool& found) {
    const auto* map = operand.as<Map>();
    if (!map) return fail("no such overload");
    auto value = map->find_field(e.json_name);
    found = value.has_value();
    return found ? std::move(*value) : Value();
  }

  Value visit_select(const Expr& e) {
    auto operand = visit(*e.args[0]);
    if (operand.failed()) return operand;
    bool optional = e.optional;
    if (const auto* held = operand.as<OptionalValue>()) {
      if (!held->value) return none();
      optional = true;
      operand = Value(*held->value);
    }
    bool found = false;
    auto value = field_of(operand, e, found);
    if (value.failed()) return value;
    if (optional) return found ? some(std::move(value)) : none();
    return found ? value : fail(fmt::format("no such key: {}", e.json_name));
  }

  Value visit_has(const Expr& e) {
    auto operand = visit(*e.args[0]);
    if (operand.failed()) return operand;
    if (const auto* held = operand.as<OptionalValue>()) {
      if (!held->value) return false;
      operand = Value(*held->value);
    }
    bool found = false;
    auto value = field_of(operand, e, found);
    return value.failed() && !found ? value : Value(found);
  }

  Value visit_index(const Expr& e) {
    auto operand = visit(*e.args[0]);
    if (operand.failed()) return operand;
    const auto index = visit(*e.args[1]);
    if (index.failed()) return index;
    bool optional = e.optional;
    if (const auto* held = operand.as<OptionalValue>()) {
      if (!held->value) return none();
      optional = true;
      operand = Value(*held->value);
    }
    auto value = element_of(operand, index);
    if (!optional) return value ? *value : missing(operand, index);
    return value ? some(std::move(*value)) : none();
  }

  static std::optional<Value> element_of(const Value& container, const Value& index) {
    if (const auto* map = container.as<Map>()) return map->find(index);
    const auto* list = container.as<List>();
    const auto* position = index.as<std::int64_t>();
    if (!list || !position) return std::nullopt;
    if (*position < 0 || static_cast<std::size_t>(*position) >= list->size()) return std::nullopt;
    return list->at(static_cast<std::size_t>(*position));
  }

  static Value missing(const Value& container, const Value& index) {
    if (container.as<Map>()) {
      const auto key = to_json(index);
      return fail(fmt::format("no such key: {}", key.is_string() ? std::string(key.get_string())
                                                                 : boost::json::serialize(key)));
    }
    if (container.as<List>() && index.as<std::int64_t>()) {
      return fail(fmt::format("index out of bounds: {}", *index.as<std::int64_t>()));
    }
    return fail("no such overload");
  }

  Value visit_call(const Expr& e) {
    std::vector<Value> arguments;
    arguments.reserve(e.args.size());
    for (const auto& argument : e.args) {
      arguments.push_back(visit(*argument));
      if (arguments.back().failed()) return std::move(arguments.back());
      if (!spend(size_of(arguments.back()))) return fail(std::string(kOutOfSteps));
    }
    if (e.cached && arguments[0].as<std::string>()) {
      return RE2::PartialMatch(*arguments[0].as<std::string>(),
                               *static_cast<const RE2*>(e.cached.get()));
    }
    for (const auto* overload : e.candidates) {
      if (accepts(*overload, arguments)) return overload->run(arguments);
    }
    return fail("no such overload");
  }

  // Functions look at whole arguments, so these cost more than one step: a step for each item of
  // a list, and for each ten bytes of text as in the real cost model.
  static std::size_t size_of(const Value& value) {
    if (const auto* list = value.as<List>()) return list->size();
    if (const auto* map = value.as<Map>()) return map->size();
    if (const auto* text = value.as<std::string>()) return text->size() / 10;
    return 0;
  }

  // An operand that decides alone absorbs the failure of the other: `decisive` || x is decisive.
  Value visit_logical(const Expr& e, bool decisive) {
    auto left = visit(*e.args[0]);
    if (is(left, decisive)) return decisive;
    auto right = visit(*e.args[1]);
    if (is(right, decisive) && !exhausted()) return decisive;
    if (left.failed()) return left;
    if (right.failed()) return right;
    if (!left.as<bool>() || !right.as<bool>()) return fail("no such overload");
    return !decisive;
  }

  static bool is(const Value& value, bool wanted) {
    const auto* boolean = value.as<bool>();
    return boolean && *boolean == wanted;
  }

  Value visit_condition(const Expr& e) {
    auto condition = visit(*e.args[0]);
    if (condition.failed()) return condition;
    const auto* boolean = condition.as<bool>();
    if (!boolean) return fail("no such overload");
    return visit(*e.args[*boolean ? 1 : 2]);
  }

  Value visit_list(const Expr& e) {
    std::vector<Value> items;
    for (const auto& argument : e.args) {
      items.push_back(visit(*argument));
      if (items.back().failed()) return std::move(items.back());
    }
    return List(std::move(items));
  }

  Value visit_map(const Expr& e) {
    Map::Entries entries;
    for (std::size_t i = 0; i + 1 < e.args.size(); i += 2) {
      auto key = visit(*e.args[i]);
      if (key.failed()) return key;
      auto value = visit(*e.args[i + 1]);
      if (value.failed()) return value;
      entries.emplace_back(std::move(key), std::move(value));
    }
    return Map(std::move(entries));
  }

  Value visit_macro(const Expr& e) {
    auto range = visit(*e.args[0]);
    if (range.failed()) return range;
    if (e.name == "optMap" || e.name == "optFlatMap") return visit_optional_macro(e, range);
    std::vector<Value> items;
    if (const auto* list = range.as<List>()) {
      for (std::size_t i = 0; i < list->size(); ++i) items.push_back(list->at(i));
    } else if (const auto* map = range.as<Map>()) {
      items = map->keys();
    } else {
      return fail("no such overload");
    }
    if (e.name == "all") return quantify(e, items, false);
    if (e.name == "exists") return quantify(e, items, true);
    if (e.name == "exists_one") return count_one(e, items);
    return collect(e, items);
  }

  Value with_variable(const Expr& e, const Value& item, const Expr& body) {
    scope_.emplace_back(e.variable, item);
    auto out = visit(body);
    scope_.pop_back();
    return out;
  }

  // exists() with decisive true, all() with false; a decisive item absorbs failures of others.
  Value quantify(const Expr& e, const std::vector<Value>& items, bool decisive) {
    std::optional<Value> failure;
    for (const auto& item : items) {
      auto result = with_variable(e, item, *e.args[1]);
      if (exhausted()) return fail(std::string(kOutOfSteps));
      if (is(result, decisive)) return decisive;
      if (result.failed()) {
        if (!failure) failure = std::move(result);
      } else if (!result.as<bool>()) {
        return fail("no such overload");
      }
    }
    return failure ? *failure : Value(!decisive);
  }

  Value count_one(const Expr& e, const std::vector<Value>& items) {
    int hits = 0;
    for (const auto& item : items) {
      auto result = with_variable(e, item, *e.args[1]);
      if (result.failed()) return result;
      hits += is(result, true) ? 1 : 0;
    }
    return hits == 1;
  }

  // map(x, t), map(x, p, t) and filter(x, p).
  Value collect(const Expr& e, const std::vector<Value>& items) {
    std::vector<Value> out;
    const bool has_condition = e.name == "filter" || e.args.size() == 3;
    for (const auto& item : items) {
      if (has_condition) {
        auto keep = with_variable(e, item, *e.args[1]);
        if (keep.failed()) return keep;
        if (!is(keep, true)) continue;
      }
      out.push_back(e.name == "filter" ? item : with_variable(e, item, *e.args.back()));
      if (out.back().failed()) return std::move(out.back());
    }
    return List(std::move(out));
  }

  Value visit_optional_macro(const Expr& e, const Value& range) {
    const auto* held = range.as<OptionalValue>();
    if (!held) return fail("no such overload");
    if (!held->value) return none();
    auto out = with_variable(e, *held->value, *e.args[1]);
    if (out.failed() || e.name == "optFlatMap") return out;
    return some(std::move(out));
  }

  const Environment& environment_;
  const Bindings& bindings_;
  std::vector<std::pair<std::string, Value>> scope_;
  std::size_t steps_ = 0;
};

}  // namespace

struct Program::Impl {
  ExprPtr root;
  Environment environment;
  Checked checked;

  Result<Value> run(const Bindings& bindings) const {
    Evaluator evaluator(environment, bindings);
    auto value = evaluator.visit(*root);
    if (evaluator.exhausted()) return error(Code::Invalid, std::string(kOutOfSteps));
    if (const auto* failure = value.as<Failure>()) return error(Code::Invalid, failure->message);
    return value;
  }
};

Program::Program(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Program::~Program() = default;

Result<std::shared_ptr<const Program>> Program::compile(std::string_view source,
                                                        const Environment& environment) {
  auto root = parse(source);
  if (!root) return root.error();
  auto checked = check(**root, environment, source);
  if (!checked) return checked.error();
  auto impl = std::make_unique<Impl>(Impl{std::move(*root), environment, std::move(*checked)});
  return std::shared_ptr<const Program>(new Program(std::move(impl)));
}

const Type& Program::result_type() const { return *impl_->checked.type; }

bool Program::uses(std::string_view name) const { return impl_->checked.names.contains(name); }

Result<bool> Program::evaluate_bool(const Bindings& bindings) const {
  auto value = impl_->run(bindings);
  if (!value) return value.error();
  const auto* boolean = value->as<bool>();
  if (!boolean) return error(Code::Invalid, "no such overload");
  return *boolean;
}

Result<std::string> Program::evaluate_string(const Bindings& bindings) const {
  auto value = impl_->run(bindings);
  if (!value) return value.error();
  const auto* text = value->as<std::string>();
  if (!text) return error(Code::Invalid, "no such overload");
  return *text;
}

Result<boost::json::value> Program::evaluate(const Bindings& bindings) const {
  auto value = impl_->run(bindings);
  if (!value) return value.error();
  return to_json(*value);
}

}  // namespace troupe::sim::cel
