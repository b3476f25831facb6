#include "k8s/sim/api/cel_value.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "k8s/sim/api/base64.hpp"

namespace troupe::sim::cel {

namespace json = boost::json;

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

// Position of two numbers of any of the three numeric types.
std::optional<std::partial_ordering> compare_numbers(const Value& a, const Value& b) {
  const auto as_double = [](const Value& v) -> std::optional<double> {
    if (const auto* i = v.as<std::int64_t>()) return static_cast<double>(*i);
    if (const auto* u = v.as<std::uint64_t>()) return static_cast<double>(*u);
    if (const auto* d = v.as<double>()) return *d;
    return std::nullopt;
  };
  if (a.as<std::int64_t>() && b.as<std::int64_t>()) {
    return *a.as<std::int64_t>() <=> *b.as<std::int64_t>();
  }
  if (a.as<std::uint64_t>() && b.as<std::uint64_t>()) {
    return *a.as<std::uint64_t>() <=> *b.as<std::uint64_t>();
  }
  if (a.as<std::int64_t>() && b.as<std::uint64_t>()) {
    if (*a.as<std::int64_t>() < 0) return std::partial_ordering::less;
    return static_cast<std::uint64_t>(*a.as<std::int64_t>()) <=> *b.as<std::uint64_t>();
  }
  if (a.as<std::uint64_t>() && b.as<std::int64_t>()) {
    if (*b.as<std::int64_t>() < 0) return std::partial_ordering::greater;
    return *a.as<std::uint64_t>() <=> static_cast<std::uint64_t>(*b.as<std::int64_t>());
  }
  const auto x = as_double(a);
  const auto y = as_double(b);
  if (!x || !y) return std::nullopt;
  return *x <=> *y;
}

template <class T>
std::optional<std::partial_ordering> compare_as(const Value& a, const Value& b) {
  const auto* x = a.as<T>();
  const auto* y = b.as<T>();
  if (!x || !y) return std::nullopt;
  return *x <=> *y;
}

bool lists_equal(const List& a, const List& b) {
  if (a.size() != b.size()) return false;
  if (!a.unordered() && !b.unordered()) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!equals(a.at(i), b.at(i))) return false;
    }
    return true;
  }
  std::vector<Value> rest;
  for (std::size_t i = 0; i < b.size(); ++i) rest.push_back(b.at(i));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto item = a.at(i);
    const auto it = std::ranges::find_if(rest, [&](const Value& v) { return equals(item, v); });
    if (it == rest.end()) return false;
    rest.erase(it);
  }
  return true;
}

bool maps_equal(const Map& a, const Map& b) {
  if (a.size() != b.size()) return false;
  return std::ranges::all_of(a.keys(), [&](const Value& key) {
    const auto other = b.find(key);
    return other && equals(*a.find(key), *other);
  });
}

Value number_from_json(const json::value& value, const Type& type) {
  if (type.kind == Kind::Double) return value.to_number<double>();
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return value.get_uint64();
  const auto number = value.get_double();
  if (type.kind == Kind::Int && std::trunc(number) == number && std::fabs(number) < 9e18) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

Value string_from_json(std::string_view text, const Type& type) {
  switch (type.kind) {
    case Kind::Timestamp: {
      auto instant = parse_rfc3339(text);
      if (!instant) instant = parse_date(text);
      return instant ? Value(*instant) : fail(fmt::format("invalid timestamp: {}", text));
    }
    case Kind::Duration: {
      const auto duration = parse_go_duration(text);
      return duration ? Value(*duration) : fail(fmt::format("invalid duration: {}", text));
    }
    case Kind::Bytes: {
      auto bytes = base64_decode(text);
      return bytes ? Value(Bytes{std::move(*bytes)}) : fail("invalid base64 in bytes");
    }
    default:
      return std::string(text);
  }
}

}  // namespace

std::size_t List::size() const { return json_ ? json_->size() : items_->size(); }

Value List::at(std::size_t i) const {
  return json_ ? from_json((*json_)[i], element_) : (*items_)[i];
}

std::size_t Map::size() const { return json_ ? json_->size() : entries_->size(); }

std::optional<Value> Map::find(const Value& key) const {
  if (json_) {
    const auto* name = key.as<std::string>();
    if (!name) return std::nullopt;
    return find_field(*name);
  }
  for (const auto& [k, v] : *entries_) {
    if (equals(k, key)) return v;
  }
  return std::nullopt;
}

std::optional<Value> Map::find_field(std::string_view name) const {
  if (!json_) return find(Value(std::string(name)));
  const auto* value = json_->if_contains(name);
  if (!value) return std::nullopt;
  if (type_->kind == Kind::Map) return from_json(*value, type_->element);
  if (type_->kind == Kind::Object) {
    const auto it = type_->fields.find(escape_property(name));
    if (it == type_->fields.end()) return std::nullopt;
    return from_json(*value, it->second);
  }
  return from_json(*value, simple(Kind::Dyn));
}

