#include "runtime/model/time.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace troupe {
namespace {

using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string date_and_time(WallTime t) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(floor<seconds>(t))));
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
