// API structs as JSON text: statuses, bodies of server-side apply.
//
// Empty texts, lists, maps, raw parts and absent options are left out, as in Kubernetes' own
// `omitempty`, unless their row says `required`; so is a struct that is all empty. Numbers and
// flags are written always, also when they equal their default, unless their row says `omit_zero`.
// Members come in the order of the struct: equal values give equal text.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <type_traits>

#include "k8s/api/describe.hpp"
#include "k8s/api/kind.hpp"
#include "k8s/api/relocate.hpp"
#include "k8s/api/snapshot.hpp"
#include "k8s/api/types.hpp"

namespace troupe::k8s {

// Appends `text` as a JSON string.
void append_json_string(std::string& out, std::string_view text);

namespace internal {

template <class T>
bool is_empty(const T& value);

template <class T>
void append_json(std::string& out, const T& value);

// A row without which the value is left out.
template <class T>
bool is_left_out(const T& value, const Field& field) {
  if (field.required) return false;
  if constexpr (std::is_arithmetic_v<T>) {
    return field.omit_zero && value == T{};
  } else if constexpr (std::is_enum_v<T>) {
    return false;
  } else {
    return is_empty(value);
  }
}

template <class T>
bool is_empty(const T& value) {
  if constexpr (kIsOpt<T>) {
    return !value.has_value();
  } else if constexpr (std::is_same_v<T, ResourceVersion> || std::is_same_v<T, Time> ||
                       std::is_same_v<T, MicroTime>) {
    return !value;
  } else if constexpr (std::is_same_v<T, IntOrString>) {
    return value.is_text() ? value.text().empty() : value.number() == 0;
  } else if constexpr (Described<T>) {
    bool empty = true;
    for_each_field<T>([&](auto member, const Field& field) {
      empty = empty && is_left_out(value.*member, field);
    });
    return empty;
  } else {
    return value.empty();
  }
}

template <Described T>
void append_object(std::string& out, const T& value) {
  out += '{';
  bool first = true;
  for_each_field<T>([&](auto member, const Field& field) {
    if (is_left_out(value.*member, field)) return;
    if (!first) out += ',';
    first = false;
    append_json_string(out, field.name);
    out += ':';
    append_json(out, value.*member);
  });
  out += '}';
}

template <class T>
void append_json(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    fmt::format_to(std::back_inserter(out), "{}", value);
  } else if constexpr (std::is_enum_v<T>) {
    append_json_string(out, to_string(value));
  } else if constexpr (std::is_same_v<T, Text>) {
    append_json_string(out, value);
  } else if constexpr (std::is_same_v<T, Raw>) {
    out += value.empty() ? std::string_view("null") : value.text();
  } else if constexpr (std::is_same_v<T, Quantity>) {
    append_json_string(out, value.text);
  } else if constexpr (std::is_same_v<T, ResourceVersion>) {
    fmt::format_to(std::back_inserter(out), "\"{}\"", value.value);
  } else if constexpr (std::is_same_v<T, Time>) {
    append_json_string(out, to_rfc3339(value.at));
  } else if constexpr (std::is_same_v<T, MicroTime>) {
    append_json_string(out, to_rfc3339_micro(value.at));
  } else if constexpr (std::is_same_v<T, IntOrString>) {
    value.is_text() ? append_json(out, value.text()) : append_json(out, value.number());
  } else if constexpr (kIsOpt<T>) {
    value ? append_json(out, *value) : void(out += "null");
  } else if constexpr (kIsList<T>) {
    out += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      append_json(out, value[i]);
    }
    out += ']';
  } else if constexpr (kIsMap<T>) {
    out += '{';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) out += ',';
      append_json_string(out, value.entries()[i].key);
      out += ':';
      append_json(out, value.entries()[i].value);
    }
    out += '}';
  } else {
    append_object(out, value);
  }
}

// Whether both would be written alike.
template <class T>
bool is_same(const T& a, const T& b);

template <Described T>
bool is_same_object(const T& a, const T& b) {
  bool same = true;
  for_each_field<T>([&](auto member, const Field& field) {
    if (!same) return;
    const bool left_out = is_left_out(a.*member, field);
    same = left_out == is_left_out(b.*member, field) && (left_out || is_same(a.*member, b.*member));
  });
  return same;
}

template <class T>
bool is_same(const T& a, const T& b) {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return a == b;
  } else if constexpr (std::is_same_v<T, Text>) {
    return a.view() == b.view();
  } else if constexpr (kIsOpt<T>) {
    return a.has_value() == b.has_value() && (!a || is_same(*a, *b));
  } else if constexpr (kIsList<T>) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), is_same<typename T::value_type>);
  } else if constexpr (kIsMap<T>) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
      return x.key == y.key && is_same(x.value, y.value);
    });
  } else if constexpr (std::is_same_v<T, Time>) {
    return a.at == b.at || to_rfc3339(a.at) == to_rfc3339(b.at);
  } else if constexpr (Described<T>) {
    return is_same_object(a, b);
  } else {
    std::string left, right;
    append_json(left, a);
    append_json(right, b);
    return left == right;
  }
}

}  // namespace internal

// Whether to_json_text() of both is the same, for a small part of its price.
template <class T>
bool same_json_text(const T& a, const T& b) {
  return internal::is_same(a, b);
}

// Any described struct, or a list or map of them.
template <class T>
std::string to_json_text(const T& value) {
  std::string out;
  internal::append_json(out, value);
  return out;
}

// A whole object, with its apiVersion and kind.
template <KindStruct T>
std::string object_to_json_text(const T& object) {
  std::string out = R"({"apiVersion":)";
  const KindTable& kind = kKind<T>;
  append_json_string(out, kind.group.empty() ? std::string(kind.version)
                                             : fmt::format("{}/{}", kind.group, kind.version));
  out += R"(,"kind":)";
  append_json_string(out, kind.kind);
  const std::string members = to_json_text(object);
  if (members.size() > 2) out += ',';
  out.append(members, 1);
  return out;
}

// The same of a kind that is known at run time only.
std::string object_to_json_text(const SnapshotPtr& object);

}  // namespace troupe::k8s
