// The types that members of API structs have.
//
// All are views: a decoded object's point into its snapshot's one allocation (snapshot.hpp), those
// of an object built in memory at literals or into an Arena (arena.hpp). They own nothing, copy
// like pointers and are trivially copyable, so copying a struct never allocates; whoever keeps one
// keeps what it points at. An absent text, list, map or raw part is an empty one, as in Kubernetes'
// own `omitempty`; numbers and flags whose absence means something are Opt.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::k8s {

// Views are 12 bytes, not 16: they are most of what a snapshot of 100,000 objects consists of.
#define TROUPE_COMPACT [[gnu::packed, gnu::aligned(4)]]

// A string that somebody else keeps. Made from literals and string_views only: a std::string goes
// through an Arena, or it would dangle.
class TROUPE_COMPACT Text {
 public:
  constexpr Text() = default;
  constexpr Text(std::string_view view)  // NOLINT: implicit on purpose
      : data_(view.data()), size_(static_cast<std::uint32_t>(view.size())) {}
  constexpr Text(const char* literal) : Text(std::string_view(literal)) {}  // NOLINT

  constexpr operator std::string_view() const { return {data_, size_}; }  // NOLINT
  constexpr std::string_view view() const { return {data_, size_}; }
  constexpr const char* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  std::string str() const { return std::string(view()); }

  template <std::convertible_to<std::string_view> S>
  friend constexpr bool operator==(const Text& a, const S& b) {
    return a.view() == std::string_view(b);
  }
  template <std::convertible_to<std::string_view> S>
  friend constexpr std::strong_ordering operator<=>(const Text& a, const S& b) {
    return a.view() <=> std::string_view(b);
  }
  friend std::ostream& operator<<(std::ostream& out, const Text& text);

 private:
  const char* data_ = nullptr;
  std::uint32_t size_ = 0;
};
static_assert(sizeof(Text) == 12 && alignof(Text) == 4);

// A sequence that somebody else keeps.
template <class T>
class TROUPE_COMPACT List {
 public:
  using value_type = T;
  using const_iterator = const T*;

  constexpr List() = default;
  constexpr List(std::span<const T> items)  // NOLINT: implicit on purpose
      : items_(items.data()), size_(static_cast<std::uint32_t>(items.size())) {}

