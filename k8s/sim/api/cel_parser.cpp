#include "k8s/sim/api/cel_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "k8s/sim/api/cel_lexer.hpp"

namespace troupe::sim::cel {
namespace {

using Op = Expr::Op;

// Leaves the recursive descent from any depth; parse() turns it into an error value.
struct SyntaxError {
  std::size_t position;
  std::string message;
};

// Operators and postfixes of one expression; bounds the depth of its tree.
constexpr int kMaxLinks = 4000;

// Binary operators by rising precedence, && and || apart because they absorb errors.
struct Level {
  std::vector<std::string_view> symbols;
};

const std::array<Level, 3>& levels() {
  static const std::array<Level, 3> kLevels = {
      {{{"==", "!=", "<=", ">=", "<", ">", "in"}}, {{"+", "-"}}, {{"*", "/", "%"}}}};
  return kLevels;
}

constexpr std::array<std::string_view, 17> kReservedIdents = {
    "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
    "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  ExprPtr parse_all() {
    auto out = expression();
    if (peek().kind != Token::Kind::End) {
      throw SyntaxError{
          peek().position,
          fmt::format("Syntax error: mismatched input '{}' expecting <EOF>", shown(peek()))};
    }
    return out;
  }

 private:
  // Counts nesting, so that a hostile rule cannot exhaust the stack.
  class Nested {
   public:
    explicit Nested(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMaxNesting) {
        throw SyntaxError{parser_.peek().position,
                          fmt::format("expression recursion limit exceeded: {}", kMaxNesting)};
      }
    }
    ~Nested() { --parser_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    Parser& parser_;
  };

  static std::string shown(const Token& token) {
    if (token.kind == Token::Kind::End) return "<EOF>";
    return token.kind == Token::Kind::Literal ? "literal" : token.text;
  }

  const Token& peek() const { return tokens_[at_]; }
  bool is_symbol(std::string_view text) const {
    return peek().kind == Token::Kind::Symbol && peek().text == text;
  }
  bool accept(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view symbol) {
    if (accept(symbol)) return;
    throw SyntaxError{
        peek().position,
        fmt::format("Syntax error: mismatched input '{}' expecting '{}'", shown(peek()), symbol)};
  }

  // Chains like a + b + c nest to the left without nesting the parser.
  void count_link() {
    if (++links_ <= kMaxLinks) return;
    throw SyntaxError{peek().position, "expression code point size exceeds limit"};
  }

  static ExprPtr make(Op op, std::size_t position, std::string name = {}) {
    auto out = std::make_unique<Expr>();
    out->op = op;
    out->position = position;
    out->name = std::move(name);
    return out;
  }

  ExprPtr expression() {
    const Nested nested(*this);
    auto condition = logical("||", Op::Or);
    if (!is_symbol("?")) return condition;
    auto out = make(Op::Condition, peek().position);
    ++at_;
    out->args.push_back(std::move(condition));
    out->args.push_back(logical("||", Op::Or));
    expect(":");
    out->args.push_back(expression());
    return out;
  }

  ExprPtr logical(std::string_view symbol, Op op) {
    const auto operand = [&] { return op == Op::Or ? logical("&&", Op::And) : binary(0); };
    auto left = operand();
    while (is_symbol(symbol)) {
      auto out = make(op, peek().position);
      count_link();
      ++at_;
      out->args.push_back(std::move(left));
      out->args.push_back(operand());
      left = std::move(out);
    }
    return left;
  }

  ExprPtr binary(std::size_t level) {
    if (level == levels().size()) return unary();
    auto left = binary(level + 1);
    const auto& symbols = levels()[level].symbols;
    while (peek().kind == Token::Kind::Symbol &&
           std::ranges::find(symbols, peek().text) != symbols.end()) {
      const auto& symbol = peek().text;
      auto out =
          make(Op::Call, peek().position, symbol == "in" ? "@in" : fmt::format("_{}_", symbol));
      count_link();
      ++at_;
      out->args.push_back(std::move(left));
      out->args.push_back(binary(level + 1));
      left = std::move(out);
    }
    return left;
  }

  ExprPtr unary() {
    const Nested nested(*this);
    const auto position = peek().position;
    if (accept("!")) return call("!_", position, unary());
    if (accept("-")) {
      if (peek().kind == Token::Kind::Literal && peek().text.empty()) {
        if (const auto* magnitude = peek().literal.as<std::uint64_t>()) {
          return negative(*magnitude, position);
        }
      }
      return call("-_", position, unary());
    }
    return postfix();
  }

  ExprPtr negative(std::uint64_t magnitude, std::size_t position) {
    constexpr auto kLimit = std::uint64_t{1} << 63;
    if (magnitude > kLimit) throw SyntaxError{position, "Syntax error: invalid int literal"};
    ++at_;
    auto out = make(Op::Literal, position);
    out->literal = magnitude == kLimit ? std::numeric_limits<std::int64_t>::min()
                                       : -static_cast<std::int64_t>(magnitude);
    return out;
  }

  static ExprPtr call(std::string name, std::size_t position, ExprPtr argument) {
    auto out = make(Op::Call, position, std::move(name));
    out->args.push_back(std::move(argument));
    return out;
  }

  ExprPtr postfix() {
    auto out = primary();
    while (true) {
      const auto position = peek().position;
      count_link();
      if (accept(".")) {
        out = member(std::move(out), position, false);
      } else if (accept(".?")) {
        out = member(std::move(out), position, true);
      } else if (is_symbol("[") || is_symbol("[?")) {
        auto index = make(Op::Index, position);
        index->optional = peek().text == "[?";
        ++at_;
        index->args.push_back(std::move(out));
        index->args.push_back(expression());
        expect("]");
        out = std::move(index);
      } else {
        return out;
      }
    }
  }

