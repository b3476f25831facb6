#include "runtime/model/utf8.hpp"

#include <boost/locale/utf.hpp>

namespace troupe {
namespace {

namespace utf = boost::locale::utf;
using Utf8 = utf::utf_traits<char>;

bool is_control(utf::code_point c) { return c < 0x20 || c == 0x7F; }

}  // namespace

bool is_printable(std::string_view text) {
  for (auto at = text.begin(); at != text.end();) {
    const auto c = Utf8::decode(at, text.end());
    if (!utf::is_valid_codepoint(c) || is_control(c)) return false;
  }
  return true;
}

std::string as_printable(std::string_view text) {
  std::string out;
  for (auto at = text.begin(); at != text.end();) {
    const auto begin = at;
    const auto c = Utf8::decode(at, text.end());
    if (!utf::is_valid_codepoint(c)) {
      at = begin + 1;  // a character may begin in what was taken for the rest of this one
      out += "\uFFFD";
    } else if (is_control(c)) {
      out += ' ';
    } else {
      out.append(begin, at);
    }
  }
  return out;
}

std::size_t end_of_character(std::string_view text, std::size_t at) {
  if (at >= text.size()) return text.size();
  while (at > 0 && Utf8::is_trail(text[at])) --at;
  return at;
}

}  // namespace troupe