  constexpr const T* begin() const { return items_; }
  constexpr const T* end() const { return items_ + size_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T& operator[](std::size_t i) const { return items_[i]; }
  constexpr const T& front() const { return items_[0]; }
  constexpr const T& back() const { return items_[size_ - 1]; }
  constexpr std::span<const T> span() const { return {items_, size_}; }

  // The first item for which `member` holds `value`, or null: pod->spec.containers.find(
  // &Container::name, "mysql").
  template <class Member, class Value>
  constexpr const T* find(Member member, const Value& value) const {
    const T* found = std::find_if(
        begin(), end(), [&](const T& item) { return std::invoke(member, item) == value; });
    return found == end() ? nullptr : found;
  }

  friend constexpr bool operator==(const List& a, const List& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  const T* items_ = nullptr;
  std::uint32_t size_ = 0;
};

// A JSON object with keys of its users' choice, sorted by key.
template <class T>
class Map {
 public:
  struct Entry {
    Text key;
    T value;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  constexpr Map() = default;
  // `sorted`: ascending by key, each key once. Arena::map() and the decoder make such.
  constexpr explicit Map(List<Entry> sorted) : entries_(sorted) {}

  constexpr const Entry* begin() const { return entries_.begin(); }
  constexpr const Entry* end() const { return entries_.end(); }
  constexpr std::size_t size() const { return entries_.size(); }
  constexpr bool empty() const { return entries_.empty(); }
  constexpr List<Entry> entries() const { return entries_; }

  constexpr const T* find(std::string_view key) const {
    const Entry* at = std::lower_bound(
        begin(), end(), key, [](const Entry& e, std::string_view k) { return e.key.view() < k; });
    return at != end() && at->key == key ? &at->value : nullptr;
  }
  constexpr bool contains(std::string_view key) const { return find(key) != nullptr; }
  // The value of `key`, or an empty one.
  constexpr T get(std::string_view key) const {
    const T* found = find(key);
    return found ? *found : T{};
  }

  friend constexpr bool operator==(const Map&, const Map&) = default;

 private:
  List<Entry> entries_;
};
using TextMap = Map<Text>;

// A member whose absence means something.
template <class T>
using Opt = std::optional<T>;

// JSON that Troupe passes through untouched: the exact text of one value, empty if absent. At least
// 64 readable bytes follow it, so that simdjson can read it again where it lies.
class Raw {
 public:
  constexpr Raw() = default;
  // `padded_json` must be followed by 64 readable bytes; Arena::raw() sees to that.
  static constexpr Raw from_padded(std::string_view padded_json) { return Raw(padded_json); }

  constexpr std::string_view text() const { return text_; }
  constexpr bool empty() const { return text_.empty(); }
  // Equality of the text, not of the value.
  friend constexpr bool operator==(const Raw& a, const Raw& b) { return a.text_ == b.text_; }

 private:
  constexpr explicit Raw(std::string_view text) : text_(text) {}
  Text text_;
};
inline constexpr std::size_t kRawPadding = 64;  // what simdjson may read past the end

// Version of an object within one resource: ordered, as Kubernetes guarantees since 1.35; never
// compared between resources. 0 is "none".
struct ResourceVersion {
  std::uint64_t value = 0;
  constexpr explicit operator bool() const { return value != 0; }
  friend constexpr auto operator<=>(const ResourceVersion&, const ResourceVersion&) = default;
};
Result<ResourceVersion> parse_resource_version(std::string_view text);

// metav1.Time: RFC 3339 with seconds. The epoch stands for "absent".
struct Time {
  WallTime at{};
  constexpr explicit operator bool() const { return at != WallTime{}; }
  friend constexpr auto operator<=>(const Time&, const Time&) = default;
};

// metav1.MicroTime: RFC 3339 with six digits of fraction, as Leases and Events use it.
struct MicroTime {
  WallTime at{};
  constexpr explicit operator bool() const { return at != WallTime{}; }
  friend constexpr auto operator<=>(const MicroTime&, const MicroTime&) = default;
};

// RFC 3339 with any offset and fraction; digits past microseconds are cut.
Result<WallTime> parse_rfc3339(std::string_view text);

// A value that the API writes as a number or as a text ("8080" or "http", 1 or "25%").
class IntOrString {
 public:
  constexpr IntOrString() = default;
  constexpr IntOrString(std::int32_t number) : number_(number) {}       // NOLINT
  constexpr IntOrString(Text text) : text_(text), is_text_(true) {}     // NOLINT
  constexpr IntOrString(const char* text) : IntOrString(Text(text)) {}  // NOLINT

  constexpr bool is_text() const { return is_text_; }
  constexpr std::int32_t number() const { return number_; }
  constexpr Text text() const { return text_; }
  friend constexpr bool operator==(const IntOrString&, const IntOrString&) = default;

 private:
  friend struct Relocation;
  Text text_;
  std::int32_t number_ = 0;
  bool is_text_ = false;
};

// An amount as Kubernetes writes it ("500m", "4Gi", 1e3), kept as it was written; equal only to the
// same spelling. Amounts compare as Amount.
struct Quantity {
  Text text;
  constexpr bool empty() const { return text.empty(); }
  friend constexpr bool operator==(const Quantity&, const Quantity&) = default;
};

// The value of a Quantity, exact to the billionth, rounded up below that as Kubernetes does.
class Amount {
 public:
  constexpr Amount() = default;
  static Result<Amount> parse(std::string_view text);

  // Rounded up to whole units; saturates at the ends of the range.
  std::int64_t value() const;
  // Rounded up to thousandths (CPU shares).
  std::int64_t milli() const;
  friend constexpr auto operator<=>(const Amount&, const Amount&) = default;

 private:
  __extension__ using Nanos = __int128;
  constexpr explicit Amount(Nanos nanos) : nanos_(nanos) {}
  std::int64_t rounded_up(std::int64_t nanos_a_unit) const;
  Nanos nanos_ = 0;
};

#undef TROUPE_COMPACT

}  // namespace troupe::k8s

template <>
struct fmt::formatter<troupe::k8s::Text> : fmt::formatter<std::string_view> {
  auto format(const troupe::k8s::Text& text, fmt::format_context& context) const {
    return fmt::formatter<std::string_view>::format(text.view(), context);
  }
};
