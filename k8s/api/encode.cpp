#include "k8s/api/encode.hpp"

#include <algorithm>

#include "k8s/api/codec.hpp"
#include "k8s/api/kinds.hpp"

namespace troupe::k8s {

std::string object_to_json_text(const SnapshotPtr& object) {
  return find_kind(object->kind())->codec.encode(*object);
}

namespace {

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

void append_escaped(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (auto from = text.begin(); from != text.end();) {
    const auto to = std::find_if_not(from, text.end(), is_plain);
    out.append(from, to);
    from = to;
    if (from != text.end()) append_escaped(out, *from++);
  }
  out += '"';
}

}  // namespace troupe::k8s
