// How an API struct says its rules: Boost.Describe gives names and types of its members, a Schema
// beside it gives documentation, rules and list keys, a member's initializer is its default.
//
//   struct StorageSpec {
//     Text name;
//     Text mountPath;
//   };
//   BOOST_DESCRIBE_STRUCT(StorageSpec, (), (name, mountPath))
//   template <>
//   struct Schema<StorageSpec> {
//     static constexpr std::string_view kDoc = "A volume of every Unit.";
//     static constexpr Field kFields[] = {
//         {.name = "name", .doc = "Name of the volume.", .required = true, .min_length = 1},
//         {.name = "mountPath", .doc = "Path in the containers.", .required = true},
//     };
//   };
//
// Members bear their JSON names; a trailing `_` is dropped (template_ is "template"). A member
// without a row, or a row without a member, does not compile. From this come the decoder
// (decode.hpp), the encoder (encode.hpp) and the CRD (crd.hpp).
#pragma once

#include <array>
#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "k8s/api/types.hpp"

namespace troupe::k8s {

// Up to N constants in a row of a table.
template <class T, std::size_t N>
class Few {
 public:
  constexpr Few() = default;
  constexpr Few(std::initializer_list<T> items) {
    if (items.size() > N) throw std::length_error("more entries than this row has room for");
    for (const T& item : items) items_[size_++] = item;
  }
  constexpr const T* begin() const { return items_.data(); }
  constexpr const T* end() const { return items_.data() + size_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }

 private:
  std::array<T, N> items_{};
  std::size_t size_ = 0;
};

// A CEL rule. The message says what to do.
struct Rule {
  std::string_view expression;
  std::string_view message;
};

// How server-side apply merges a list.
enum class ListType : std::uint8_t { Atomic, Set, Map };

// What a Raw member may hold. A PodTemplate is an object whose spec.containers have names.
enum class RawShape : std::uint8_t { Object, PodTemplate, Any };

// One row: what a member's name and type do not say.
struct Field {
  std::string_view name;
  std::string_view doc;
  bool required = false;
  bool defaulted = false;  // the API server fills in the member's initializer
  bool omit_zero = false;  // a number 0 or a flag false is left out of what we write
  bool nullable = false;
  std::optional<std::int64_t> minimum, maximum;
  std::optional<std::uint32_t> min_length, max_length;  // of a text
  std::optional<std::uint32_t> min_items, max_items;    // of a list or map
  std::string_view pattern;                             // RE2, of a text
  std::string_view format;                              // OpenAPI format, of a text
  ListType list = ListType::Atomic;
  Few<std::string_view, 3> keys;  // of ListType::Map
  std::string_view dropped_key;   // of a map: an entry that the decoder does not keep
  RawShape raw = RawShape::Object;
  Few<Rule, 4> rules;
};

// Specialized beside each struct: kDoc, kFields, and where needed
// `static constexpr Rule kRules[]` (over the whole struct) and
// `static constexpr bool kPreserveUnknown = true` (fields that it does not name are kept).
template <class T>
struct Schema;

// Texts of an enum whose JSON names are not its enumerators' names:
//   template <> inline constexpr std::array kEnumTexts<Mode> = {
//       EnumText{Mode::Async, "rpl_async"}, ...};
template <class E>
struct EnumText {
  E value;
  std::string_view text;
};
template <class E>
EnumText(E, std::string_view) -> EnumText<E>;
template <class E>
EnumText(E, const char*) -> EnumText<E>;
template <class E>
inline constexpr auto kEnumTexts = std::array<EnumText<E>, 0>{};

enum class Scope : std::uint8_t { Namespaced, Cluster };

// A column of `kubectl get`. Priority 1 shows with -o wide only.
struct Column {
  std::string_view name;
  std::string_view type;
  std::string_view path;
  int priority = 0;
  std::string_view doc;
};

struct Scale {
  std::string_view spec_replicas;    // ".spec.units"
  std::string_view status_replicas;  // ".status.units"
};

// Name and surface of a kind. The rows from `categories` on matter only to kinds whose CRD is ours.
struct KindTable {
  std::string_view group;  // empty for the core group
  std::string_view version;
  std::string_view kind;
  std::string_view plural;
  std::string_view singular;
  Scope scope = Scope::Namespaced;
  bool sensitive = false;  // snapshots are wiped when they are freed
  Few<std::string_view, 3> short_names;
  Few<std::string_view, 3> categories;
  bool status = false;  // has the status subresource
  std::optional<Scale> scale;
  Few<Column, 12> columns;
};

// Specialized for every struct that is a kind: template <> inline constexpr KindTable
// kKind<UnitSet> = {...}. Its first member is `ObjectMeta metadata`.
template <class T>
inline constexpr KindTable kKind = {};

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && std::is_class_v<T>;

template <class T>
concept KindStruct = Described<T> && !kKind<T>.kind.empty();

// ---- Reading the tables ------------------------------------------------------------------------

template <Described T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public>;

// The JSON name of a described member.
constexpr std::string_view json_name(std::string_view member) {
  if (member.ends_with('_')) member.remove_suffix(1);
  return member;
}

namespace internal {

// A text that can be a template argument, so that a failed check names the member.
template <std::size_t N>
struct Name {
  char text[N + 1] = {};
  consteval explicit Name(std::string_view from) { std::copy_n(from.data(), N, text); }
};

template <Described T>
consteval std::size_t row_of(std::string_view name) {
  std::size_t i = 0;
  for (const Field& field : Schema<T>::kFields) {
    if (field.name == name) return i;
    ++i;
  }
  return std::numeric_limits<std::size_t>::max();
}

template <Described T>
consteval bool has_member(std::string_view name) {
  bool found = false;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    if (json_name(member.name) == name) found = true;
  });
  return found;
}

