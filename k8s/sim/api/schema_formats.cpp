#include "k8s/sim/api/schema_formats.hpp"

#include <arpa/inet.h>
#include <re2/re2.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <memory>
#include <string>

namespace troupe::sim {
namespace {

bool is_address(int family, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

bool is_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto address = text.substr(0, slash);
  const auto bits_text = text.substr(slash + 1);
  int bits = -1;
  const auto* end = bits_text.data() + bits_text.size();
  const auto parsed = std::from_chars(bits_text.data(), end, bits);
  if (parsed.ec != std::errc() || parsed.ptr != end || bits < 0) return false;
  return (is_address(AF_INET, address) && bits <= 32) ||
         (is_address(AF_INET6, address) && bits <= 128);
}

bool is_base64(std::string_view text) {
  static const RE2 kPattern(
      "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})?");
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), kPattern);
}

// Formats that are one regular expression, under their names without dashes.
const std::map<std::string_view, std::string_view>& patterns() {
  static const std::map<std::string_view, std::string_view> kPatterns = {
      {"uuid", "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"},
      {"uuid3", "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}"},
      {"uuid4", "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}"},
      {"uuid5", "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}"},
      {"email", "[^@\\s]+@[^@\\s]+"},
      {"uri", "[a-zA-Z][a-zA-Z0-9+.-]*:[^\\s]*|/[^\\s]*"},
      {"mac", "(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\\.){2}[0-9A-Fa-f]{4}"},
      {"hexcolor", "#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"},
      {"rgbcolor", "rgb\\(\\s*\\d{1,3}\\s*,\\s*\\d{1,3}\\s*,\\s*\\d{1,3}\\s*\\)"},
      {"ssn", "\\d{3}[- ]?\\d{2}[- ]?\\d{4}"},
      {"creditcard", "[0-9][0-9 -]{11,22}"},
      {"hostname",
       "([a-zA-Z0-9\\p{L}]([a-zA-Z0-9\\p{L}-]{0,61}[a-zA-Z0-9\\p{L}])?)"
       "(\\.[a-zA-Z0-9\\p{L}]([a-zA-Z0-9\\p{L}-]{0,61}[a-zA-Z0-9\\p{L}])?)*\\.?"},
      {"k8sshortname", "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"},
      {"k8slongname", "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"},
  };
  return kPatterns;
}

bool matches_pattern(std::string_view name, std::string_view text) {
  static const auto* compiled = [] {
    auto* all = new std::map<std::string_view, std::unique_ptr<RE2>>;
    for (const auto& [key, pattern] : patterns()) {
      all->emplace(key, std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size())));
    }
    return all;
  }();
  const auto it = compiled->find(name);
  return it == compiled->end() ||
         RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *it->second);
}

}  // namespace

std::optional<Instant> parse_date(std::string_view text) {
  static const RE2 kPattern("(\\d{4})-(\\d{2})-(\\d{2})");
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (!RE2::FullMatch(re2::StringPiece(text.data(), text.size()), kPattern, &year, &month, &day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{day}};
  if (!date.ok()) return std::nullopt;
  return Instant(std::chrono::sys_days{date});
}

std::optional<Instant> parse_rfc3339(std::string_view text) {
  static const RE2 kPattern(
      "(\\d{4}-\\d{2}-\\d{2})[Tt](\\d{2}):(\\d{2}):(\\d{2})(?:\\.(\\d{1,9})\\d*)?"
      "(?:[Zz]|([+-])(\\d{2}):(\\d{2}))");
  std::string date_text;
  std::string fraction;
  std::string sign;
  std::string offset_hour_text;
  std::string offset_minute_text;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!RE2::FullMatch(re2::StringPiece(text.data(), text.size()), kPattern, &date_text, &hour,
                      &minute, &second, &fraction, &sign, &offset_hour_text, &offset_minute_text)) {
    return std::nullopt;
  }
  const auto date = parse_date(date_text);
  if (!date || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  auto instant = *date + std::chrono::hours(hour) + std::chrono::minutes(minute) +
                 std::chrono::seconds(second);
  if (!fraction.empty()) {
    fraction.resize(9, '0');
    instant += std::chrono::nanoseconds(std::stoll(fraction));
  }
  if (!sign.empty()) {
    const auto offset = std::chrono::hours(std::stoi(offset_hour_text)) +
                        std::chrono::minutes(std::stoi(offset_minute_text));
    instant += sign == "-" ? offset : -offset;
  }
  return instant;
}

std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  static const RE2 kPart("(\\d*\\.?\\d*)(ns|us|µs|ms|s|m|h)");
  static const std::map<std::string, double, std::less<>> kNanos = {
      {"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  re2::StringPiece rest(text.data(), text.size());
  double nanos = 0;
  std::string number;
  std::string unit;
  while (!rest.empty()) {
    if (!RE2::Consume(&rest, kPart, &number, &unit)) return std::nullopt;
    if (number.empty() || number == ".") return std::nullopt;
    nanos += std::strtod(number.c_str(), nullptr) * kNanos.find(unit)->second;
  }
  if (nanos > 9.2e18) return std::nullopt;
  const auto count = std::llround(nanos);
  return std::chrono::nanoseconds(negative ? -count : count);
}

bool matches_format(std::string_view format, std::string_view text) {
  std::string name(format);
  std::erase(name, '-');
  if (name == "datetime") return parse_rfc3339(text).has_value();
  if (name == "date") return parse_date(text).has_value();
  if (name == "duration") return parse_go_duration(text).has_value();
  if (name == "byte") return is_base64(text);
  if (name == "ipv4") return is_address(AF_INET, text);
  if (name == "ipv6") return is_address(AF_INET6, text);
  if (name == "cidr") return is_cidr(text);
  return matches_pattern(name, text);
}

}  // namespace troupe::sim
