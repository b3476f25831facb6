#include "k8s/sim/api/cel_checker.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "k8s/sim/api/cel_functions.hpp"
#include "k8s/sim/api/cel_parser.hpp"

namespace troupe::sim::cel {
namespace {

using Op = Expr::Op;

// Leaves the walk from any depth; check() turns it into an error value.
struct CheckError {
  std::size_t position;
  std::string message;
};

using Binding = std::map<std::string, TypePtr>;

TypePtr substitute(const TypePtr& type, const Binding& binding) {
  switch (type->kind) {
    case Kind::Dyn: {
      const auto it = binding.find(type->variable);
      return it == binding.end() ? simple(Kind::Dyn) : it->second;
    }
    case Kind::List:
      return list_of(substitute(type->element, binding));
    case Kind::Optional:
      return optional_of(substitute(type->element, binding));
    case Kind::Map:
      return map_of(substitute(type->key, binding), substitute(type->element, binding));
    default:
      return type;
  }
}

bool unify(const TypePtr& param, const TypePtr& argument, Binding& binding) {
  if (param->kind == Kind::Dyn) {
    if (param->variable.empty()) return true;
    auto [it, inserted] = binding.emplace(param->variable, argument);
    if (inserted || assignable(*argument, *it->second)) return true;
    if (!assignable(*it->second, *argument)) return false;
    it->second = argument;
    return true;
  }
  if (argument->kind == Kind::Dyn) return true;
  if (param->kind != argument->kind) return assignable(*argument, *param);
  switch (param->kind) {
    case Kind::List:
    case Kind::Optional:
      return unify(param->element, argument->element, binding);
    case Kind::Map:
      return unify(param->key, argument->key, binding) &&
             unify(param->element, argument->element, binding);
    default:
      return true;
  }
}

TypePtr type_of_literal(const Value& value) { return simple(kind_of(value)); }

class Checker {
 public:
  explicit Checker(const Environment& environment) : environment_(environment) {}

  TypePtr visit(Expr& e) {
    switch (e.op) {
      case Op::Literal:
        return type_of_literal(e.literal);
      case Op::Ident:
        return visit_ident(e);
      case Op::Select:
      case Op::Has:
        return visit_select(e);
      case Op::Index:
        return visit_index(e);
      case Op::Call:
        return visit_call(e);
      case Op::And:
      case Op::Or:
        return visit_logical(e);
      case Op::Condition:
        return visit_condition(e);
      case Op::List:
        return list_of(element_type(e, 0, 1));
      case Op::Map:
        return map_of(element_type(e, 0, 2), element_type(e, 1, 2));
      case Op::Macro:
        return visit_macro(e);
    }
    return simple(Kind::Dyn);
  }

  std::set<std::string, std::less<>> take_names() { return std::move(names_); }

 private:
  const TypePtr* find_name(std::string_view name) const {
    for (auto it = scope_.rbegin(); it != scope_.rend(); ++it) {
      if (it->first == name) return &it->second;
    }
    const auto it = environment_.find(name);
    return it == environment_.end() ? nullptr : &it->second;
  }

  TypePtr visit_ident(Expr& e) {
    if (const auto* type = find_name(e.name)) {
      if (environment_.contains(e.name)) names_.insert(e.name);
      return *type;
    }
    static constexpr std::string_view kTypes[] = {"bool",  "int",  "uint", "double",    "string",
                                                  "bytes", "list", "map",  "null_type", "type"};
    if (std::ranges::find(kTypes, e.name) != std::end(kTypes)) {
      e.op = Op::Literal;
      e.literal = TypeName{e.name};
      return simple(Kind::TypeOfType);
    }
    throw undeclared(e.position, e.name);
  }

  static CheckError undeclared(std::size_t position, std::string_view name) {
    return {position, fmt::format("undeclared reference to '{}' (in container '')", name)};
  }

