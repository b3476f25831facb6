// The syntax of configuration templates: text to tree. Internal to template.hpp.
//
// The subset of Go's text/template that configuration templates use: actions in {{ }} with {{- and
// -}} trimming, comments, pipelines, variables, if / else if / else, with, range (with break and
// continue), parentheses, fields, text, number and boolean constants. No define, template or block.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engines/agent/model/template_value.hpp"
#include "runtime/model/result.hpp"

namespace troupe::agent::tmpl {

struct Pipeline;

// One operand, and the fields that are taken of it: $x.Key, (get "/a").Value, .
struct Operand {
  enum class Kind { Constant, Dot, Variable, Function, Nested };
  Kind kind = Kind::Constant;
  Value constant;                   // Constant
  std::string name;                 // Variable (with $), Function
  std::shared_ptr<Pipeline> inner;  // Nested
  std::vector<std::string> fields;
};

// A function with arguments, or a single operand.
struct Call {
  std::vector<Operand> words;
};

struct Pipeline {
  std::vector<std::string> variables;  // $x := ...; two for range
  bool declares = false;               // := rather than =
  std::vector<Call> calls;             // each gets the result of the one before as last argument
};

struct Node {
  enum class Kind { Text, Print, If, With, Range, Break, Continue };
  Kind kind = Kind::Text;
  std::string text;
  Pipeline pipeline;
  std::vector<Node> body;
  std::vector<Node> otherwise;
  std::size_t line = 0;
};

Result<std::vector<Node>> parse_template(std::string_view text);

}  // namespace troupe::agent::tmpl
