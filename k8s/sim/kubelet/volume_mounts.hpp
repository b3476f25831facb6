// The volumes of a pod on the node: planned from the API's objects (no I/O), then made by a worker.
//
// A volume is a directory of the host that containers bind, or where an image with a file system is
// mounted (volume_image.hpp). Those made of API objects follow the
// kubelet's layout, so that an update is seen whole or not at all: files are links through
// "..data", a link to a directory of one version, swapped by rename.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "k8s/sim/kubelet/container_env.hpp"
#include "k8s/sim/kubelet/oci_config.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

enum class VolumeKind { Files, Scratch, Memory, HostPath, Claim, Image };

struct VolumePlan {
  std::string name;
  VolumeKind kind = VolumeKind::Scratch;
  std::filesystem::path path;   // on the host
  VolumeFiles files;            // of Files
  std::string host_path_type;   // of HostPath: "", Directory, DirectoryOrCreate, File, ...
  std::filesystem::path image;  // of Image
  std::int64_t size_limit = 0;  // in bytes; of Memory, where 0 is the kernel's default, and Image
  bool read_only = false;
};

struct VolumesPlan {
  std::vector<VolumePlan> volumes;
  std::optional<gid_t> fs_group;
  const VolumePlan* find(std::string_view name) const;
};

// An error names what is missing: a ConfigMap, a claim that is not bound, a volume without a path.
Result<VolumesPlan> plan_volumes(const PodFacts& facts, const std::filesystem::path& pod_dir);

// Makes all of them. Blocks.
Result<void> make_volumes(const VolumesPlan& plan);
// Brings the files of one volume to another version. Blocks.
Result<void> write_files(const std::filesystem::path& directory, const VolumeFiles& files,
                         std::optional<gid_t> group);

// The binds of one container. Makes the directories that a subPath names. Blocks.
Result<std::vector<OciMount>> container_mounts(const boost::json::value& container,
                                               const VolumesPlan& plan,
                                               const Environment& environment);

}  // namespace troupe::sim
