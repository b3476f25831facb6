// Plain structs as JSON and back, by what Boost.Describe knows of them: what journals are made of
// (actors/journal/).
//
//   struct Reading { TimePoint at; std::optional<int> value; };
//   BOOST_DESCRIBE_STRUCT(Reading, (), (at, value))
//   ...
//   auto text = boost::json::serialize(described_json(reading, veil));
//
// Members that are missing keep their defaults, unknown ones are skipped, so that an older
// program's JSON can still be read. Times are nanoseconds (wall times microseconds) since their
// clock's zero. A variant is [name of the alternative, value]; an enum its enumerator's name; a map
// whose keys are no texts a list of pairs. An empty struct needs no description; one of which a
// member was forgotten does not compile. Pure; included by few sources, it is heavy.
#pragma once

#include <fmt/format.h>

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/pfr/tuple_size.hpp>
#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"
#include "runtime/model/trace.hpp"

namespace troupe {

BOOST_DESCRIBE_ENUM(Code, Retry, Timeout, Conflict, NotFound, Exists, Denied, Invalid, Stale, Fatal)
BOOST_DESCRIBE_STRUCT(Error, (), (code, message))
BOOST_DESCRIBE_STRUCT(Guard, (), (rule, text, since))

// What stands for a secret; reading gives a Secret that holds just this.
using Veil = std::function<std::string(const Secret&)>;

// Specialized for a type that is written as one text:
//   static std::string write(const T&);
//   static Result<T> read(std::string_view);
template <class T>
struct TextForm;

namespace described {

namespace json = boost::json;

template <class T>
concept HasTextForm = requires(const T& value) {
  { TextForm<T>::write(value) } -> std::same_as<std::string>;
};
template <class T>
concept Struct = boost::describe::has_describe_members<T>::value && !HasTextForm<T>;
template <class E>
concept Enum = std::is_enum_v<E> && boost::describe::has_describe_enumerators<E>::value;

template <class T, template <class...> class Template>
inline constexpr bool kIs = false;
template <template <class...> class Template, class... Args>
inline constexpr bool kIs<Template<Args...>, Template> = true;

template <Struct T>
using Members = boost::describe::describe_members<T, boost::describe::mod_any_access>;

// Whether the description has all that an aggregate has; of a class nobody can tell.
template <Struct T>
consteval bool has_all_members() {
  if constexpr (std::is_aggregate_v<T>)
    return boost::mp11::mp_size<Members<T>>::value == boost::pfr::tuple_size_v<T>;
  else
    return true;
}

// The name of a described struct as it is written in its source, without namespaces.
template <class T>
std::string name_of() {
  std::string_view name = __PRETTY_FUNCTION__;
  name = name.substr(name.find("T = ") + 4);
  name = name.substr(0, name.find_first_of(";]"));
  return std::string(name.substr(name.rfind(':') + 1));
}

// What is wrong, on the way to it: thrown and caught in here.
struct Misfit {
  std::string path;
  std::string what;
};
[[noreturn]] inline void misfit(std::string what) { throw Misfit{{}, std::move(what)}; }

template <class T>
json::value write(const T& value, const Veil& veil);
template <class T>
void read(const json::value& from, T& to);

template <class Map>
json::value write_map(const Map& map, const Veil& veil) {
  if constexpr (std::is_same_v<typename Map::key_type, std::string>) {
    json::object out;
    for (const auto& [key, value] : map) out[key] = write(value, veil);
    return out;
  } else {
    json::array out;
    for (const auto& [key, value] : map)
      out.push_back(json::array{write(key, veil), write(value, veil)});
    return out;
  }
}

template <class T>
json::value write(const T& value, const Veil& veil) {
  if constexpr (std::is_same_v<T, Secret>) {
    return value.empty() ? json::value("") : json::value(veil(value));
  } else if constexpr (HasTextForm<T>) {
    return json::value(TextForm<T>::write(value));
  } else if constexpr (std::is_same_v<T, bool> || std::is_floating_point_v<T>) {
    return value;
  } else if constexpr (std::is_unsigned_v<T>) {
    return static_cast<std::uint64_t>(value);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<std::int64_t>(value);
  } else if constexpr (Enum<T>) {
    return json::value(boost::describe::enum_to_string(value, "?"));
  } else if constexpr (std::is_same_v<T, TimePoint> || std::is_same_v<T, WallTime>) {
    return static_cast<std::int64_t>(value.time_since_epoch().count());
  } else if constexpr (std::is_same_v<T, Duration>) {
    return static_cast<std::int64_t>(value.count());
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return json::value(std::string_view(value));
  } else if constexpr (kIs<T, std::optional> || kIs<T, std::shared_ptr>) {
    return value ? write(*value, veil) : json::value(nullptr);
  } else if constexpr (kIs<T, std::vector>) {
    json::array out;
    for (const auto& each : value) out.push_back(write(each, veil));
    return out;
  } else if constexpr (kIs<T, std::map>) {
    return write_map(value, veil);
  } else if constexpr (kIs<T, std::variant>) {
    return std::visit(
        [&](const auto& each) -> json::value {
          return json::array{name_of<std::remove_cvref_t<decltype(each)>>(), write(each, veil)};
        },
        value);
  } else if constexpr (std::is_empty_v<T>) {
    return json::object();
  } else {
    static_assert(Struct<T>, "describe this type, or give it a TextForm");
    static_assert(has_all_members<T>(), "a member is missing in the description");
    json::object out;
    boost::mp11::mp_for_each<Members<T>>(
        [&](auto member) { out[member.name] = write(value.*member.pointer, veil); });
    return out;
  }
}

template <class T>
void read_number(const json::value& from, T& to) {
  boost::system::error_code ec;
  to = from.to_number<T>(ec);
  if (ec) misfit("expected a number that fits");
}

inline std::string_view text_of(const json::value& from) {
  if (!from.is_string()) misfit("expected a text");
  return from.get_string();
}

inline const json::array& list_of(const json::value& from) {
  if (!from.is_array()) misfit("expected a list");
  return from.get_array();
}

template <class T>
void read_member(std::string_view name, const json::value& from, T& to) {
  try {
    read(from, to);
  } catch (Misfit& m) {
    m.path = m.path.empty() ? std::string(name) : fmt::format("{}.{}", name, m.path);
    throw;
  }
}

template <class Map>
void read_map(const json::value& from, Map& to) {
  to.clear();
  if constexpr (std::is_same_v<typename Map::key_type, std::string>) {
    if (!from.is_object()) misfit("expected an object");
    for (const auto& each : from.get_object())
      read_member(each.key(), each.value(), to[std::string(each.key())]);
  } else {
    for (const auto& each : list_of(from)) {
      const auto& pair = list_of(each);
      if (pair.size() != 2) misfit("expected a pair");
      typename Map::key_type key{};
      read(pair[0], key);
      read(pair[1], to[std::move(key)]);
    }
  }
}

template <class... Alternatives>
void read_variant(const json::value& from, std::variant<Alternatives...>& to) {
  const auto& pair = list_of(from);
  if (pair.size() != 2) misfit("expected a name and a value");
  const auto name = text_of(pair[0]);
  const auto try_one = [&]<class T>(std::type_identity<T>) {
    if (name_of<T>() != name) return false;
    read_member(name, pair[1], to.template emplace<T>());
    return true;
  };
  if (!(try_one(std::type_identity<Alternatives>{}) || ...))
    misfit(fmt::format("there is no alternative {}", name));
}

template <class T>
void read(const json::value& from, T& to) {
  if constexpr (std::is_same_v<T, Secret>) {
    to = Secret(std::string(text_of(from)));
  } else if constexpr (HasTextForm<T>) {
    auto value = TextForm<T>::read(text_of(from));
    if (!value) misfit(value.error().message);
    to = std::move(*value);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!from.is_bool()) misfit("expected true or false");
    to = from.get_bool();
  } else if constexpr (std::is_arithmetic_v<T>) {
    read_number(from, to);
  } else if constexpr (Enum<T>) {
    const std::string name(text_of(from));
    if (!boost::describe::enum_from_string(name.c_str(), to))
      misfit(fmt::format("there is no value {}", name));
  } else if constexpr (std::is_same_v<T, TimePoint> || std::is_same_v<T, WallTime>) {
    typename T::rep count{};
    read_number(from, count);
    to = T(typename T::duration(count));
  } else if constexpr (std::is_same_v<T, Duration>) {
    typename T::rep count{};
    read_number(from, count);
    to = T(count);
  } else if constexpr (std::is_same_v<T, std::string>) {
    to = text_of(from);
  } else if constexpr (kIs<T, std::optional>) {
    if (from.is_null()) return to.reset();
    read(from, to.emplace());
  } else if constexpr (kIs<T, std::shared_ptr>) {
    if (from.is_null()) return to.reset();
    auto made = std::make_shared<std::remove_const_t<typename T::element_type>>();
    read(from, *made);
    to = std::move(made);
  } else if constexpr (kIs<T, std::vector>) {
    to.clear();
    for (const auto& each : list_of(from)) read(each, to.emplace_back());
  } else if constexpr (kIs<T, std::map>) {
    read_map(from, to);
  } else if constexpr (kIs<T, std::variant>) {
    read_variant(from, to);
  } else if constexpr (std::is_empty_v<T>) {
    if (!from.is_object()) misfit("expected an object");
  } else {
    static_assert(Struct<T>, "describe this type, or give it a TextForm");
    if (!from.is_object()) misfit("expected an object");
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      if (const auto* found = from.get_object().if_contains(member.name))
        read_member(member.name, *found, to.*member.pointer);
    });
  }
}

}  // namespace described

template <class T>
boost::json::value described_json(const T& value, const Veil& veil) {
  return described::write(value, veil);
}

// Code::Invalid, with the path to what does not fit.
template <class T>
Result<T> from_described_json(const boost::json::value& from) {
  try {
    T out{};
    described::read(from, out);
    return out;
  } catch (const described::Misfit& m) {
    return error(Code::Invalid, m.path.empty() ? m.what : fmt::format("{}: {}", m.path, m.what));
  }
}

}  // namespace troupe
