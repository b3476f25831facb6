// Decoder and encoder of a kind, made from its description. Included by the sources that define
// kinds, nobody else: simdjson is a large header.
//
//   template <>
//   const KindInfo& kind_info<UnitSet>() {
//     return internal::define_kind<UnitSet>();
//   }
//
// A document is first read into a struct whose texts point into the document (or into the parser's
// buffer where they hold escapes) and whose lists lie in a scratch arena; then snapshot_of() copies
// it into its one allocation. An error ends the read; the path of the member is put together on the
// way out.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <boost/json/fwd.hpp>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "k8s/api/arena.hpp"
#include "k8s/api/describe.hpp"
#include "k8s/api/encode.hpp"
#include "k8s/api/kind.hpp"
#include "k8s/api/openapi.hpp"
#include "k8s/api/snapshot.hpp"

namespace troupe::k8s::internal {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;

struct DecodeContext {
  Arena& scratch;
  std::string path;     // of the member that did not fit, innermost last
  std::string problem;  // what was expected there, if simdjson's word does not say it

  error_code reject(error_code code, std::string_view expected) {
    if (problem.empty()) problem = fmt::format("expected {}", expected);
    return code;
  }
  // Puts a step in front of the path.
  void inside(std::string_view step) {
    if (!path.empty() && path.front() != '[') path.insert(0, ".");
    path.insert(0, step);
  }
};

// What a kind's KindInfo points at.
struct Codec {
  error_code (*decode)(ondemand::value, DecodeContext&, SnapshotPtr&);
  boost::json::object (*schema)();
  std::string (*encode)(const Snapshot&);
};

// Grows in the scratch arena; what it outgrows stays there until the next document.
template <class T>
class ScratchList {
 public:
  explicit ScratchList(Arena& scratch) : scratch_(scratch) {}

  T& add() {
    if (size_ == capacity_) grow();
    return *new (&items_[size_++]) T{};
  }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  std::size_t size() const { return size_; }
  void shorten(T* new_end) { size_ = static_cast<std::size_t>(new_end - items_); }
  List<T> list() const { return std::span<const T>(items_, size_); }

 private:
  void grow() {
    capacity_ = capacity_ == 0 ? 4 : capacity_ * 2;
    T* larger = scratch_.allocate<T>(capacity_);
    if (size_ > 0) std::memcpy(static_cast<void*>(larger), items_, size_ * sizeof(T));
    items_ = larger;
  }

