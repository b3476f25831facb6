// Static checking of a CEL expression: names, fields, functions and the types they take.
// Private to the evaluator.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "k8s/sim/api/cel.hpp"
#include "k8s/sim/api/cel_ast.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim::cel {

struct Checked {
  TypePtr type;
  std::set<std::string, std::less<>> names;  // of the environment, that the expression reads
};

// Resolves the tree in place. Errors are complete messages over `source`.
Result<Checked> check(Expr& root, const Environment& environment, std::string_view source);

}  // namespace troupe::sim::cel