std::vector<Value> Map::keys() const {
  std::vector<Value> out;
  if (json_) {
    for (const auto& member : *json_) out.emplace_back(std::string(member.key()));
  } else {
    for (const auto& entry : *entries_) out.push_back(entry.first);
  }
  return out;
}

Kind kind_of(const Value& value) {
  static constexpr Kind kKinds[] = {Kind::Null,     Kind::Bool,   Kind::Int,        Kind::Uint,
                                    Kind::Double,   Kind::String, Kind::Bytes,      Kind::Timestamp,
                                    Kind::Duration, Kind::List,   Kind::Map,        Kind::Optional,
                                    Kind::Quantity, Kind::Url,    Kind::TypeOfType, Kind::Dyn};
  return kKinds[value.index()];
}

Value from_json(const json::value& value, const TypePtr& type) {
  switch (value.kind()) {
    case json::kind::null:
      return Value();
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return number_from_json(value, *type);
    case json::kind::string:
      return string_from_json(value.get_string(), *type);
    case json::kind::array:
      return List(value.get_array(), type->kind == Kind::List ? type->element : simple(Kind::Dyn),
                  type->unordered);
    case json::kind::object: {
      const bool typed = type->kind == Kind::Map || type->kind == Kind::Object;
      return Map(value.get_object(), typed ? type : simple(Kind::Dyn));
    }
  }
  return Value();
}

json::value to_json(const Value& value) {
  return std::visit(
      Overloaded{
          [](std::monostate) { return json::value(); },
          [](bool v) { return json::value(v); },
          [](std::int64_t v) { return json::value(v); },
          [](std::uint64_t v) { return json::value(v); },
          [](double v) { return json::value(v); },
          [](const std::string& v) { return json::value(v); },
          [](const Bytes& v) { return json::value(v.data); },
          [](const Instant& v) { return json::value(to_text(v)); },
          [](std::chrono::nanoseconds v) { return json::value(to_text(v)); },
          [](const List& v) {
            json::array out;
            for (std::size_t i = 0; i < v.size(); ++i) out.push_back(to_json(v.at(i)));
            return json::value(std::move(out));
          },
          [](const Map& v) {
            json::object out;
            for (const auto& key : v.keys()) {
              const auto name = to_json(key);
              out[name.is_string() ? std::string(name.get_string()) : json::serialize(name)] =
                  to_json(*v.find(key));
            }
            return json::value(std::move(out));
          },
          [](const OptionalValue& v) { return v.value ? to_json(*v.value) : json::value(); },
          [](const Quantity& v) { return json::value(v.canonical()); },
          [](const Url& v) { return json::value(v.text); },
          [](const TypeName& v) { return json::value(v.name); },
          [](const Failure& v) { return json::value(v.message); },
      },
      static_cast<const Value::variant&>(value));
}

bool equals(const Value& a, const Value& b) {
  if (const auto order = compare_numbers(a, b)) return *order == std::partial_ordering::equivalent;
  if (a.index() != b.index()) return false;
  if (a.as<std::monostate>()) return true;
  if (const auto* list = a.as<List>()) return lists_equal(*list, *b.as<List>());
  if (const auto* map = a.as<Map>()) return maps_equal(*map, *b.as<Map>());
  if (const auto* url = a.as<Url>()) return *url == *b.as<Url>();
  if (const auto* type = a.as<TypeName>()) return *type == *b.as<TypeName>();
  if (const auto* optional = a.as<OptionalValue>()) {
    const auto& other = *b.as<OptionalValue>();
    if (!optional->value || !other.value) return !optional->value && !other.value;
    return equals(*optional->value, *other.value);
  }
  const auto order = compare(a, b);
  return order && *order == std::partial_ordering::equivalent;
}

std::optional<std::partial_ordering> compare(const Value& a, const Value& b) {
  if (const auto order = compare_numbers(a, b)) return order;
  if (a.index() != b.index()) return std::nullopt;
  if (const auto o = compare_as<bool>(a, b)) return o;
  if (const auto o = compare_as<std::string>(a, b)) return o;
  if (const auto o = compare_as<Bytes>(a, b)) return o;
  if (const auto o = compare_as<Instant>(a, b)) return o;
  if (const auto o = compare_as<std::chrono::nanoseconds>(a, b)) return o;
  return compare_as<Quantity>(a, b);
}

std::string to_text(const Instant& instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  auto text = fmt::format("{:%FT%T}",
                          fmt::gmtime(std::chrono::system_clock::to_time_t(
                              std::chrono::time_point_cast<std::chrono::microseconds>(seconds))));
  if (const auto rest = (instant - seconds).count(); rest != 0) {
    auto fraction = fmt::format("{:09}", rest);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += "." + fraction;
  }
  return text + "Z";
}

std::string to_text(std::chrono::nanoseconds duration) {
  return to_text(static_cast<double>(duration.count()) / 1e9) + "s";
}

std::string to_text(double number) {
  if (std::trunc(number) == number && std::fabs(number) < 1e15) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  return fmt::format("{}", number);
}

}  // namespace troupe::sim::cel
