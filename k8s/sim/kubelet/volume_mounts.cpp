#include "k8s/sim/kubelet/volume_mounts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "k8s/sim/controllers/amounts.hpp"
#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/volumes.hpp"
#include "k8s/sim/kubelet/process.hpp"
#include "k8s/sim/kubelet/volume_image.hpp"

namespace troupe::sim {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kDataLink = "..data";

Error failed(std::string_view what, const fs::path& path) {
  return error(Code::Fatal, fmt::format("{} {}: {}", what, path.string(), std::strerror(errno)));
}

Result<void> plan_claim(const PodFacts& facts, std::string_view claim_name, VolumePlan& plan) {
  const json::value* claim = facts.lookup("persistentvolumeclaims", claim_name);
  if (claim == nullptr) {
    return error(Code::NotFound, fmt::format("persistentvolumeclaim \"{}\" not found", claim_name));
  }
  const std::string_view volume_name = text(*claim, {"spec", "volumeName"});
  if (volume_name.empty()) {
    return error(Code::NotFound,
                 fmt::format("persistentvolumeclaim \"{}\" is not bound", claim_name));
  }
  const json::value* volume = facts.lookup("persistentvolumes", volume_name);
  if (volume == nullptr) {
    return error(Code::NotFound, fmt::format("persistentvolume \"{}\" not found", volume_name));
  }
  const auto path = path_of(*volume);
  if (path.empty()) {
    return error(Code::Invalid,
                 fmt::format("persistentvolume \"{}\" is neither hostPath nor local", volume_name));
  }
  if (fstype_of(*volume).empty()) {
    plan.kind = VolumeKind::Claim;
    plan.path = path;
    return {};
  }
  plan.kind = VolumeKind::Image;
  plan.image = path;
  plan.size_limit = size_of(*volume);
  return {};
}

Result<VolumePlan> plan_volume(const PodFacts& facts, const json::value& volume,
                               const fs::path& directory) {
  VolumePlan plan{
      std::string(text(volume, {"name"})), VolumeKind::Scratch, directory, {}, {}, {}, 0, false};
  if (is_file_volume(volume)) {
    auto files = volume_files(facts, volume);
    if (!files) return files.error();
    plan.kind = VolumeKind::Files;
    plan.files = std::move(*files);
  } else if (const json::value* claim = find(volume, {"persistentVolumeClaim"})) {
    if (auto found = plan_claim(facts, text(*claim, {"claimName"}), plan); !found) {
      return found.error();
    }
    plan.read_only = flag(*claim, {"readOnly"});
  } else if (const json::value* host = find(volume, {"hostPath"})) {
    plan.kind = VolumeKind::HostPath;
    plan.path = std::string(text(*host, {"path"}));
    plan.host_path_type = text(*host, {"type"});
  } else if (const json::value* scratch = find(volume, {"emptyDir"})) {
    if (text(*scratch, {"medium"}) == "Memory") plan.kind = VolumeKind::Memory;
    plan.size_limit = whole_amount(find(*scratch, {"sizeLimit"}));
  } else {
    return error(
        Code::Invalid,
        fmt::format("volume \"{}\" is of a kind that this kubelet does not mount", plan.name));
  }
  return plan;
}

// The group owns everything and new files inherit it, as fsGroup promises. Only what differs is
// touched, so a large volume that is right already costs a walk.
void give_to_group(const fs::path& root, gid_t group) {
  const auto give = [group](const fs::path& path) {
    struct stat info;
    if (lstat(path.c_str(), &info) != 0 || S_ISLNK(info.st_mode)) return;
    mode_t mode = (info.st_mode & 07777) | ((info.st_mode & 0700) >> 3);
    if (S_ISDIR(info.st_mode)) mode |= S_ISGID | 0070;
    if (info.st_gid != group) (void)lchown(path.c_str(), static_cast<uid_t>(-1), group);
    if ((info.st_mode & 07777) != mode) chmod(path.c_str(), mode);
  };
  give(root);
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(root, ignored)) give(entry.path());
}