  TypePtr visit_select(Expr& e) {
    const auto operand = visit(*e.args[0]);
    const bool is_optional = operand->kind == Kind::Optional;
    const auto field = field_type(is_optional ? operand->element : operand, e);
    if (e.op == Op::Has) return simple(Kind::Bool);
    return is_optional || e.optional ? optional_of(field) : field;
  }

  TypePtr field_type(const TypePtr& operand, Expr& e) {
    e.json_name = e.name;
    switch (operand->kind) {
      case Kind::Dyn:
        return simple(Kind::Dyn);
      case Kind::Map:
        return operand->element;
      case Kind::Object: {
        const auto it = operand->fields.find(e.name);
        if (it == operand->fields.end()) {
          throw CheckError{e.position, fmt::format("undefined field '{}'", e.name)};
        }
        e.json_name = unescape_property(e.name);
        return it->second;
      }
      default:
        throw CheckError{e.position, fmt::format("type '{}' does not support field selection",
                                                 to_string(*operand))};
    }
  }

  TypePtr visit_index(Expr& e) {
    const auto operand = visit(*e.args[0]);
    const auto index = visit(*e.args[1]);
    const bool is_optional = operand->kind == Kind::Optional;
    const auto& container = is_optional ? operand->element : operand;
    TypePtr out;
    if (container->kind == Kind::Dyn) {
      out = simple(Kind::Dyn);
    } else if (container->kind == Kind::List && assignable(*index, *simple(Kind::Int))) {
      out = container->element;
    } else if (container->kind == Kind::Map && assignable(*index, *container->key)) {
      out = container->element;
    } else {
      throw CheckError{e.position,
                       fmt::format("found no matching overload for '_[_]' applied to '({}, {})'",
                                   to_string(*operand), to_string(*index))};
    }
    return is_optional || e.optional ? optional_of(out) : out;
  }

  TypePtr visit_logical(Expr& e) {
    const auto left = visit(*e.args[0]);
    const auto right = visit(*e.args[1]);
    const auto boolean = simple(Kind::Bool);
    if (assignable(*left, *boolean) && assignable(*right, *boolean)) return boolean;
    throw CheckError{
        e.position,
        fmt::format("found no matching overload for '{}' applied to '({}, {})'",
                    e.op == Op::And ? "_&&_" : "_||_", to_string(*left), to_string(*right))};
  }

  TypePtr visit_condition(Expr& e) {
    const auto condition = visit(*e.args[0]);
    const auto yes = visit(*e.args[1]);
    const auto no = visit(*e.args[2]);
    if (assignable(*condition, *simple(Kind::Bool))) {
      if (assignable(*no, *yes)) return yes->kind == Kind::Null ? no : yes;
      if (assignable(*yes, *no)) return no;
    }
    throw CheckError{e.position,
                     fmt::format("found no matching overload for '_?_:_' applied to '({}, {}, {})'",
                                 to_string(*condition), to_string(*yes), to_string(*no))};
  }

  // The one type of every `step`th argument: literals of lists and maps are homogeneous.
  TypePtr element_type(Expr& e, std::size_t first, std::size_t step) {
    TypePtr out;
    for (std::size_t i = first; i < e.args.size(); i += step) {
      auto type = visit(*e.args[i]);
      if (!out) {
        out = std::move(type);
      } else if (!assignable(*type, *out)) {
        throw CheckError{e.args[i]->position, fmt::format("expected type '{}' but found '{}'",
                                                          to_string(*out), to_string(*type))};
      }
    }
    return out ? out : simple(Kind::Dyn);
  }

  TypePtr visit_call(Expr& e) {
    fold_qualified_name(e);
    const auto all = find_overloads(e.name);
    if (all.empty()) throw undeclared(e.position, e.name);
    std::vector<TypePtr> arguments;
    for (auto& argument : e.args) arguments.push_back(visit(*argument));
    TypePtr result;
    for (const auto* overload : all) {
      Binding binding;
      if (overload->member != e.member || !fits(*overload, arguments, binding)) continue;
      auto type = substitute(overload->result, binding);
      e.candidates.push_back(overload);
      result = !result || to_string(*result) == to_string(*type) ? type : simple(Kind::Dyn);
    }
    if (!result) {
      throw CheckError{e.position,
                       fmt::format("found no matching overload for '{}' applied to '{}'", e.name,
                                   shown_arguments(arguments, e.member))};
    }
    compile_pattern(e);
    return result;
  }

