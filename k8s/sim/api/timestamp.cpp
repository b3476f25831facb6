#include "k8s/sim/api/timestamp.hpp"

#include <re2/re2.h>

namespace troupe::sim {

std::optional<WallTime> parse_timestamp(std::string_view text) {
  static const re2::RE2 kPattern(
      R"((\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d)))");
  int year = 0;
  unsigned month = 0, day = 0;
  int hour = 0, minute = 0, second = 0, offset_hours = 0, offset_minutes = 0;
  std::string fraction, sign, oh, om;
  if (!re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), kPattern, &year, &month,
                           &day, &hour, &minute, &second, &fraction, &sign, &oh, &om)) {
    return std::nullopt;
  }
  const auto date = std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  if (!sign.empty()) {
    offset_hours = std::stoi(oh);
    offset_minutes = std::stoi(om);
  }
  fraction.resize(6, '0');
  auto offset = std::chrono::minutes(offset_hours * 60 + offset_minutes);
  if (sign == "-") offset = -offset;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) +
         std::chrono::microseconds(std::stoi(fraction)) - offset;
}

}  // namespace troupe::sim
