#include "runtime/model/record_codec.hpp"

#include <cstdint>

#include "runtime/model/utf8.hpp"

namespace troupe {
namespace {

constexpr std::string_view kEllipsis = "...";

// Numbers of seven bits a byte, the lowest first; texts with their length before them.
class Writer {
 public:
  void number(std::uint64_t n) {
    for (; n >= 0x80; n >>= 7) bytes_ += static_cast<char>(n | 0x80);
    bytes_ += static_cast<char>(n);
  }
  // Small if near zero, on either side.
  void difference(std::uint64_t from, std::uint64_t to) {
    const auto d = static_cast<std::int64_t>(to - from);
    number((static_cast<std::uint64_t>(d) << 1) ^ static_cast<std::uint64_t>(d >> 63));
  }
  void text(std::string_view t) {
    const bool cut = t.size() > kMaxRecordText;
    if (cut) t = t.substr(0, end_of_character(t, kMaxRecordText - kEllipsis.size()));
    number(t.size() + (cut ? kEllipsis.size() : 0));
    bytes_ += t;
    if (cut) bytes_ += kEllipsis;
  }
  std::string take() {
    bytes_.shrink_to_fit();
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number() {
    std::uint64_t n = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      n |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return n;
    }
  }
  std::uint64_t difference(std::uint64_t from) {
    const auto zigzag = number();
    return from + ((zigzag >> 1) ^ (0 - (zigzag & 1)));
  }
  std::string text() {
    const auto size = number();
    std::string t(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return t;
  }

 private:
  std::string_view rest_;
};

template <class Time>
std::uint64_t ticks(Time t) {
  return static_cast<std::uint64_t>(t.time_since_epoch().count());
}

template <class Time>
Time time_of(std::uint64_t ticks) {
  return Time(typename Time::duration(static_cast<typename Time::rep>(ticks)));
}

}  // namespace

std::string encode(const Record& record) {
  const auto at = ticks(record.at);
  Writer out;
  out.number(record.sequence);
  out.number(record.id.value);
  out.number(ticks(record.wall));
  out.number(at);
  out.number(static_cast<std::uint64_t>(record.took.count()));
  out.number(record.merged_causes);
  out.text(record.doing);
  out.text(record.fault);
  out.number(record.causes.size());
  for (const auto& cause : record.causes) {
    out.number(static_cast<std::uint64_t>(cause.type));
    out.difference(record.id.value, cause.id.value);
    out.difference(at, ticks(cause.at));
    out.text(cause.text);
  }
  out.number(record.guards.size());
  for (const auto& guard : record.guards) {
    out.text(guard.rule);
    out.text(guard.text);
    out.difference(at, ticks(guard.since));
  }
  out.number(record.effects.size());
  for (const auto& effect : record.effects) {
    out.text(effect.key);
    out.text(effect.text);
  }
  return out.take();
}

Record decode(std::string_view bytes) {
  Reader in(bytes);
  Record record;
  record.sequence = in.number();
  record.id.value = in.number();
  record.wall = time_of<WallTime>(in.number());
  const auto at = in.number();
  record.at = time_of<TimePoint>(at);
  record.took = Duration(static_cast<Duration::rep>(in.number()));
  record.merged_causes = static_cast<std::uint32_t>(in.number());
  record.doing = in.text();
  record.fault = in.text();
  record.causes.resize(in.number());
  for (auto& cause : record.causes) {
    cause.type = static_cast<CauseType>(in.number());
    cause.id.value = in.difference(record.id.value);
    cause.at = time_of<TimePoint>(in.difference(at));
    cause.text = in.text();
  }
  record.guards.resize(in.number());
  for (auto& guard : record.guards) {
    guard.rule = in.text();
    guard.text = in.text();
    guard.since = time_of<TimePoint>(in.difference(at));
  }
  record.effects.resize(in.number());
  for (auto& effect : record.effects) {
    effect.key = in.text();
    effect.text = in.text();
  }
  return record;
}

}  // namespace troupe
