#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "k8s/sim/api/cel_signature.hpp"

namespace troupe::sim::cel {
namespace {

using namespace signature;
using std::chrono::nanoseconds;

template <class T>
std::optional<T> parse_integer(std::string_view source) {
  if (source.starts_with('+')) source.remove_prefix(1);
  T out{};
  const auto* end = source.data() + source.size();
  const auto parsed = std::from_chars(source.data(), end, out);
  if (source.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return out;
}

Value parse_double(const std::string& source) {
  char* end = nullptr;
  const double out = std::strtod(source.c_str(), &end);
  if (source.empty() || *end != '\0')
    return fail("type conversion error from 'string' to 'double'");
  return out;
}

// Half of the doubles do not fit; what is left is cut towards zero.
template <class T>
Value from_double(double number) {
  const double cut = std::trunc(number);
  const double limit = std::is_signed_v<T> ? 9223372036854775808.0 : 18446744073709551616.0;
  const double lowest = std::is_signed_v<T> ? -limit : 0.0;
  if (!(cut >= lowest && cut < limit)) return fail("integer overflow");
  return static_cast<T>(cut);
}

void add_to_int(Table& t) {
  const auto out = integer();
  add(t, "int", {integer()}, out, [](Arguments a) -> Value { return a[0]; });
  add(t, "int", {uint()}, out, [](Arguments a) -> Value {
    const auto n = get<std::uint64_t>(a[0]);
    if (n > static_cast<std::uint64_t>(INT64_MAX)) return fail("integer overflow");
    return static_cast<std::int64_t>(n);
  });
  add(t, "int", {number()}, out,
      [](Arguments a) -> Value { return from_double<std::int64_t>(get<double>(a[0])); });
  add(t, "int", {string()}, out, [](Arguments a) -> Value {
    const auto n = parse_integer<std::int64_t>(text(a[0]));
    return n ? Value(*n) : fail("type conversion error from 'string' to 'int'");
  });
  add(t, "int", {timestamp()}, out, [](Arguments a) -> Value {
    return static_cast<std::int64_t>(
        std::chrono::floor<std::chrono::seconds>(get<Instant>(a[0])).time_since_epoch().count());
  });
}

void add_to_uint(Table& t) {
  const auto out = uint();
  add(t, "uint", {uint()}, out, [](Arguments a) -> Value { return a[0]; });
  add(t, "uint", {integer()}, out, [](Arguments a) -> Value {
    const auto n = get<std::int64_t>(a[0]);
    if (n < 0) return fail("unsigned integer overflow");
    return static_cast<std::uint64_t>(n);
  });
  add(t, "uint", {number()}, out,
      [](Arguments a) -> Value { return from_double<std::uint64_t>(get<double>(a[0])); });
  add(t, "uint", {string()}, out, [](Arguments a) -> Value {
    const auto n = parse_integer<std::uint64_t>(text(a[0]));
    return n ? Value(*n) : fail("type conversion error from 'string' to 'uint'");
  });
}

void add_to_double(Table& t) {
  const auto out = number();
  add(t, "double", {number()}, out, [](Arguments a) -> Value { return a[0]; });
  add(t, "double", {integer()}, out,
      [](Arguments a) -> Value { return static_cast<double>(get<std::int64_t>(a[0])); });
  add(t, "double", {uint()}, out,
      [](Arguments a) -> Value { return static_cast<double>(get<std::uint64_t>(a[0])); });
  add(t, "double", {string()}, out, [](Arguments a) -> Value { return parse_double(text(a[0])); });
}

void add_to_string(Table& t) {
  const auto out = string();
  add(t, "string", {string()}, out, [](Arguments a) -> Value { return a[0]; });
  add(t, "string", {boolean()}, out,
      [](Arguments a) -> Value { return std::string(get<bool>(a[0]) ? "true" : "false"); });
  add(t, "string", {integer()}, out,
      [](Arguments a) -> Value { return std::to_string(get<std::int64_t>(a[0])); });
  add(t, "string", {uint()}, out,
      [](Arguments a) -> Value { return std::to_string(get<std::uint64_t>(a[0])); });
  add(t, "string", {number()}, out,
      [](Arguments a) -> Value { return to_text(get<double>(a[0])); });
  add(t, "string", {bytes()}, out, [](Arguments a) -> Value { return get<Bytes>(a[0]).data; });
  add(t, "string", {timestamp()}, out,
      [](Arguments a) -> Value { return to_text(get<Instant>(a[0])); });
  add(t, "string", {duration()}, out,
      [](Arguments a) -> Value { return to_text(get<nanoseconds>(a[0])); });
  add(t, "string", {url()}, out, [](Arguments a) -> Value { return get<Url>(a[0]).text; });
}

void add_to_times(Table& t) {
  add(t, "timestamp", {timestamp()}, timestamp(), [](Arguments a) -> Value { return a[0]; });
  add(t, "timestamp", {integer()}, timestamp(),
      [](Arguments a) -> Value { return Instant(std::chrono::seconds(get<std::int64_t>(a[0]))); });
  add(t, "timestamp", {string()}, timestamp(), [](Arguments a) -> Value {
    const auto instant = parse_rfc3339(text(a[0]));
    return instant ? Value(*instant) : fail("type conversion error from 'string' to 'timestamp'");
  });
  add(t, "duration", {duration()}, duration(), [](Arguments a) -> Value { return a[0]; });
  add(t, "duration", {string()}, duration(), [](Arguments a) -> Value {
    const auto d = parse_go_duration(text(a[0]));
    return d ? Value(*d) : fail("type conversion error from 'string' to 'duration'");
  });
}

std::string type_name(const Value& value) {
  switch (kind_of(value)) {
    case Kind::Null:
      return "null_type";
    case Kind::List:
      return "list";
    case Kind::Map:
      return "map";
    case Kind::Timestamp:
      return "google.protobuf.Timestamp";
    case Kind::Duration:
      return "google.protobuf.Duration";
    case Kind::Optional:
      return "optional_type";
    default:
      return to_string(*simple(kind_of(value)));
  }
}

}  // namespace

void add_conversions(Table& table) {
  add_to_int(table);
  add_to_uint(table);
  add_to_double(table);
  add_to_string(table);
  add_to_times(table);
  add(table, "bool", {boolean()}, boolean(), [](Arguments a) -> Value { return a[0]; });
  add(table, "bool", {string()}, boolean(), [](Arguments a) -> Value {
    const auto& word = text(a[0]);
    if (word == "true" || word == "True" || word == "TRUE" || word == "t" || word == "1") {
      return true;
    }
    if (word == "false" || word == "False" || word == "FALSE" || word == "f" || word == "0") {
      return false;
    }
    return fail("type conversion error from 'string' to 'bool'");
  });
  add(table, "bytes", {string()}, bytes(), [](Arguments a) -> Value { return Bytes{text(a[0])}; });
  add(table, "bytes", {bytes()}, bytes(), [](Arguments a) -> Value { return a[0]; });
  add(table, "dyn", {variable("A")}, dyn(), [](Arguments a) -> Value { return a[0]; });
  add(table, "type", {variable("A")}, simple(Kind::TypeOfType),
      [](Arguments a) -> Value { return TypeName{type_name(a[0])}; });
}

}  // namespace troupe::sim::cel
