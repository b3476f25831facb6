#include "runtime/model/time.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace troupe {
namespace {

using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

void append_two_digits(std::string& out, char before, unsigned n) {
  out += before;
  out += static_cast<char>('0' + n / 10);
  out += static_cast<char>('0' + n % 10);
}

// Written out, as every status has some: fmt's dates cost ten times as much.
std::string date_and_time(WallTime t) {
  const auto second = floor<seconds>(t);
  const auto day = floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  std::string out;
  out.reserve(std::string_view("2006-01-02T15:04:05.000000Z").size());
  fmt::format_to(std::back_inserter(out), "{:04}", static_cast<int>(date.year()));
  append_two_digits(out, '-', static_cast<unsigned>(date.month()));
  append_two_digits(out, '-', static_cast<unsigned>(date.day()));
  append_two_digits(out, 'T', static_cast<unsigned>(time.hours().count()));
  append_two_digits(out, ':', static_cast<unsigned>(time.minutes().count()));
  append_two_digits(out, ':', static_cast<unsigned>(time.seconds().count()));
  return out;
}

}  // namespace

std::string to_rfc3339(WallTime t) { return date_and_time(t) + "Z"; }

std::string to_rfc3339_micro(WallTime t) {
  const auto fraction = duration_cast<microseconds>(t - floor<seconds>(t)).count();
  return fmt::format("{}.{:06}Z", date_and_time(t), fraction);
}

std::string to_text(Duration d) {
  if (d < Duration::zero()) return "-" + to_text(-d);
  const auto ms = duration_cast<milliseconds>(d).count();
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < 60'000) return fmt::format("{}.{}s", ms / 1000, ms % 1000 / 100);
  const auto s = ms / 1000;
  if (s < 3600) return fmt::format("{}m{}s", s / 60, s % 60);
  return fmt::format("{}h{}m", s / 3600, s % 3600 / 60);
}

}  // namespace troupe