Result<void> make_host_path(const VolumePlan& volume) {
  std::error_code ignored;
  const bool exists = fs::exists(volume.path, ignored);
  if (exists || volume.host_path_type.empty()) return {};
  if (volume.host_path_type == "DirectoryOrCreate") {
    fs::create_directories(volume.path, ignored);
    return {};
  }
  if (volume.host_path_type == "FileOrCreate") {
    std::ofstream(volume.path).flush();
    return {};
  }
  return error(Code::NotFound, fmt::format("hostPath {} does not exist", volume.path.string()));
}

Result<void> make_directory(const fs::path& path, mode_t mode) {
  std::error_code error_code;
  fs::create_directories(path, error_code);
  if (error_code) {
    return error(Code::Fatal,
                 fmt::format("cannot make {}: {}", path.string(), error_code.message()));
  }
  if (chmod(path.c_str(), mode) != 0) return failed("chmod", path);
  return {};
}

Result<void> make_volume(const VolumePlan& volume, std::optional<gid_t> group) {
  switch (volume.kind) {
    case VolumeKind::HostPath:
      return make_host_path(volume);
    case VolumeKind::Files:
      if (auto made = make_directory(volume.path, 0755); !made) return made;
      return write_files(volume.path, volume.files, group);
    case VolumeKind::Memory: {
      if (auto made = make_directory(volume.path, 0777); !made) return made;
      const std::string options =
          volume.size_limit > 0 ? fmt::format("mode=0777,size={}", volume.size_limit) : "mode=0777";
      if (mount("tmpfs", volume.path.c_str(), "tmpfs", 0, options.c_str()) != 0) {
        return failed("mount tmpfs at", volume.path);
      }
      break;
    }
    case VolumeKind::Scratch:
      if (auto made = make_directory(volume.path, 0777); !made) return made;
      break;
    case VolumeKind::Claim:
      if (!fs::exists(volume.path)) {
        if (auto made = make_directory(volume.path, 0777); !made) return made;
      }
      break;
    case VolumeKind::Image:
      if (auto made = make_directory(volume.path, 0755); !made) return made;
      if (auto mounted = mount_image(volume.image, volume.size_limit, volume.path); !mounted) {
        return mounted;
      }
      break;
  }
  if (group) give_to_group(volume.path, *group);
  return {};
}

bool is_inside(const fs::path& relative) {
  if (relative.empty() || relative.is_absolute()) return false;
  for (const fs::path& part : relative) {
    if (part == "..") return false;
  }
  return true;
}

Result<void> write_file(const fs::path& path, const VolumeFile& file, std::optional<gid_t> group) {
  std::error_code ignored;
  fs::create_directories(path.parent_path(), ignored);
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return failed("cannot make", path);
  const auto size = static_cast<ssize_t>(file.content.size());
  if (write(fd.get(), file.content.data(), file.content.size()) != size) {
    return failed("cannot write", path);
  }
  // With a group, the pod's users read through it whatever the mode says for others.
  const mode_t mode = static_cast<mode_t>(file.mode) | (group ? 0440 : 0);
  if (group && fchown(fd.get(), static_cast<uid_t>(-1), *group) != 0) return failed("chown", path);
  if (fchmod(fd.get(), mode) != 0) return failed("chmod", path);
  return {};
}

// First path components that the new version has get a link; those it lacks lose theirs.
void link_entries(const fs::path& directory, const VolumeFiles& files) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with("..")) continue;
    if (!fs::exists(directory / kDataLink / name, ignored)) fs::remove(entry.path(), ignored);
  }
  for (const auto& [path, file] : files) {
    const fs::path first = *fs::path(path).begin();
    fs::create_symlink(fs::path(kDataLink) / first, directory / first, ignored);
  }
}

}  // namespace

