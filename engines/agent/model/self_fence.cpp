#include "engines/agent/model/self_fence.hpp"

#include <fmt/format.h>

namespace troupe::agent {

void SelfFence::renew(TimePoint now) {
  renewed_ = now;
  short_since_.reset();
}

std::optional<std::string> SelfFence::judge(const SourceReport& report, TimePoint now) {
  if (fenced_ && report.writable) return "it is fenced, and was found open";
  if (!has_expired(now) || !report.is_short()) {
    short_since_.reset();
    return std::nullopt;
  }
  if (!short_since_) short_since_ = now;
  if (now - *short_since_ < limits_.shortage) return std::nullopt;
  return fmt::format("no operator for {}, and {} of {} replicas attached for {}",
                     to_text(now - renewed_), report.attached, report.needed,
                     to_text(now - *short_since_));
}

}  // namespace troupe::agent