  static bool fits(const Overload& overload, const std::vector<TypePtr>& arguments,
                   Binding& binding) {
    if (overload.params.size() != arguments.size()) return false;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (!unify(overload.params[i], arguments[i], binding)) return false;
    }
    return true;
  }

  static std::string shown_arguments(const std::vector<TypePtr>& arguments, bool member) {
    std::vector<std::string> shown;
    for (const auto& type : arguments) shown.push_back(to_string(*type));
    if (!member) return fmt::format("({})", fmt::join(shown, ", "));
    return fmt::format("{}.({})", shown.front(), fmt::join(shown.begin() + 1, shown.end(), ", "));
  }

  // optional.of(x) and sets.contains(a, b) parse as members of a name that is none.
  void fold_qualified_name(Expr& e) {
    if (!e.member || e.args[0]->op != Op::Ident || find_name(e.args[0]->name)) return;
    auto qualified = fmt::format("{}.{}", e.args[0]->name, e.name);
    if (find_overloads(qualified).empty()) return;
    e.name = std::move(qualified);
    e.member = false;
    e.args.erase(e.args.begin());
  }

  static void compile_pattern(Expr& e) {
    if (e.name != "matches" || e.args[1]->op != Op::Literal) return;
    auto regex = std::make_shared<const RE2>(*e.args[1]->literal.as<std::string>(), RE2::Quiet);
    if (!regex->ok()) throw CheckError{e.args[1]->position, "invalid matches argument"};
    e.cached = std::move(regex);
  }

  TypePtr visit_macro(Expr& e) {
    const auto range = visit(*e.args[0]);
    if (e.name == "optMap" || e.name == "optFlatMap") return visit_optional_macro(e, range);
    TypePtr element;
    if (range->kind == Kind::List) {
      element = range->element;
    } else if (range->kind == Kind::Map) {
      element = range->key;
    } else if (range->kind == Kind::Dyn) {
      element = range;
    } else {
      throw CheckError{e.args[0]->position,
                       fmt::format("expression of type '{}' cannot be range of a comprehension "
                                   "(must be list, map, or dynamic)",
                                   to_string(*range))};
    }
    scope_.emplace_back(e.variable, element);
    TypePtr last;
    for (std::size_t i = 1; i < e.args.size(); ++i) {
      last = visit(*e.args[i]);
      const bool is_condition = e.name != "map" || i + 1 < e.args.size();
      if (is_condition && !assignable(*last, *simple(Kind::Bool))) {
        throw CheckError{e.args[i]->position,
                         fmt::format("expected type 'bool' but found '{}'", to_string(*last))};
      }
    }
    scope_.pop_back();
    if (e.name == "map") return list_of(last);
    return e.name == "filter" ? list_of(element) : simple(Kind::Bool);
  }

  TypePtr visit_optional_macro(Expr& e, const TypePtr& range) {
    if (range->kind != Kind::Optional && range->kind != Kind::Dyn) {
      throw CheckError{e.position,
                       fmt::format("found no matching overload for '{}' applied to '{}'", e.name,
                                   to_string(*range))};
    }
    scope_.emplace_back(e.variable, range->kind == Kind::Optional ? range->element : range);
    auto out = visit(*e.args[1]);
    scope_.pop_back();
    return e.name == "optMap" ? optional_of(out) : out;
  }

  const Environment& environment_;
  std::vector<std::pair<std::string, TypePtr>> scope_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace

Result<Checked> check(Expr& root, const Environment& environment, std::string_view source) {
  Checker checker(environment);
  try {
    auto type = checker.visit(root);
    return Checked{std::move(type), checker.take_names()};
  } catch (const CheckError& e) {
    return error(Code::Invalid, describe(source, e.position, e.message));
  }
}

}  // namespace troupe::sim::cel
