#include "k8s/api/encode.hpp"

#include "k8s/api/codec.hpp"
#include "k8s/api/kinds.hpp"

namespace troupe::k8s {

std::string object_to_json_text(const SnapshotPtr& object) {
  return find_kind(object->kind())->codec.encode(*object);
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
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
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "\\u00";
          out += kHex[c >> 4];
          out += kHex[c & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

}  // namespace troupe::k8s