const VolumePlan* VolumesPlan::find(std::string_view name) const {
  for (const VolumePlan& volume : volumes) {
    if (volume.name == name) return &volume;
  }
  return nullptr;
}

Result<VolumesPlan> plan_volumes(const PodFacts& facts, const fs::path& pod_dir) {
  VolumesPlan plan;
  if (sim::find(*facts.pod, {"spec", "securityContext", "fsGroup"}) != nullptr) {
    plan.fs_group = static_cast<gid_t>(number(*facts.pod, {"spec", "securityContext", "fsGroup"}));
  }
  for (const json::value& volume : items(*facts.pod, {"spec", "volumes"})) {
    auto planned = plan_volume(facts, volume, pod_dir / "volumes" / text(volume, {"name"}));
    if (!planned) {
      return error(planned.error().code,
                   fmt::format("MountVolume.SetUp failed for volume \"{}\": {}",
                               text(volume, {"name"}), planned.error().message));
    }
    plan.volumes.push_back(std::move(*planned));
  }
  return plan;
}

Result<void> make_volumes(const VolumesPlan& plan) {
  for (const VolumePlan& volume : plan.volumes) {
    if (auto made = make_volume(volume, plan.fs_group); !made) return made;
  }
  return {};
}

Result<void> write_files(const fs::path& directory, const VolumeFiles& files,
                         std::optional<gid_t> group) {
  std::string version = (directory / "..version_XXXXXX").string();
  if (mkdtemp(version.data()) == nullptr) return failed("mkdtemp", directory);
  chmod(version.c_str(), 0755);
  for (const auto& [path, file] : files) {
    if (!is_inside(path))
      return error(Code::Invalid, fmt::format("path {} leaves its volume", path));
    if (auto written = write_file(fs::path(version) / path, file, group); !written) return written;
  }
  std::error_code ignored;
  const fs::path before = fs::read_symlink(directory / kDataLink, ignored);
  const fs::path fresh = directory / "..data_tmp";
  fs::remove(fresh, ignored);
  fs::create_symlink(fs::path(version).filename(), fresh, ignored);
  if (rename(fresh.c_str(), (directory / kDataLink).c_str()) != 0) {
    return failed("cannot swap", directory / kDataLink);
  }
  link_entries(directory, files);
  if (!before.empty()) fs::remove_all(directory / before, ignored);
  return {};
}

Result<std::vector<OciMount>> container_mounts(const json::value& container,
                                               const VolumesPlan& plan,
                                               const Environment& environment) {
  std::vector<OciMount> mounts;
  for (const json::value& mount : items(container, {"volumeMounts"})) {
    const VolumePlan* volume = plan.find(text(mount, {"name"}));
    if (volume == nullptr) {
      return error(Code::Invalid,
                   fmt::format("volumeMount names no volume: {}", text(mount, {"name"})));
    }
    fs::path source = volume->path;
    std::string below(text(mount, {"subPath"}));
    if (below.empty()) below = expand_variables(text(mount, {"subPathExpr"}), environment);
    if (!below.empty()) {
      if (!is_inside(below)) {
        return error(Code::Invalid, fmt::format("subPath {} leaves its volume", below));
      }
      std::error_code ignored;
      const bool absent = !fs::exists(source / below, ignored);
      if (absent) fs::create_directories(source / below, ignored);
      if (absent && plan.fs_group) give_to_group(source / below, *plan.fs_group);
      source = fs::canonical(source / below, ignored);
      if (source.empty()) return failed("subPath", volume->path / below);
    }
    const bool read_only =
        flag(mount, {"readOnly"}) || volume->read_only || volume->kind == VolumeKind::Files;
    mounts.push_back({std::string(text(mount, {"mountPath"})),
                      source.string(),
                      "bind",
                      {"rbind", "rprivate", read_only ? "ro" : "rw"}});
  }
  return mounts;
}

}  // namespace troupe::sim
