// The syntax tree of a CEL expression. Private to the evaluator.
//
// The parser makes it; the checker resolves names and functions in place; then it never changes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "k8s/sim/api/cel_value.hpp"

namespace troupe::sim::cel {

struct Overload;

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  enum class Op {
    Literal,
    Ident,      // name
    Select,     // args[0].name, or args[0].?name when optional
    Has,        // has(args[0].name)
    Index,      // args[0][args[1]], or [?args[1]] when optional
    Call,       // name(args...); args[0] is the receiver when member
    And,        // args[0] && args[1]
    Or,         // args[0] || args[1]
    Condition,  // args[0] ? args[1] : args[2]
    List,       // args
    Map,        // args: key, value, key, value...
    Macro,      // name over args[0] with variable; args[1..] see it
  };

  Op op = Op::Literal;
  std::size_t position = 0;  // byte offset in the source
  std::string name;
  std::string variable;
  Value literal;
  bool member = false;
  bool optional = false;
  std::vector<ExprPtr> args;

  // Set by the checker.
  std::vector<const Overload*> candidates;  // what a Call may run, by static types
  std::string json_name;                    // of a Select: the property's own name
  std::shared_ptr<const void> cached;       // a compiled literal pattern
};

}  // namespace troupe::sim::cel
