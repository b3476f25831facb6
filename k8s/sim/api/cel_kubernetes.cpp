#include <re2/re2.h>

#include "k8s/sim/api/cel_signature.hpp"

namespace troupe::sim::cel {
namespace {

using namespace signature;

// An absolute URI or an absolute path, as Go's url.ParseRequestURI takes it.
struct UrlParts {
  std::string scheme, host, path, query;
};

std::optional<UrlParts> split_url(const std::string& source) {
  static const RE2 kAbsolute(
      "([A-Za-z][A-Za-z0-9+.-]*):(?://(?:[^/?#@]*@)?([^/?#\\s]*))?([^?\\s]*)(?:\\?(\\S*))?");
  static const RE2 kPath("(/[^?\\s]*)(?:\\?(\\S*))?");
  UrlParts parts;
  if (RE2::FullMatch(source, kAbsolute, &parts.scheme, &parts.host, &parts.path, &parts.query)) {
    return parts;
  }
  if (RE2::FullMatch(source, kPath, &parts.path, &parts.query)) return parts;
  return std::nullopt;
}

// Where the port of a host begins, past the closing bracket of an IPv6 address.
std::size_t port_colon(const std::string& host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  const bool is_port =
      colon != std::string::npos && (bracket == std::string::npos || colon > bracket);
  return is_port ? colon : std::string::npos;
}

std::string hostname_of(const std::string& host) {
  auto name = host.substr(0, port_colon(host));
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return name;
}

UrlParts parts_of(const Value& value) {
  return split_url(get<Url>(value).text).value_or(UrlParts{});
}

void add_urls(Table& t) {
  add(t, "isURL", {string()}, boolean(),
      [](Arguments a) -> Value { return split_url(text(a[0])).has_value(); });
  add(t, "url", {string()}, url(), [](Arguments a) -> Value {
    if (!split_url(text(a[0]))) {
      return fail("URL parse error during conversion from string: parse \"" + text(a[0]) +
                  "\": invalid URI for request");
    }
    return Url{text(a[0])};
  });
  add_member(t, "getScheme", {url()}, string(),
             [](Arguments a) -> Value { return parts_of(a[0]).scheme; });
  add_member(t, "getHost", {url()}, string(),
             [](Arguments a) -> Value { return parts_of(a[0]).host; });
  add_member(t, "getHostname", {url()}, string(),
             [](Arguments a) -> Value { return hostname_of(parts_of(a[0]).host); });
  add_member(t, "getPort", {url()}, string(), [](Arguments a) -> Value {
    const auto host = parts_of(a[0]).host;
    const auto colon = port_colon(host);
    return colon == std::string::npos ? std::string() : host.substr(colon + 1);
  });
  add_member(t, "getEscapedPath", {url()}, string(),
             [](Arguments a) -> Value { return parts_of(a[0]).path; });
}

const Quantity& amount(const Value& value) { return get<Quantity>(value); }

Quantity whole_units(const Value& value) {
  return Quantity::from_nanos(static_cast<__int128>(get<std::int64_t>(value)) * 1'000'000'000);
}

void add_quantity_arithmetic(Table& t) {
  const auto q = quantity();
  add_member(t, "add", {q, q}, q, [](Arguments a) -> Value {
    return Quantity::from_nanos(amount(a[0]).nanos() + amount(a[1]).nanos());
  });
  add_member(t, "add", {q, integer()}, q, [](Arguments a) -> Value {
    return Quantity::from_nanos(amount(a[0]).nanos() + whole_units(a[1]).nanos());
  });
  add_member(t, "sub", {q, q}, q, [](Arguments a) -> Value {
    return Quantity::from_nanos(amount(a[0]).nanos() - amount(a[1]).nanos());
  });
  add_member(t, "sub", {q, integer()}, q, [](Arguments a) -> Value {
    return Quantity::from_nanos(amount(a[0]).nanos() - whole_units(a[1]).nanos());
  });
}

void add_quantities(Table& t) {
  const auto q = quantity();
  add(t, "isQuantity", {string()}, boolean(),
      [](Arguments a) -> Value { return Quantity::parse(text(a[0])).has_value(); });
  add(t, "quantity", {string()}, q, [](Arguments a) -> Value {
    const auto parsed = Quantity::parse(text(a[0]));
    if (parsed) return *parsed;
    return fail(
        "quantities must match the regular expression "
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  });
  const auto sign = [](Arguments a) -> Value {
    return static_cast<std::int64_t>(amount(a[0]).sign());
  };
  add(t, "sign", {q}, integer(), sign);
  add_member(t, "isGreaterThan", {q, q}, boolean(),
             [](Arguments a) -> Value { return amount(a[0]) > amount(a[1]); });
  add_member(t, "isLessThan", {q, q}, boolean(),
             [](Arguments a) -> Value { return amount(a[0]) < amount(a[1]); });
  add_member(t, "compareTo", {q, q}, integer(), [](Arguments a) -> Value {
    const auto order = amount(a[0]) <=> amount(a[1]);
    return std::int64_t{order < 0 ? -1 : order > 0 ? 1 : 0};
  });
  add_member(t, "isInteger", {q}, boolean(),
             [](Arguments a) -> Value { return amount(a[0]).is_integer(); });
  add_member(t, "asApproximateFloat", {q}, number(),
             [](Arguments a) -> Value { return amount(a[0]).as_double(); });
  add_member(t, "asInteger", {q}, integer(), [](Arguments a) -> Value {
    if (!amount(a[0]).is_integer()) return fail("cannot convert value to integer");
    return static_cast<std::int64_t>(amount(a[0]).nanos() / 1'000'000'000);
  });
}

}  // namespace

void add_kubernetes_functions(Table& table) {
  add_urls(table);
  add_quantities(table);
  add_quantity_arithmetic(table);
}

}  // namespace troupe::sim::cel
