#include "k8s/sim/api/cel_type.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <utility>

namespace troupe::sim::cel {
namespace {

constexpr std::array<std::string_view, 20> kReserved = {
    "true",     "false",   "null",      "in",       "as",  "break",  "const",
    "continue", "else",    "for",       "function", "if",  "import", "let",
    "loop",     "package", "namespace", "return",   "var", "void"};
constexpr std::string_view kWhile = "while";

bool is_reserved(std::string_view name) {
  for (const auto word : kReserved) {
    if (word == name) return true;
  }
  return name == kWhile;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kEscapes = {
    {{"__", "__underscores__"}, {".", "__dot__"}, {"-", "__dash__"}, {"/", "__slash__"}}};

}  // namespace

TypePtr simple(Kind kind) {
  static const auto kAll = [] {
    std::array<TypePtr, static_cast<std::size_t>(Kind::TypeOfType) + 1> all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto type = std::make_shared<Type>();
      type->kind = static_cast<Kind>(i);
      all[i] = std::move(type);
    }
    return all;
  }();
  return kAll[static_cast<std::size_t>(kind)];
}

TypePtr list_of(TypePtr element) {
  auto type = std::make_shared<Type>();
  type->kind = Kind::List;
  type->element = std::move(element);
  return type;
}

TypePtr map_of(TypePtr key, TypePtr element) {
  auto type = std::make_shared<Type>();
  type->kind = Kind::Map;
  type->key = std::move(key);
  type->element = std::move(element);
  return type;
}

TypePtr optional_of(TypePtr element) {
  auto type = std::make_shared<Type>();
  type->kind = Kind::Optional;
  type->element = std::move(element);
  return type;
}

std::string to_string(const Type& type) {
  switch (type.kind) {
    case Kind::Dyn:
      return type.variable.empty() ? "dyn" : type.variable;
    case Kind::Null:
      return "null";
    case Kind::Bool:
      return "bool";
    case Kind::Int:
      return "int";
    case Kind::Uint:
      return "uint";
    case Kind::Double:
      return "double";
    case Kind::String:
      return "string";
    case Kind::Bytes:
      return "bytes";
    case Kind::Timestamp:
      return "timestamp";
    case Kind::Duration:
      return "duration";
    case Kind::List:
      return fmt::format("list({})", to_string(*type.element));
    case Kind::Map:
      return fmt::format("map({}, {})", to_string(*type.key), to_string(*type.element));
    case Kind::Object:
      return "object";
    case Kind::Optional:
      return fmt::format("optional_type({})", to_string(*type.element));
    case Kind::Quantity:
      return "kubernetes.Quantity";
    case Kind::Url:
      return "kubernetes.URL";
    case Kind::TypeOfType:
      return "type";
  }
  return "dyn";
}

bool assignable(const Type& from, const Type& to) {
  if (from.kind == Kind::Dyn || to.kind == Kind::Dyn) return true;
  if (from.kind == Kind::Null) {
    return to.kind == Kind::Null || to.kind == Kind::Object || to.kind == Kind::Timestamp ||
           to.kind == Kind::Duration;
  }
  if (from.kind != to.kind) return false;
  switch (to.kind) {
    case Kind::List:
    case Kind::Optional:
      return assignable(*from.element, *to.element);
    case Kind::Map:
      return assignable(*from.key, *to.key) && assignable(*from.element, *to.element);
    default:
      return true;
  }
}

std::string escape_property(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front()))) return {};
  if (is_reserved(name)) return fmt::format("__{}__", name);
  std::string out;
  while (!name.empty()) {
    bool escaped = false;
    for (const auto& [raw, text] : kEscapes) {
      if (!name.starts_with(raw)) continue;
      out += text;
      name.remove_prefix(raw.size());
      escaped = true;
      break;
    }
    if (escaped) continue;
    const auto c = static_cast<unsigned char>(name.front());
    if (!std::isalnum(c) && c != '_') return {};
    out += name.front();
    name.remove_prefix(1);
  }
  return out;
}

std::string unescape_property(std::string_view identifier) {
  if (identifier.size() > 4 && identifier.starts_with("__") && identifier.ends_with("__")) {
    const auto word = identifier.substr(2, identifier.size() - 4);
    if (is_reserved(word)) return std::string(word);
  }
  std::string out;
  while (!identifier.empty()) {
    bool escaped = false;
    for (const auto& [raw, text] : kEscapes) {
      if (!identifier.starts_with(text)) continue;
      out += raw;
      identifier.remove_prefix(text.size());
      escaped = true;
      break;
    }
    if (escaped) continue;
    out += identifier.front();
    identifier.remove_prefix(1);
  }
  return out;
}

}  // namespace troupe::sim::cel
