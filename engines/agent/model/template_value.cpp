#include "engines/agent/model/template_value.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace troupe::agent::tmpl {

std::optional<double> Value::number() const {
  if (const auto* whole = integer()) return static_cast<double>(*whole);
  if (const auto* fraction = real()) return *fraction;
  return std::nullopt;
}

bool Value::truth() const {
  if (const auto* value = boolean()) return *value;
  if (const auto value = number()) return *value != 0;
  if (const auto* value = text()) return !value->empty();
  if (const auto* value = list()) return !value->empty();
  if (const auto* value = map()) return !value->empty();
  return false;
}

std::string Value::print() const {
  if (const auto* value = boolean()) return *value ? "true" : "false";
  if (const auto* value = integer()) return fmt::format("{}", *value);
  if (const auto* value = real()) {
    std::array<char, 64> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *value).ptr;
    return {buffer.data(), end};
  }
  if (const auto* value = text()) return *value;
  if (const auto* value = list()) {
    std::string out = "[";
    for (const auto& item : *value) out += (out.size() > 1 ? " " : "") + item.print();
    return out + "]";
  }
  if (const auto* value = map()) {
    std::string out = "map[";
    for (const auto& [key, item] : *value) {
      out += (out.size() > 4 ? " " : "") + key + ":" + item.print();
    }
    return out + "]";
  }
  return "<no value>";
}

std::string_view Value::kind() const {
  if (boolean()) return "a boolean";
  if (integer()) return "an integer";
  if (real()) return "a real number";
  if (text()) return "a text";
  if (list()) return "a list";
  if (map()) return "a map";
  return "nothing";
}

Result<std::partial_ordering> compare(const Value& a, const Value& b) {
  if (a.integer() && b.integer()) return std::partial_ordering{*a.integer() <=> *b.integer()};
  if (a.number() && b.number()) return *a.number() <=> *b.number();
  if (a.text() && b.text()) return std::partial_ordering{a.text()->compare(*b.text()) <=> 0};
  if (a.boolean() && b.boolean()) return std::partial_ordering{*a.boolean() <=> *b.boolean()};
  return error(Code::Invalid, fmt::format("{} cannot be compared with {}", a.kind(), b.kind()));
}

}  // namespace troupe::agent::tmpl