  Arena& scratch_;
  T* items_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// ---- Texts -------------------------------------------------------------------------------------

// Texts without escapes, nearly all, are used where they lie in the document: memchr finds out
// faster than copying them would be.
error_code read_text(ondemand::value& value, Text& out, DecodeContext& context);
error_code read_key(ondemand::field& field, Text& out);
error_code read_raw(ondemand::value& value, Raw& out);
error_code read_quantity(ondemand::value& value, Quantity& out, DecodeContext& context);
error_code read_int_or_string(ondemand::value& value, IntOrString& out, DecodeContext& context);
error_code read_time(ondemand::value& value, WallTime& out, DecodeContext& context);
error_code read_version(ondemand::value& value, ResourceVersion& out, DecodeContext& context);
error_code read_integer(ondemand::value& value, std::int64_t min, std::int64_t max,
                        std::int64_t& out, DecodeContext& context);

// ---- Values ------------------------------------------------------------------------------------

template <class T>
error_code read(ondemand::value value, T& out, DecodeContext& context);

template <class T>
error_code read_list(ondemand::value& value, List<T>& out, DecodeContext& context) {
  ondemand::array array;
  if (const error_code e = value.get_array().get(array)) return context.reject(e, "a list");
  ScratchList<T> items(context.scratch);
  for (auto each : array) {
    ondemand::value item;
    error_code e = std::move(each).get(item);
    if (!e) e = read(item, items.add(), context);
    if (e) {
      context.inside(fmt::format("[{}]", items.size() - 1));
      return e;
    }
  }
  out = items.list();
  return simdjson::SUCCESS;
}

template <class T>
error_code read_map(ondemand::value& value, Map<T>& out, std::string_view dropped_key,
                    DecodeContext& context) {
  using Entry = typename Map<T>::Entry;
  ondemand::object object;
  if (const error_code e = value.get_object().get(object)) return context.reject(e, "an object");
  ScratchList<Entry> entries(context.scratch);
  for (auto each : object) {
    ondemand::field field;
    if (const error_code e = std::move(each).get(field)) return e;
    Text key;
    if (const error_code e = read_key(field, key)) return e;
    if (!dropped_key.empty() && key == dropped_key) continue;
    Entry& entry = entries.add();
    entry.key = key;
    if (const error_code e = read(std::move(field).value(), entry.value, context)) {
      context.inside(fmt::format("[{}]", key));
      return e;
    }
  }
  const auto by_key = [](const Entry& a, const Entry& b) { return a.key < b.key; };
  const auto not_ascending = [](const Entry& a, const Entry& b) { return a.key >= b.key; };
  if (std::adjacent_find(entries.begin(), entries.end(), not_ascending) != entries.end()) {
    // An API server sorts; of a key that comes twice the last one counts, as in Go.
    std::reverse(entries.begin(), entries.end());
    std::stable_sort(entries.begin(), entries.end(), by_key);
    entries.shorten(std::unique(entries.begin(), entries.end(),
                                [](const Entry& a, const Entry& b) { return a.key == b.key; }));
  }
  out = Map<T>(entries.list());
  return simdjson::SUCCESS;
}

template <class E>
error_code read_enum(ondemand::value& value, E& out, DecodeContext& context) {
  Text text;
  if (const error_code e = read_text(value, text, context)) return e;
  if (const auto found = parse_enum<E>(text)) {
    out = *found;
    return simdjson::SUCCESS;
  }
  std::string known;
  for (const auto& each : enum_texts<E>()) {
    known += fmt::format("{}{}", known.empty() ? "" : ", ", each.text);
  }
  return context.reject(simdjson::INCORRECT_TYPE,
                        fmt::format("one of {}, found \"{}\"", known, text));
}

// Reads the member if the key is its name; then `done` holds the outcome.
template <class T, class Member>
bool try_member(const char* key, ondemand::field& field, T& out, DecodeContext& context,
                error_code& done) {
  constexpr const Field& row = field_of<T, Member>();
  constexpr std::size_t length = row.name.size();
  // `key` starts behind its quote, in a padded document: reading a whole name is safe.
  static_assert(length < kRawPadding);
  if (std::memcmp(key, Member::name, length) != 0 || key[length] != '"') return false;
  using Value = std::remove_cvref_t<decltype(out.*Member::pointer)>;
  Value& member = out.*Member::pointer;
  ondemand::value value = std::move(field).value();
  if constexpr (kIsMap<Value>) {
    bool null = false;
    done = value.is_null().get(null);
    if (!done && !null) done = read_map(value, member, row.dropped_key, context);
  } else {
    done = read(value, member, context);
  }
  if (done) context.inside(row.name);
  return true;
}

template <Described T>
error_code read_struct(ondemand::value& value, T& out, DecodeContext& context) {
  ondemand::object object;
  if (const error_code e = value.get_object().get(object)) return context.reject(e, "an object");
  for (auto each : object) {
    ondemand::field field;
    if (const error_code e = std::move(each).get(field)) return e;
    const char* key = field.key().raw();
    error_code done = simdjson::SUCCESS;
    [&]<template <class...> class List, class... Member>(List<Member...>) {
      (try_member<T, Member>(key, field, out, context, done) || ...);
    }(Members<T>{});
    if (done) return done;
  }
  return simdjson::SUCCESS;
}

template <class T>
error_code read(ondemand::value value, T& out, DecodeContext& context) {
  bool null = false;
  if (const error_code e = value.is_null().get(null)) return e;
  if (null) return simdjson::SUCCESS;  // as if it were not there
  if constexpr (std::is_same_v<T, bool>) {
    const error_code e = value.get_bool().get(out);
    return e ? context.reject(e, "true or false") : e;
  } else if constexpr (std::is_integral_v<T>) {
    std::int64_t number = 0;
    const error_code e = read_integer(value, std::numeric_limits<T>::min(),
                                      std::numeric_limits<T>::max(), number, context);
    out = static_cast<T>(number);
    return e;
  } else if constexpr (std::is_enum_v<T>) {
    return read_enum(value, out, context);
  } else if constexpr (std::is_same_v<T, Text>) {
    return read_text(value, out, context);
  } else if constexpr (std::is_same_v<T, Raw>) {
    return read_raw(value, out);
  } else if constexpr (std::is_same_v<T, Quantity>) {
    return read_quantity(value, out, context);
  } else if constexpr (std::is_same_v<T, IntOrString>) {
    return read_int_or_string(value, out, context);
  } else if constexpr (std::is_same_v<T, ResourceVersion>) {
    return read_version(value, out, context);
  } else if constexpr (std::is_same_v<T, Time> || std::is_same_v<T, MicroTime>) {
    return read_time(value, out.at, context);
  } else if constexpr (kIsOpt<T>) {
    return read(value, out.emplace(), context);
  } else if constexpr (kIsList<T>) {
    return read_list(value, out, context);
  } else if constexpr (kIsMap<T>) {
    return read_map(value, out, {}, context);
  } else {
    return read_struct(value, out, context);
  }
}

// ---- Kinds -------------------------------------------------------------------------------------

template <KindStruct T>
error_code decode_object(ondemand::value value, DecodeContext& context, SnapshotPtr& out) {
  T object{};
  error_code e = read_struct(value, object, context);
  if (!e && object.metadata.name.empty()) {
    context.path = "metadata.name";
    e = context.reject(simdjson::NO_SUCH_FIELD, "a name");
  }
  if (e) {
    const ObjectMeta& meta = object.metadata;
    context.path =
        fmt::format("{} {}/{}: {}", kKind<T>.kind, meta.namespace_, meta.name, context.path);
    return e;
  }
  out = snapshot_of(object).snapshot();
  return simdjson::SUCCESS;
}

template <KindStruct T>
std::string encode_object(const Snapshot& snapshot) {
  return object_to_json_text(*as<T>(SnapshotPtr(&snapshot)));
}

// A link of the list that find_kind() walks; it grows and never shrinks.
struct KnownKind {
  explicit KnownKind(const KindInfo& known);
  const KindInfo& info;
  const KnownKind* next = nullptr;
};

template <KindStruct T>
const KindInfo& define_kind() {
  static constexpr Codec codec{&decode_object<T>, &object_schema<T>, &encode_object<T>};
  static constexpr KindInfo info{kKindId<T>, kKind<T>, codec};
  static const KnownKind known(info);
  return known.info;
}

}  // namespace troupe::k8s::internal
