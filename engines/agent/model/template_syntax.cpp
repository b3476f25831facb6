#include "engines/agent/model/template_syntax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace troupe::agent::tmpl {
namespace {

constexpr std::size_t kMaxDepth = 64;  // nested blocks and parentheses; bounds the C++ stack

struct Token {
  enum class Kind {
    Text,      // outside of actions
    Open,      // {{
    Close,     // }}
    Word,      // an identifier or keyword
    Field,     // .name
    Dot,       // .
    Variable,  // $ or $name
    Constant,
    Pipe,
    Left,
    Right,
    Declare,  // :=
    Assign,   // =
    Comma,
    End,
  };
  Kind kind = Kind::End;
  std::string text;
  Value value;
  std::size_t line = 1;
  bool spaced = false;  // white space before it
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

Error at_line(std::size_t line, std::string_view what) {
  return error(Code::Invalid, fmt::format("template line {}: {}", line, what));
}

void trim_end(std::string& text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
}

// Cuts the whole template into tokens.
class Lexer {
 public:
  explicit Lexer(std::string_view in) : in_(in) {}

  Result<std::vector<Token>> run() {
    while (at_ < in_.size()) {
      if (auto done = inside_ ? action() : literal(); !done) return done.error();
    }
    if (inside_) return at_line(line_, "an action is not closed by }}");
    push(Token::Kind::End, "");
    return std::move(tokens_);
  }

 private:
  void push(Token::Kind kind, std::string text, Value value = {}) {
    tokens_.push_back({kind, std::move(text), std::move(value), line_, spaced_});
    spaced_ = false;
  }

  void advance(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) line_ += in_[at_ + i] == '\n';
    at_ += count;
  }
  bool starts(std::string_view with) const { return in_.substr(at_).starts_with(with); }

  Result<void> literal() {
    const auto open = in_.find("{{", at_);
    std::string text(in_.substr(at_, open == std::string_view::npos ? open : open - at_));
    const bool trim = open != std::string_view::npos && open + 3 < in_.size() &&
                      in_[open + 2] == '-' && is_space(in_[open + 3]);
    const auto length = text.size();
    if (trim) trim_end(text);
    if (!text.empty()) push(Token::Kind::Text, std::move(text));
    advance(length);
    if (open == std::string_view::npos) return {};
    advance(trim ? 3 : 2);
    return starts_comment() ? comment()
                            : (inside_ = true, push(Token::Kind::Open, ""), Result<void>{});
  }

  bool starts_comment() {
    auto rest = in_.substr(at_);
    while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
    return rest.starts_with("/*");
  }

  Result<void> comment() {
    const auto end = in_.find("*/", at_);
    if (end == std::string_view::npos) return at_line(line_, "a comment is not closed by */");
    advance(end + 2 - at_);
    if (starts("}}")) return advance(2), Result<void>{};
    if (starts(" -}}")) return close(4);
    return at_line(line_, "a comment must end its action");
  }

  Result<void> close(std::size_t length) {
    advance(length);
    inside_ = false;
    if (length > 2) {
      while (at_ < in_.size() && is_space(in_[at_])) advance(1);
    }
    return {};
  }

  Result<void> action() {
    const char c = in_[at_];
    if (is_space(c)) {
      if (starts(" -}}")) return push(Token::Kind::Close, "}}"), close(4);
      spaced_ = true;
      return advance(1), Result<void>{};
    }
    if (starts("}}")) return push(Token::Kind::Close, "}}"), close(2);
    if (c == '"' || c == '`' || c == '\'') return quoted(c);
    if (std::isdigit(static_cast<unsigned char>(c)) ||
        ((c == '-' || c == '+') && at_ + 1 < in_.size() &&
         std::isdigit(static_cast<unsigned char>(in_[at_ + 1])))) {
      return number();
    }
    if (c == '$') return take_word(Token::Kind::Variable, 1);
    if (c == '.') {
      const bool field = at_ + 1 < in_.size() && is_word(in_[at_ + 1]);
      return take_word(field ? Token::Kind::Field : Token::Kind::Dot, 1);
    }
    if (is_word(c)) return take_word(Token::Kind::Word, 0);
    return punctuation(c);
  }

  Result<void> punctuation(char c) {
    if (starts(":=")) {
      push(Token::Kind::Declare, ":=");
      advance(2);
      return {};
    }
    const auto kind = c == '|'   ? Token::Kind::Pipe
                      : c == '(' ? Token::Kind::Left
                      : c == ')' ? Token::Kind::Right
                      : c == ',' ? Token::Kind::Comma
                      : c == '=' ? Token::Kind::Assign
                                 : Token::Kind::End;
    if (kind == Token::Kind::End) return at_line(line_, fmt::format("unexpected '{}'", c));
    push(kind, std::string(1, c));
    advance(1);
    return {};
  }