  ExprPtr member(ExprPtr receiver, std::size_t position, bool optional) {
    const auto name = identifier();
    if (!optional && is_symbol("(")) {
      const auto call_position = peek().position;
      auto arguments = argument_list();
      if (auto macro = expand(name, call_position, receiver, arguments)) return macro;
      auto out = make(Op::Call, call_position, name);
      out->member = true;
      out->args.push_back(std::move(receiver));
      std::ranges::move(arguments, std::back_inserter(out->args));
      return out;
    }
    auto out = make(Op::Select, position, name);
    out->optional = optional;
    out->args.push_back(std::move(receiver));
    return out;
  }

  // all, exists, exists_one, map, filter, optMap, optFlatMap; null when `name` is none of them.
  static ExprPtr expand(const std::string& name, std::size_t position, ExprPtr& receiver,
                        std::vector<ExprPtr>& arguments) {
    static constexpr std::array<std::string_view, 8> kMacros = {
        "all", "exists", "exists_one", "existsOne", "map", "filter", "optMap", "optFlatMap"};
    if (std::ranges::find(kMacros, name) == kMacros.end()) return nullptr;
    const bool may_have_three = name == "map";
    if (arguments.size() != 2 && !(may_have_three && arguments.size() == 3)) return nullptr;
    if (arguments.front()->op != Op::Ident) {
      throw SyntaxError{arguments.front()->position, "argument must be a simple name"};
    }
    auto out = make(Op::Macro, position, name == "existsOne" ? "exists_one" : name);
    out->variable = arguments.front()->name;
    out->args.push_back(std::move(receiver));
    std::move(arguments.begin() + 1, arguments.end(), std::back_inserter(out->args));
    return out;
  }

  std::string identifier() {
    if (peek().kind != Token::Kind::Ident) {
      throw SyntaxError{
          peek().position,
          fmt::format("Syntax error: mismatched input '{}' expecting IDENTIFIER", shown(peek()))};
    }
    return tokens_[at_++].text;
  }

  std::vector<ExprPtr> argument_list() {
    expect("(");
    std::vector<ExprPtr> out;
    if (accept(")")) return out;
    do {
      out.push_back(expression());
    } while (accept(","));
    expect(")");
    return out;
  }

  ExprPtr primary() {
    const auto position = peek().position;
    if (peek().kind == Token::Kind::Literal) return literal();
    if (accept("(")) {
      auto out = expression();
      expect(")");
      return out;
    }
    if (accept("[")) return list_literal(position);
    if (accept("{")) return map_literal(position);
    accept(".");  // a name from the root scope
    const auto name = identifier();
    if (is_symbol("(")) return global_call(name);
    if (std::ranges::find(kReservedIdents, name) != kReservedIdents.end()) {
      throw SyntaxError{position, fmt::format("reserved identifier: {}", name)};
    }
    return make(Op::Ident, position, name);
  }

  ExprPtr literal() {
    auto out = make(Op::Literal, peek().position);
    const auto& token = tokens_[at_++];
    out->literal = token.literal;
    if (const auto* number = token.literal.as<std::uint64_t>(); number && token.text != "u") {
      if (*number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        throw SyntaxError{token.position, "Syntax error: invalid int literal"};
      }
      out->literal = static_cast<std::int64_t>(*number);
    }
    return out;
  }

  ExprPtr global_call(const std::string& name) {
    const auto position = peek().position;
    auto arguments = argument_list();
    if (name == "has") {
      if (arguments.size() != 1 || arguments[0]->op != Op::Select || arguments[0]->optional) {
        throw SyntaxError{position, "invalid argument to has() macro"};
      }
      arguments[0]->op = Op::Has;
      return std::move(arguments[0]);
    }
    auto out = make(Op::Call, position, name);
    out->args = std::move(arguments);
    return out;
  }

  ExprPtr list_literal(std::size_t position) {
    auto out = make(Op::List, position);
    while (!accept("]")) {
      out->args.push_back(expression());
      if (!is_symbol("]")) expect(",");
    }
    return out;
  }

  ExprPtr map_literal(std::size_t position) {
    auto out = make(Op::Map, position);
    while (!accept("}")) {
      out->args.push_back(expression());
      expect(":");
      out->args.push_back(expression());
      if (!is_symbol("}")) expect(",");
    }
    return out;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int links_ = 0;
};

}  // namespace

std::string describe(std::string_view source, std::size_t position, std::string_view message) {
  position = std::min(position, source.size());
  const auto before = source.substr(0, position);
  const auto line = std::ranges::count(before, '\n') + 1;
  const auto newline = before.rfind('\n');
  const auto line_start = newline == std::string_view::npos ? 0 : newline + 1;
  const auto column = position - line_start;
  const auto text = source.substr(line_start, source.find('\n', line_start) - line_start);
  return fmt::format("ERROR: <input>:{}:{}: {}\n | {}\n | {}^", line, column + 1, message, text,
                     std::string(column, '.'));
}

Result<ExprPtr> parse(std::string_view source) {
  auto tokens = tokenize(source);
  if (!tokens) return tokens.error();
  try {
    return Parser(std::move(*tokens)).parse_all();
  } catch (const SyntaxError& e) {
    return error(Code::Invalid, describe(source, e.position, e.message));
  }
}

}  // namespace troupe::sim::cel