template <class Struct, Name kMember, std::size_t kRow>
struct RowOfMember {
  static_assert(kRow != std::numeric_limits<std::size_t>::max(),
                "this member has no row in Schema<Struct>::kFields");
  static constexpr std::size_t value = kRow;
};

template <class Struct, Name kRow, bool kFound>
struct MemberOfRow {
  static_assert(kFound, "this row of Schema<Struct>::kFields names no member of the struct");
  static constexpr bool value = kFound;
};

template <Described T, std::size_t... I>
consteval bool rows_have_members(std::index_sequence<I...>) {
  return (MemberOfRow<T, Name<Schema<T>::kFields[I].name.size()>(Schema<T>::kFields[I].name),
                      has_member<T>(Schema<T>::kFields[I].name)>::value &&
          ...);
}

}  // namespace internal

// The row of a member; `Member` is one of Members<T>. Does not compile without one.
template <Described T, class Member>
consteval const Field& field_of() {
  static_assert(
      internal::rows_have_members<T>(std::make_index_sequence<std::size(Schema<T>::kFields)>{}));
  constexpr std::string_view name = json_name(Member::name);
  constexpr std::size_t row =
      internal::RowOfMember<T, internal::Name<name.size()>(name), internal::row_of<T>(name)>::value;
  return Schema<T>::kFields[row];
}

// Calls visit(member pointer, row) for each member in order.
template <Described T, class Visitor>
constexpr void for_each_field(Visitor&& visit) {
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    using Member = decltype(member);
    visit(Member::pointer, field_of<T, Member>());
  });
}

// All values of an enum with their texts, in order.
template <class E>
requires std::is_enum_v<E>
constexpr auto enum_texts() {
  if constexpr (!kEnumTexts<E>.empty()) {
    return kEnumTexts<E>;
  } else {
    using Enumerators = boost::describe::describe_enumerators<E>;
    std::array<EnumText<E>, boost::mp11::mp_size<Enumerators>::value> texts{};
    std::size_t i = 0;
    boost::mp11::mp_for_each<Enumerators>([&](auto each) {
      texts[i++] = {each.value, std::string_view(each.name)};
    });
    return texts;
  }
}

// The text of an API enum, as JSON has it.
template <class E>
requires(boost::describe::has_describe_enumerators<E>::value ||
         !kEnumTexts<E>.empty()) constexpr std::string_view to_string(E value) {
  for (const auto& [each, text] : enum_texts<E>()) {
    if (each == value) return text;
  }
  return {};
}

template <class E>
requires std::is_enum_v<E>
constexpr std::optional<E> parse_enum(std::string_view text) {
  for (const auto& [value, name] : enum_texts<E>()) {
    if (name == text) return value;
  }
  return std::nullopt;
}

// Equality member by member, lists and maps by content: an unchanged status is not written.
template <Described T>
constexpr bool operator==(const T& a, const T& b) {
  bool equal = true;
  boost::mp11::mp_for_each<Members<T>>(
      [&](auto member) { equal = equal && a.*member.pointer == b.*member.pointer; });
  return equal;
}

}  // namespace troupe::k8s