  // `lead` characters, then a word: "$name" keeps its $, ".name" loses its dot.
  Result<void> take_word(Token::Kind kind, std::size_t lead) {
    auto end = at_ + lead;
    while (end < in_.size() && is_word(in_[end])) ++end;
    std::string text(in_.substr(at_, end - at_));
    if (kind == Token::Kind::Field) text.erase(0, 1);
    push(kind, std::move(text));
    advance(end - at_);
    return {};
  }

  Result<void> number() {
    auto end = at_ + 1;
    while (end < in_.size() && (is_word(in_[end]) || in_[end] == '.')) ++end;
    auto text = in_.substr(at_, end - at_);
    advance(end - at_);
    if (text.front() == '+') text.remove_prefix(1);
    const auto* last = text.data() + text.size();
    std::int64_t whole = 0;
    if (std::from_chars(text.data(), last, whole).ptr == last) {
      push(Token::Kind::Constant, std::string(text), whole);
      return {};
    }
    double fraction = 0;
    if (std::from_chars(text.data(), last, fraction).ptr == last) {
      push(Token::Kind::Constant, std::string(text), fraction);
      return {};
    }
    return at_line(line_, fmt::format("'{}' is not a number", text));
  }

  Result<void> quoted(char quote) {
    std::string value;
    auto at = at_ + 1;
    for (; at < in_.size() && in_[at] != quote; ++at) {
      if (in_[at] != '\\' || quote == '`') {
        if (in_[at] == '\n' && quote != '`') break;
        value.push_back(in_[at]);
        continue;
      }
      const auto escaped = ++at < in_.size() ? unescape(in_[at]) : std::nullopt;
      if (!escaped) return at_line(line_, "unknown escape in a text");
      value.push_back(*escaped);
    }
    if (at >= in_.size() || in_[at] != quote) return at_line(line_, "a text is not closed");
    if (quote == '\'') {
      if (value.size() != 1) return at_line(line_, "a character constant holds one character");
      push(Token::Kind::Constant, value, std::int64_t{static_cast<unsigned char>(value.front())});
    } else {
      push(Token::Kind::Constant, value, value);
    }
    advance(at + 1 - at_);
    return {};
  }

  static std::optional<char> unescape(char c) {
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case '\\':
      case '"':
      case '\'':
        return c;
      default:
        return std::nullopt;
    }
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  bool inside_ = false;
  bool spaced_ = false;
  std::vector<Token> tokens_;
};

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<std::vector<Node>> run() {
    auto nodes = block();
    if (nodes && peek().kind != Token::Kind::End) {
      return at_line(peek().line, fmt::format("{{{{{}}}}} without a block to end", ending_));
    }
    return nodes;
  }

 private:
  using Kind = Token::Kind;

  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  Token next() { return tokens_[std::min(at_++, tokens_.size() - 1)]; }
  bool accept(Kind kind) {
    if (peek().kind != kind) return false;
    ++at_;
    return true;
  }
  Error here(std::string_view what) const { return at_line(peek().line, what); }

  // Nodes up to {{end}} or {{else ...}}, whose word is left in ending_ and whose {{ is consumed.
  Result<std::vector<Node>> block() {
    if (++depth_ > kMaxDepth) return here("blocks are nested too deeply");
    std::vector<Node> nodes;
    ending_.clear();
    while (peek().kind != Kind::End) {
      if (peek().kind == Kind::Text) {
        nodes.push_back({.kind = Node::Kind::Text, .text = next().text});
        continue;
      }
      if (peek(1).kind == Kind::Word && (peek(1).text == "end" || peek(1).text == "else")) {
        ending_ = peek(1).text;
        break;
      }
      auto node = action();
      if (!node) return node.error();
      nodes.push_back(*std::move(node));
    }
    --depth_;
    return nodes;
  }

  Result<Node> action() {
    Node node;
    node.line = next().line;  // {{
    const auto word = peek().kind == Kind::Word ? peek().text : std::string();
    if (word == "if" || word == "with" || word == "range") {
      node.kind = word == "if"     ? Node::Kind::If
                  : word == "with" ? Node::Kind::With
                                   : Node::Kind::Range;
      next();
      return control(std::move(node));
    }
    if (word == "break" || word == "continue") {
      node.kind = word == "break" ? Node::Kind::Break : Node::Kind::Continue;
      next();
    } else if (word == "define" || word == "template" || word == "block") {
      return here(fmt::format("{{{{{}}}}} is not supported", word));
    } else {
      node.kind = Node::Kind::Print;
      auto parsed = pipeline();
      if (!parsed) return parsed.error();
      node.pipeline = *std::move(parsed);
    }
    if (!accept(Kind::Close)) return here("expected }}");
    return node;
  }

