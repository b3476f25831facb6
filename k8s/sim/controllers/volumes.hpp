// Persistent volumes: binds claims to volumes, makes volumes for the classes that provision (all
// but kubernetes.io/no-provisioner), expands them, and reclaims them. A claim stays while a pod
// uses it (kubernetes.io/pvc-protection).
//
// Volumes are directories of this machine, which share the room of its file system. Where the class
// names a file system (parameter "csi.storage.k8s.io/fstype", "ext4"), each is one of its own, as
// large as its claim asks, in an image that the kubelet makes and mounts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "k8s/sim/controllers/context.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

struct VolumeOptions {
  std::filesystem::path directory;  // volumes are made below it
  std::string default_fstype;       // of classes that name none; empty: directories
  // Removes a volume's directory or image, soon and elsewhere: it may be large.
  std::function<void(const std::filesystem::path&)> remove;
  // Brings the file system in an image to a size in bytes, elsewhere, and then says how that went.
  using Grown = std::function<void(const Result<void>&)>;
  std::function<void(const std::filesystem::path&, std::int64_t size, Grown)> grow;
};

// Also makes the StorageClass "standard" (default, WaitForFirstConsumer, expandable) when there is
// none of that name.
std::unique_ptr<Controller> make_volume_controller(const ControllerContext& context,
                                                   VolumeOptions options);

// Pure: whether an existing volume can serve a claim: free or kept for it, of its class and mode,
// large enough, with its access modes and labels.
bool volume_fits(const boost::json::value& volume, const boost::json::value& claim);

// Where it lies on this machine; empty for kinds of volumes that do not.
std::filesystem::path path_of(const boost::json::value& volume);
// Of the file system in it, where it is an image; empty for a directory.
std::string_view fstype_of(const boost::json::value& volume);
std::int64_t size_of(const boost::json::value& volume);

}  // namespace troupe::sim
