// Volumes: who has room for what, by the word of the members' agents.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {
namespace {

// A server whose volume is full neither commits nor closes: it waits until somebody makes room.
// What is left by then has to last for a handover of the role.
constexpr std::uint64_t kLowShare = 20;  // a twentieth
constexpr std::uint64_t kLowAtMost = std::uint64_t{1} << 30;
// A clone grows while it is made: its donor goes on writing.
constexpr std::uint64_t kGrowthShare = 20;

const agent::AgentObservation* volume_of(const Member& m) {
  return m.ours && m.agent_connected() && m.agent->disk_total_bytes > 0 ? m.agent.get() : nullptr;
}

std::string mib(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20); }

}  // namespace

std::optional<std::string> nearly_full(const Member& m) {
  const auto* volume = volume_of(m);
  if (!volume) return std::nullopt;
  const auto low = std::min(volume->disk_total_bytes / kLowShare, kLowAtMost);
  if (volume->disk_free_bytes >= low) return std::nullopt;
  return fmt::format("{} has {} of {} left on its volume", m.name, mib(volume->disk_free_bytes),
                     mib(volume->disk_total_bytes));
}

void tell_full_volumes(const Topology& t, Plan& plan) {
  for (const auto& m : t.members)
    if (const auto why = nearly_full(m))
      plan.hold("VolumeNearlyFull", *why + ": make it larger, or remove what is not needed");
}

std::uint64_t clone_needs(const Member& m, const Member& donor) {
  if (!donor.agent || !m.agent) return 0;
  const auto data = donor.agent->data_bytes + donor.agent->data_bytes / kGrowthShare;
  // Its own goes first.
  return data > m.agent->data_bytes ? data - m.agent->data_bytes : 0;
}

std::optional<std::string> no_room_for_clone(const Member& m, const Member& donor) {
  const auto* volume = volume_of(m);
  const auto needed = clone_needs(m, donor);
  if (!volume || volume->disk_free_bytes >= needed) return std::nullopt;
  return fmt::format(
      "a clone of {} needs {} more than {} has data, and {} are free: make its volume "
      "larger",
      donor.name, mib(needed), m.name, mib(volume->disk_free_bytes));
}

}  // namespace troupe::mysql_topology