  // After the keyword: the pipeline, the body, and else branches up to the shared {{end}}.
  Result<Node> control(Node node) {
    auto parsed = pipeline();
    if (!parsed) return parsed.error();
    node.pipeline = *std::move(parsed);
    if (!accept(Kind::Close)) return here("expected }}");
    auto body = block();
    if (!body) return body.error();
    node.body = *std::move(body);
    if (ending_.empty()) return at_line(node.line, "a block is not closed by {{end}}");
    at_ += 2;  // {{ end, or {{ else
    if (ending_ == "else" && peek().kind == Kind::Word &&
        (peek().text == "if" || peek().text == "with")) {
      Node chained;
      chained.kind = next().text == "if" ? Node::Kind::If : Node::Kind::With;
      chained.line = peek().line;
      if (++depth_ > kMaxDepth) return here("too many else branches");
      auto rest = control(std::move(chained));  // takes the shared {{end}}
      --depth_;
      if (!rest) return rest.error();
      node.otherwise.push_back(*std::move(rest));
      return node;
    }
    if (!accept(Kind::Close)) return here("expected }}");
    if (ending_ == "end") return node;
    auto otherwise = block();
    if (!otherwise) return otherwise.error();
    node.otherwise = *std::move(otherwise);
    if (ending_ != "end") return at_line(node.line, "a block is not closed by {{end}}");
    at_ += 2;
    if (!accept(Kind::Close)) return here("expected }}");
    return node;
  }

  Result<Pipeline> pipeline() {
    Pipeline out;
    if (peek().kind == Kind::Variable && peek(1).kind == Kind::Comma) {
      out.variables.push_back(next().text);
      next();
      if (peek().kind != Kind::Variable) return here("expected a variable after the comma");
    }
    if (peek().kind == Kind::Variable &&
        (peek(1).kind == Kind::Declare || peek(1).kind == Kind::Assign)) {
      out.variables.push_back(next().text);
      out.declares = next().kind == Kind::Declare;
    }
    do {
      auto parsed = call();
      if (!parsed) return parsed.error();
      out.calls.push_back(*std::move(parsed));
    } while (accept(Kind::Pipe));
    return out;
  }

  Result<Call> call() {
    Call out;
    while (true) {
      switch (peek().kind) {
        case Kind::Close:
        case Kind::Pipe:
        case Kind::Right:
        case Kind::End:
          if (out.words.empty()) return here("expected a value");
          return out;
        default: {
          auto parsed = operand();
          if (!parsed) return parsed.error();
          out.words.push_back(*std::move(parsed));
        }
      }
    }
  }

  Result<Operand> operand() {
    Operand out;
    const auto token = next();
    switch (token.kind) {
      case Kind::Constant:
        out.constant = token.value;
        break;
      case Kind::Dot:
        out.kind = Operand::Kind::Dot;
        break;
      case Kind::Field:
        out.kind = Operand::Kind::Dot;
        out.fields.push_back(token.text);
        break;
      case Kind::Variable:
        out.kind = Operand::Kind::Variable;
        out.name = token.text;
        break;
      case Kind::Word:
        if (token.text == "true" || token.text == "false") {
          out.constant = token.text == "true";
        } else if (token.text != "nil") {
          out.kind = Operand::Kind::Function;
          out.name = token.text;
        }
        break;
      case Kind::Left: {
        if (++depth_ > kMaxDepth) return here("parentheses are nested too deeply");
        auto inner = pipeline();
        if (!inner) return inner.error();
        --depth_;
        if (!accept(Kind::Right)) return here("expected )");
        out.kind = Operand::Kind::Nested;
        out.inner = std::make_shared<Pipeline>(*std::move(inner));
        break;
      }
      default:
        return at_line(token.line, fmt::format("unexpected '{}'", token.text));
    }
    while (peek().kind == Kind::Field && !peek().spaced) out.fields.push_back(next().text);
    return out;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::string ending_;
};

}  // namespace

Result<std::vector<Node>> parse_template(std::string_view text) {
  auto tokens = Lexer(text).run();
  if (!tokens) return tokens.error();
  return Parser(*std::move(tokens)).run();
}

}  // namespace troupe::agent::tmpl
