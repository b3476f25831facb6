// Persistent volumes: binds claims to volumes, makes volumes for the classes that provision (all
// but kubernetes.io/no-provisioner) as directories of this machine, expands them, and reclaims
// them. A claim stays while a pod uses it (kubernetes.io/pvc-protection).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "k8s/sim/controllers/context.hpp"

namespace troupe::sim {

struct VolumeOptions {
  std::filesystem::path directory;  // volumes are made below it
  // Removes a volume's directory, soon and elsewhere: it may be large.
  std::function<void(const std::filesystem::path&)> remove_directory;
};

// Also makes the StorageClass "standard" (default, WaitForFirstConsumer, expandable) when there is
// none of that name.
std::unique_ptr<Controller> make_volume_controller(const ControllerContext& context,
                                                   VolumeOptions options);

// Pure: whether an existing volume can serve a claim: free or kept for it, of its class and mode,
// large enough, with its access modes and labels.
bool volume_fits(const boost::json::value& volume, const boost::json::value& claim);

}  // namespace troupe::sim
