#include "engines/agent/model/command.hpp"

#include <array>

namespace troupe::agent {
namespace {

struct ActionTraits {
  std::string_view name;
  bool fenced;
};

// In the order of the variant.
constexpr std::array<ActionTraits, std::variant_size_v<Action>> kActions{{
    {"Render", false},          {"EnsureInitialised", false},
    {"StartProcess", false},    {"StopProcess", false},
    {"KillProcess", false},     {"EnsureAccounts", false},
    {"StopReceiver", true},     {"Drain", true},
    {"Promote", true},          {"OpenForWrites", true},
    {"Follow", true},           {"Close", true},
    {"SaveTransactions", true}, {"Clone", true},
    {"ResetBinlogs", true},     {"StartGroup", true},
    {"StopGroup", true},        {"SetGroupPrimary", true},
    {"InspectSource", false},
}};

}  // namespace

std::string_view to_string(GrantSet set) {
  switch (set) {
    case GrantSet::Admin:
      return "admin";
    case GrantSet::Probe:
      return "probe";
    case GrantSet::Monitor:
      return "monitor";
    case GrantSet::Replication:
      return "replication";
    case GrantSet::CloneDonor:
      return "clone-donor";
    case GrantSet::Backup:
      return "backup";
    case GrantSet::Provision:
      return "provision";
    case GrantSet::GroupMember:
      return "group-member";
  }
  return "unknown";
}

std::string_view name_of(const Action& action) { return action_name(action.index()); }

std::string_view action_name(std::size_t index) { return kActions.at(index).name; }

bool is_fenced(const Action& action) { return kActions[action.index()].fenced; }

}  // namespace troupe::agent
