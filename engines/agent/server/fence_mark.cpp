#include "engines/agent/server/fence_mark.hpp"

#include <fmt/format.h>

#include <charconv>

#include "engines/agent/server/files.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t kMaxBytes = 1024;  // a time and a line of reason

}  // namespace

std::optional<FencedStatus> FenceMark::read() const {
  const auto text = read_file(file_, kMaxBytes);
  if (!text) {
    if (text.error().code == Code::NotFound) return std::nullopt;
    return FencedStatus{.since = std::nullopt, .reason = text.error().message};
  }
  FencedStatus status;
  std::int64_t microseconds = 0;
  const auto* end = text->data() + text->size();
  const auto [stop, failure] = std::from_chars(text->data(), end, microseconds);
  if (failure == std::errc{}) status.since = WallTime(std::chrono::microseconds(microseconds));
  status.reason.assign(stop, end);
  if (status.reason.starts_with(' ')) status.reason.erase(0, 1);
  if (status.reason.ends_with('\n')) status.reason.pop_back();
  return status;
}

Result<void> FenceMark::write(const FencedStatus& status) const {
  const auto since = status.since.value_or(WallTime{}).time_since_epoch().count();
  return write_durably(file_, fmt::format("{} {}\n", since, status.reason), 0644);
}

Result<void> FenceMark::clear() const { return remove_durably(file_); }

}  // namespace troupe::agent
