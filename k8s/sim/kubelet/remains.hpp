// Clearing away what a cluster left on the machine: processes, cgroups, mounts, network namespaces,
// its bridge. All of it is found by names derived from the state directory, so nothing needs to
// have been recorded, and a cluster that was killed at any moment is cleared by its next start.
// Volumes and logs stay. Blocks; for start and stop.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "k8s/sim/kubelet/address_plan.hpp"

namespace troupe::sim {

void clear_remains(const std::filesystem::path& state_dir, const AddressPlan& plan);

// The cgroup of a cluster within each hierarchy.
std::string cluster_cgroup(const std::string& tag);
// Its directories in every mounted hierarchy (version 1 and 2).
std::vector<std::filesystem::path> cgroup_directories(const std::string& cgroup);

// Lazily unmounts everything at or under `root`, innermost first.
void unmount_below(const std::filesystem::path& root);

}  // namespace troupe::sim
