#include "k8s/sim/api/cel_lexer.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include "k8s/sim/api/cel_parser.hpp"

namespace troupe::sim::cel {
namespace {

bool is_word_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> out;
    while (skip_blanks(), at_ < source_.size()) {
      Token token;
      token.position = at_;
      if (!next(token)) return error(Code::Invalid, error_);
      out.push_back(std::move(token));
    }
    out.push_back({Token::Kind::End, "", {}, at_});
    return out;
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  bool refuse(std::string_view message) {
    error_ = describe(source_, at_, fmt::format("Syntax error: {}", message));
    return false;
  }

  void skip_blanks() {
    while (at_ < source_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek()))) {
        ++at_;
      } else if (source_.substr(at_).starts_with("//")) {
        at_ = std::min(source_.find('\n', at_), source_.size());
      } else {
        return;
      }
    }
  }

  bool next(Token& token) {
    if (string_prefix_length() >= 0) return read_string(token);
    if (is_word_start(peek())) return read_word(token);
    if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) return read_number(token);
    return read_symbol(token);
  }

  // Length of r/b prefixes when a string starts here, -1 when none does.
  int string_prefix_length() const {
    int length = 0;
    while (length < 2 && std::string_view("rRbB").find(peek(length)) != std::string_view::npos) {
      ++length;
    }
    return peek(length) == '"' || peek(length) == '\'' ? length : -1;
  }

  bool read_word(Token& token) {
    const auto start = at_;
    while (is_word(peek())) ++at_;
    token.text = source_.substr(start, at_ - start);
    token.kind = Token::Kind::Literal;
    if (token.text == "true" || token.text == "false") {
      token.literal = token.text == "true";
    } else if (token.text == "null") {
      token.literal = Value();
    } else {
      token.kind = token.text == "in" ? Token::Kind::Symbol : Token::Kind::Ident;
    }
    return true;
  }

  bool read_number(Token& token) {
    token.kind = Token::Kind::Literal;
    const auto start = at_;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      at_ += 2;
      while (std::isxdigit(static_cast<unsigned char>(peek()))) ++at_;
      return finish_integer(token, source_.substr(start + 2, at_ - start - 2), 16);
    }
    while (is_digit(peek())) ++at_;
    bool is_double = false;
    if (peek() == '.' && is_digit(peek(1))) {
      is_double = true;
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    if (peek() == 'e' || peek() == 'E') {
      is_double = true;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      while (is_digit(peek())) ++at_;
    }
    const auto text = source_.substr(start, at_ - start);
    if (!is_double) return finish_integer(token, text, 10);
    token.literal = std::strtod(std::string(text).c_str(), nullptr);
    return true;
  }

  // Integers are read as unsigned: the parser folds a minus sign into them.
  bool finish_integer(Token& token, std::string_view digits, int base) {
    std::uint64_t number = 0;
    const auto* end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, number, base);
    if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != end) {
      return refuse("invalid int literal");
    }
    token.literal = number;
    if (peek() == 'u' || peek() == 'U') {
      ++at_;
      token.text = "u";
    }
    return true;
  }

  bool read_string(Token& token) {
    token.kind = Token::Kind::Literal;
    bool raw = false;
    bool bytes = false;
    for (int i = string_prefix_length(); i > 0; --i, ++at_) {
      raw |= peek() == 'r' || peek() == 'R';
      bytes |= peek() == 'b' || peek() == 'B';
    }
    const char quote = peek();
    const std::string triple(3, quote);
    const bool is_triple = source_.substr(at_).starts_with(triple);
    const auto closing = is_triple ? triple : std::string(1, quote);
    at_ += closing.size();
    std::string text;
    while (!source_.substr(at_).starts_with(closing)) {
      if (at_ >= source_.size() || (!is_triple && peek() == '\n')) {
        return refuse("unterminated string literal");
      }
      if (peek() == '\\' && !raw) {
        if (!read_escape(text)) return false;
      } else {
        text += source_[at_++];
      }
    }
    at_ += closing.size();
    if (bytes) {
      token.literal = Bytes{std::move(text)};
    } else {
      token.literal = std::move(text);
    }
    return true;
  }

  bool read_escape(std::string& text) {
    static constexpr std::string_view kFrom = "abfnrtv\\'\"`?";
    static constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\'\"`?";
    const char kind = peek(1);
    if (const auto i = kFrom.find(kind); i != std::string_view::npos) {
      text += kTo[i];
      at_ += 2;
      return true;
    }
    const bool octal = kind >= '0' && kind <= '3';
    const std::size_t digits = kind == 'x' || kind == 'X' ? 2
                               : kind == 'u'              ? 4
                               : kind == 'U'              ? 8
                               : octal                    ? 3
                                                          : 0;
    if (digits == 0) return refuse("invalid escape sequence");
    const auto first = at_ + (octal ? 1 : 2);
    const auto number = source_.substr(std::min(first, source_.size()), digits);
    std::uint32_t code = 0;
    const auto* end = number.data() + number.size();
    const auto parsed = std::from_chars(number.data(), end, code, octal ? 8 : 16);
    if (number.size() != digits || parsed.ptr != end || code > 0x10ffff) {
      return refuse("invalid escape sequence");
    }
    append_utf8(text, code);
    at_ = first + digits;
    return true;
  }

  bool read_symbol(Token& token) {
    static constexpr std::array<std::string_view, 25> kSymbols = {
        "&&", "||", "==", "!=", "<=", ">=", ".?", "[?", "<", ">", "!", "+", "-",
        "*",  "/",  "%",  "?",  ":",  ".",  ",",  "(",  ")", "[", "]", "{"};
    for (const auto symbol : kSymbols) {
      if (!source_.substr(at_).starts_with(symbol)) continue;
      return take_symbol(token, symbol);
    }
    if (peek() == '}') return take_symbol(token, "}");
    return refuse(fmt::format("token recognition error at: '{}'", peek()));
  }

  bool take_symbol(Token& token, std::string_view symbol) {
    token.kind = Token::Kind::Symbol;
    token.text = symbol;
    at_ += symbol.size();
    return true;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::string error_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace troupe::sim::cel
