#include "k8s/api/types.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <limits>
#include <ostream>

namespace troupe::k8s {
namespace {

using std::chrono::microseconds;

// Reads exactly `digits` decimal digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + digits, value);
  if (failed != std::errc() || end != text.data() + digits || text[0] == '-') return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

std::optional<microseconds> take_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second
  microseconds time =
      std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
  if (take(text, ".")) {
    microseconds digit_value{100'000};
    if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      time += (text.front() - '0') * digit_value;
      digit_value /= 10;
      text.remove_prefix(1);
    }
  }
  return time;
}

std::optional<microseconds> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return microseconds{0};
  const bool west = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const microseconds offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return west ? -offset : offset;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Text& text) { return out << text.view(); }

Result<ResourceVersion> parse_resource_version(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) {
    return error(Code::Invalid,
                 fmt::format("expected a decimal resourceVersion, found \"{}\"", text));
  }
  return ResourceVersion{value};
}

Result<WallTime> parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  const auto date = take_date(rest);
  if (date && take(rest, "Tt ")) {
    if (const auto time = take_time_of_day(rest)) {
      const auto offset = take_offset(rest);
      if (offset && rest.empty()) return WallTime(*date + *time - *offset);
    }
  }
  return error(Code::Invalid,
               fmt::format("expected a time such as 2026-01-31T12:00:00Z, found \"{}\"", text));
}

namespace {

__extension__ using Wide = __int128;

constexpr Wide kNanosAUnit = 1'000'000'000;

// The factor of a quantity's suffix, as numerator and denominator.
struct Suffix {
  std::string_view text;
  std::int64_t times;
  std::int64_t divided_by;
};

constexpr Suffix kSuffixes[] = {
    {"n", 1, 1'000'000'000},
    {"u", 1, 1'000'000},
    {"m", 1, 1'000},
    {"", 1, 1},
    {"k", 1'000, 1},
    {"K", 1'000, 1},  // not Kubernetes' spelling, but the size pattern of a UnitSet allows it
    {"M", 1'000'000, 1},
    {"G", 1'000'000'000, 1},
    {"T", 1'000'000'000'000, 1},
    {"P", 1'000'000'000'000'000, 1},
    {"E", 1'000'000'000'000'000'000, 1},
    {"Ki", 1LL << 10, 1},
    {"Mi", 1LL << 20, 1},
    {"Gi", 1LL << 30, 1},
    {"Ti", 1LL << 40, 1},
    {"Pi", 1LL << 50, 1},
    {"Ei", 1LL << 60, 1},
};

// Kubernetes' own bound; larger amounts saturate.
constexpr Wide kMaxNanos = Wide(std::numeric_limits<std::int64_t>::max()) * kNanosAUnit;

Wide divided_up(Wide value, Wide by) {
  const Wide quotient = value / by;
  return quotient * by < value ? quotient + 1 : quotient;
}

// Digits of a quantity: their value without the point, and how many stand behind it.
struct Digits {
  Wide value = 0;
  int behind_point = 0;
};

std::optional<Digits> take_decimal(std::string_view& text) {
  constexpr Wide kEnough = Wide(1) << 90;  // beyond any amount that can be represented
  Digits digits;
  bool any = false, point = false;
  for (; !text.empty(); text.remove_prefix(1)) {
    const char c = text.front();
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      if (digits.value > kEnough) return std::nullopt;
      if (point && digits.behind_point == 18) continue;  // far below a billionth
      digits.value = digits.value * 10 + (c - '0');
      if (point) ++digits.behind_point;
    } else {
      break;
    }
  }
  return any ? std::optional(digits) : std::nullopt;
}

// What the text behind the digits multiplies by: a suffix, or an exponent as in 1e3.
std::optional<Suffix> factor_of(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == text) return suffix;
  }
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(text[1] == '+' ? 2 : 1);
  int exponent = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (exponent < -18 || exponent > 18) return std::nullopt;
  std::int64_t power = 1;
  for (int i = 0; i < std::abs(exponent); ++i) power *= 10;
  return exponent < 0 ? Suffix{{}, 1, power} : Suffix{{}, power, 1};
}

}  // namespace

Result<Amount> Amount::parse(std::string_view text) {
  const auto invalid = [&] {
    return error(Code::Invalid,
                 fmt::format("expected an amount such as 500m, 4Gi or 1.5, found \"{}\"", text));
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const auto digits = take_decimal(rest);
  if (!digits) return invalid();
  const auto factor = factor_of(rest);
  if (!factor) return invalid();

  if (digits->value > kMaxNanos / factor->times) {
    return Amount(negative ? -kMaxNanos : kMaxNanos);
  }
  Wide nanos = digits->value * factor->times;
  Wide divisor = factor->divided_by;
  for (int i = 0; i < digits->behind_point; ++i) divisor *= 10;
  // Exact: whole part and remainder apart, so that nothing overflows 127 bits.
  nanos = nanos / divisor >= kMaxNanos / kNanosAUnit
              ? kMaxNanos
              : nanos / divisor * kNanosAUnit + divided_up(nanos % divisor * kNanosAUnit, divisor);
  return Amount(negative ? -nanos : nanos);
}

std::int64_t Amount::rounded_up(std::int64_t nanos_a_unit) const {
  const Wide value = divided_up(nanos_, nanos_a_unit);
  constexpr Wide kMax = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(value > kMax ? kMax : value < -kMax ? -kMax : value);
}

std::int64_t Amount::value() const { return rounded_up(1'000'000'000); }
std::int64_t Amount::milli() const { return rounded_up(1'000'000); }

}  // namespace troupe::k8s
