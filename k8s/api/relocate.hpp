// Deep copies of API structs: how large what a struct points at is, and a copy of the struct whose
// parts all lie in memory of the caller's choice. Snapshots become one allocation by this.
//
// A sink gives the memory: `Text text(std::string_view)`, `Raw raw(std::string_view)` copy
// characters, `T* allocate<T>(n)` is uninitialized room. Arena is one, a snapshot's cursor another.
#pragma once

#include <boost/mp11/algorithm.hpp>
#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>

#include "k8s/api/describe.hpp"
#include "k8s/api/types.hpp"

namespace troupe::k8s {

// Bytes that the parts of a struct need. Objects are counted in steps of kPartAlignment.
struct Extent {
  std::size_t objects = 0;
  std::size_t characters = 0;
  bool has_raw = false;
};
inline constexpr std::size_t kPartAlignment = 8;

constexpr std::size_t aligned_size(std::size_t bytes) {
  return (bytes + kPartAlignment - 1) / kPartAlignment * kPartAlignment;
}

namespace internal {

template <class T>
inline constexpr bool kIsList = false;
template <class T>
inline constexpr bool kIsList<List<T>> = true;
template <class T>
inline constexpr bool kIsMap = false;
template <class T>
inline constexpr bool kIsMap<Map<T>> = true;
template <class T>
inline constexpr bool kIsOpt = false;
template <class T>
inline constexpr bool kIsOpt<std::optional<T>> = true;
template <class T>
concept EntryLike = requires(T t) {
  requires std::is_same_v<decltype(t.key), Text>;
  t.value;
}
&&!Described<T>;

// Numbers, flags, enums and times point at nothing.
template <class T>
inline constexpr bool kPlain =
    std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, ResourceVersion> ||
    std::is_same_v<T, Time> || std::is_same_v<T, MicroTime>;

}  // namespace internal

template <class T>
void measure(const T& value, Extent& extent) {
  static_assert(std::is_trivially_copyable_v<T>, "API structs hold views and plain values only");
  if constexpr (internal::kPlain<T>) {
  } else if constexpr (std::is_same_v<T, Text>) {
    extent.characters += value.size();
  } else if constexpr (std::is_same_v<T, Raw>) {
    extent.characters += value.text().size();
    extent.has_raw = extent.has_raw || !value.empty();
  } else if constexpr (std::is_same_v<T, Quantity>) {
    measure(value.text, extent);
  } else if constexpr (std::is_same_v<T, IntOrString>) {
    measure(value.text(), extent);
  } else if constexpr (internal::kIsList<T>) {
    using Item = std::remove_cvref_t<decltype(value[0])>;
    static_assert(alignof(Item) <= kPartAlignment);
    extent.objects += aligned_size(value.size() * sizeof(Item));
    if constexpr (!internal::kPlain<Item>) {
      for (const Item& item : value) measure(item, extent);
    }
  } else if constexpr (internal::kIsMap<T>) {
    measure(value.entries(), extent);
  } else if constexpr (internal::EntryLike<T>) {
    measure(value.key, extent);
    measure(value.value, extent);
  } else if constexpr (internal::kIsOpt<T>) {
    if (value) measure(*value, extent);
  } else {
    boost::mp11::mp_for_each<Members<T>>(
        [&](auto member) { measure(value.*member.pointer, extent); });
  }
}

template <class T, class Sink>
T relocated(const T& value, Sink& sink) {
  if constexpr (internal::kPlain<T>) {
    return value;
  } else if constexpr (std::is_same_v<T, Text>) {
    return sink.text(value);
  } else if constexpr (std::is_same_v<T, Raw>) {
    return value.empty() ? Raw() : sink.raw(value.text());
  } else if constexpr (std::is_same_v<T, Quantity>) {
    return Quantity{relocated(value.text, sink)};
  } else if constexpr (std::is_same_v<T, IntOrString>) {
    return value.is_text() ? IntOrString(relocated(value.text(), sink)) : value;
  } else if constexpr (internal::kIsList<T>) {
    using Item = std::remove_cvref_t<decltype(value[0])>;
    if (value.empty()) return T();
    Item* items = sink.template allocate<Item>(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) new (&items[i]) Item(relocated(value[i], sink));
    return std::span<const Item>(items, value.size());
  } else if constexpr (internal::kIsMap<T>) {
    return T(relocated(value.entries(), sink));
  } else if constexpr (internal::EntryLike<T>) {
    return T{relocated(value.key, sink), relocated(value.value, sink)};
  } else if constexpr (internal::kIsOpt<T>) {
    return value ? T(relocated(*value, sink)) : T();
  } else {
    T copy = value;
    boost::mp11::mp_for_each<Members<T>>(
        [&](auto member) { copy.*member.pointer = relocated(value.*member.pointer, sink); });
    return copy;
  }
}

}  // namespace troupe::k8s
