#include "runtime/model/json_text.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <string_view>

namespace troupe {
namespace {

namespace json = boost::json;

void append(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  auto text = fmt::format("{:.6f}", number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  out += text == "-0" ? "0" : text;
}

void append(std::string& out, const json::value& value) {
  std::string_view separator;
  if (const auto* number = value.if_double()) {
    append(out, *number);
  } else if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& [key, member] : *object) {
      out += separator;
      out += json::serialize(json::string_view(key));
      out += ':';
      append(out, member);
      separator = ",";
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& item : *array) {
      out += separator;
      append(out, item);
      separator = ",";
    }
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string json_text(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace troupe
