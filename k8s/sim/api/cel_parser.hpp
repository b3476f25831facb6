// Text of a CEL expression to its syntax tree. Private to the evaluator.
#pragma once

#include <string>
#include <string_view>

#include "k8s/sim/api/cel_ast.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim::cel {

// Nesting beyond this is refused, as it would be by the real parser.
inline constexpr int kMaxNesting = 250;

Result<ExprPtr> parse(std::string_view source);

// `ERROR: <input>:1:6: message` with the line of source and a marker under the position.
std::string describe(std::string_view source, std::size_t position, std::string_view message);

}  // namespace troupe::sim::cel
