// Tokens of CEL. Private to the evaluator.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/cel_value.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim::cel {

struct Token {
  enum class Kind { Ident, Literal, Symbol, End };

  Kind kind = Kind::End;
  std::string text;  // an identifier or a symbol
  Value literal;
  std::size_t position = 0;
};

// The whole source; the last token is End. Errors are complete messages.
Result<std::vector<Token>> tokenize(std::string_view source);

}  // namespace troupe::sim::cel
