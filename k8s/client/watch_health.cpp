#include "k8s/client/watch_health.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::k8s {
namespace {

// The trouble of one stands for the rest: they mostly share it.
std::string because_of(const WatchStatus& watch) {
  return watch.trouble.empty() ? std::string() : "; " + watch.trouble;
}

Duration unheard_for(const WatchStatus& watch, TimePoint now) {
  if (!watch.without_stream_since || watch.phase == WatchPhase::Absent) return {};
  return now - std::max(*watch.without_stream_since, watch.last_heard);
}

}  // namespace

std::string not_listed(std::span<const WatchStatus> watches) {
  if (watches.empty()) return "nothing is watched yet";
  std::size_t count = 0;
  std::string names, trouble;
  for (const auto& watch : watches) {
    if (watch.synced || watch.phase == WatchPhase::Absent) continue;
    ++count;
    if (watch.kind) names.append(names.empty() ? ": " : ", ").append(watch.kind->name());
    if (trouble.empty()) trouble = because_of(watch);
  }
  if (count == 0) return {};
  return fmt::format("{} of {} lists are missing{}{}", count, watches.size(), names, trouble);
}

std::string cut_off(std::span<const WatchStatus> watches, TimePoint now, Duration patience) {
  std::size_t count = 0;
  Duration longest{};
  std::string trouble;
  for (const auto& watch : watches) {
    const auto silence = unheard_for(watch, now);
    if (silence == Duration::zero() || silence < patience) continue;
    ++count;
    longest = std::max(longest, silence);
    if (trouble.empty()) trouble = because_of(watch);
  }
  if (count == 0) return {};
  return fmt::format("{} of {} watches are without a connection, for up to {}{}", count,
                     watches.size(), to_text(longest), trouble);
}

}  // namespace troupe::k8s
