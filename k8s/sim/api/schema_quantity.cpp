#include "k8s/sim/api/schema_quantity.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstdlib>

namespace troupe::sim {
namespace {

constexpr __int128 kNanosPerUnit = 1'000'000'000;
constexpr __int128 kMaxNanos = (__int128{1} << 126);

struct SuffixInfo {
  std::string_view text;
  int decimal_exponent;  // of ten
  int binary_exponent;   // of two
};

constexpr std::array<SuffixInfo, 10> kDecimal = {{{"n", -9, 0},
                                                  {"u", -6, 0},
                                                  {"m", -3, 0},
                                                  {"", 0, 0},
                                                  {"k", 3, 0},
                                                  {"M", 6, 0},
                                                  {"G", 9, 0},
                                                  {"T", 12, 0},
                                                  {"P", 15, 0},
                                                  {"E", 18, 0}}};
constexpr std::array<SuffixInfo, 6> kBinary = {
    {{"Ki", 0, 10}, {"Mi", 0, 20}, {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60}}};

__int128 saturating_multiply(__int128 value, __int128 factor) {
  __int128 out = 0;
  if (__builtin_mul_overflow(value, factor, &out) || out > kMaxNanos) return kMaxNanos;
  return out;
}

std::string to_decimal(__int128 value) {
  return fmt::format("{}{}", value < 0 ? "-" : "", value < 0 ? -value : value);
}

const SuffixInfo* find_suffix(std::string_view text) {
  for (const auto& s : kDecimal) {
    if (s.text == text) return &s;
  }
  for (const auto& s : kBinary) {
    if (s.text == text) return &s;
  }
  return nullptr;
}

// digits * 10^exponent nanos, rounded up like the real parser does below a nano.
__int128 scale(std::string_view digits, int exponent) {
  __int128 value = 0;
  for (const char c : digits) {
    value = saturating_multiply(value, 10);
    value += c - '0';
  }
  for (; exponent > 0 && value < kMaxNanos && value != 0; --exponent) {
    value = saturating_multiply(value, 10);
  }
  bool inexact = false;
  for (; exponent < 0 && value != 0; ++exponent) {
    inexact |= value % 10 != 0;
    value /= 10;
  }
  return value + (inexact ? 1 : 0);
}

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
  bool negative = false;
  if (text.starts_with('+') || text.starts_with('-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const auto number_end = text.find_first_not_of("0123456789.");
  const auto number = text.substr(0, number_end);
  const auto suffix = number_end == std::string_view::npos ? "" : text.substr(number_end);
  const auto point = number.find('.');
  if (number.empty() || number == "." || point != number.rfind('.')) return std::nullopt;

  std::string digits(number.substr(0, point));
  int exponent = 9;  // nanos
  if (point != std::string_view::npos) {
    digits += number.substr(point + 1);
    exponent -= static_cast<int>(number.size() - point - 1);
  }
  auto family = Suffix::Decimal;
  int shift = 0;
  if (const auto* known = find_suffix(suffix)) {
    exponent += known->decimal_exponent;
    shift = known->binary_exponent;
    if (shift) family = Suffix::Binary;
  } else if (suffix.starts_with('e') || suffix.starts_with('E')) {
    auto power_text = suffix.substr(1);
    if (power_text.starts_with('+')) power_text.remove_prefix(1);
    int power = 0;
    const auto* end = power_text.data() + power_text.size();
    const auto parsed = std::from_chars(power_text.data(), end, power);
    if (power_text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    exponent += power;
    family = Suffix::Exponent;
  } else {
    return std::nullopt;
  }
  auto nanos = scale(digits, exponent);
  nanos = saturating_multiply(nanos, __int128{1} << shift);
  return Quantity(negative ? -nanos : nanos, family);
}

bool Quantity::is_integer() const { return nanos_ % kNanosPerUnit == 0; }

double Quantity::as_double() const { return static_cast<double>(nanos_) / 1e9; }

std::string Quantity::canonical() const {
  if (nanos_ == 0) return "0";
  if (suffix_ == Suffix::Binary && is_integer()) {
    const __int128 units = nanos_ / kNanosPerUnit;
    if (units >= 1024 || units <= -1024) {
      for (auto it = kBinary.rbegin(); it != kBinary.rend(); ++it) {
        const __int128 factor = __int128{1} << it->binary_exponent;
        if (units % factor == 0) return to_decimal(units / factor) + std::string(it->text);
      }
    }
    return to_decimal(units);
  }
  __int128 factor = 1;
  const SuffixInfo* best = &kDecimal.front();
  __int128 best_factor = 1;
  for (const auto& suffix : kDecimal) {
    if (nanos_ % factor != 0) break;
    best = &suffix;
    best_factor = factor;
    factor *= 1000;
  }
  const auto number = to_decimal(nanos_ / best_factor);
  if (suffix_ == Suffix::Exponent) {
    return best->decimal_exponent == 0 ? number
                                       : fmt::format("{}e{}", number, best->decimal_exponent);
  }
  return number + std::string(best->text);
}

std::optional<std::string> canonical_quantity(const boost::json::value& value) {
  std::string text;
  if (const auto* string = value.if_string()) {
    text = *string;
  } else if (value.is_number()) {
    text = boost::json::serialize(value);
  } else {
    return std::nullopt;
  }
  const auto quantity = Quantity::parse(text);
  if (!quantity) return std::nullopt;
  return quantity->canonical();
}

}  // namespace troupe::sim
