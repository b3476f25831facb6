#include "k8s/sim/kubelet/remains.hpp"

#include <mntent.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "k8s/sim/kubelet/pod_network.hpp"

namespace troupe::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kDeathDeadline{10};
constexpr std::chrono::milliseconds kDeathCheck{5};

struct Mount {
  std::string directory, type;
};

std::vector<Mount> mounts() {
  std::vector<Mount> found;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> table(setmntent("/proc/self/mounts", "re"),
                                                              endmntent);
  if (table == nullptr) return found;
  while (const mntent* entry = getmntent(table.get())) {
    found.push_back({entry->mnt_dir, entry->mnt_type});
  }
  return found;
}

std::vector<pid_t> processes_in(const std::vector<fs::path>& cgroups) {
  std::vector<pid_t> found;
  std::error_code ignored;
  for (const fs::path& root : cgroups) {
    std::vector<fs::path> directories{root};
    for (const auto& entry : fs::recursive_directory_iterator(root, ignored)) {
      if (entry.is_directory(ignored)) directories.push_back(entry.path());
    }
    for (const fs::path& directory : directories) {
      std::ifstream list(directory / "cgroup.procs");
      found.insert(found.end(), std::istream_iterator<pid_t>(list), {});
    }
  }
  return found;
}

// A runc that was under way when its cluster was killed is in no cgroup yet; its command line names
// the cluster's runc directory.
std::vector<pid_t> runc_processes(const fs::path& state_dir) {
  std::vector<pid_t> found;
  const std::string needle = (state_dir / "runc").string();
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (failed != std::errc() || *end != '\0' || pid == getpid()) continue;
    std::ifstream file(entry.path() / "cmdline");
    const std::string command{std::istreambuf_iterator<char>(file), {}};
    if (command.starts_with("runc") && command.find(needle) != command.npos) found.push_back(pid);
  }
  return found;
}

void kill_processes(const fs::path& state_dir, const std::vector<fs::path>& cgroups) {
  const auto deadline = std::chrono::steady_clock::now() + kDeathDeadline;
  while (std::chrono::steady_clock::now() < deadline) {
    std::vector<pid_t> left = runc_processes(state_dir);
    const std::vector<pid_t> contained = processes_in(cgroups);
    left.insert(left.end(), contained.begin(), contained.end());
    if (left.empty()) return;
    for (const pid_t pid : left) kill(pid, SIGKILL);
    std::this_thread::sleep_for(kDeathCheck);
  }
}

void remove_cgroups(const std::vector<fs::path>& cgroups) {
  std::error_code ignored;
  for (const fs::path& root : cgroups) {
    std::vector<fs::path> directories{root};
    for (const auto& entry : fs::recursive_directory_iterator(root, ignored)) {
      if (entry.is_directory(ignored)) directories.push_back(entry.path());
    }
    std::sort(directories.rbegin(), directories.rend());  // a child sorts after its parent
    for (const fs::path& directory : directories) rmdir(directory.c_str());
  }
}

void remove_network_namespaces(const std::string& tag) {
  std::error_code ignored;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator("/run/netns", ignored)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(tag + "-")) names.push_back(name);
  }
  for (const std::string& name : names) remove_pod_link(name);
}

}  // namespace

std::string cluster_cgroup(const std::string& tag) { return "/troupe-" + tag; }

std::vector<fs::path> cgroup_directories(const std::string& cgroup) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const Mount& mount : mounts()) {
    if (mount.type != "cgroup" && mount.type != "cgroup2") continue;
    const fs::path directory = mount.directory + cgroup;
    if (fs::is_directory(directory, ignored)) found.push_back(directory);
  }
  return found;
}

void unmount_below(const fs::path& root) {
  const std::string prefix = root.string() + "/";
  std::vector<Mount> all = mounts();
  std::reverse(all.begin(), all.end());
  for (const Mount& mount : all) {
    if (mount.directory == root.string() || mount.directory.starts_with(prefix)) {
      umount2(mount.directory.c_str(), MNT_DETACH);
    }
  }
}

void clear_remains(const fs::path& state_dir, const AddressPlan& plan) {
  const std::string tag = cluster_tag(state_dir);
  const auto cgroups = cgroup_directories(cluster_cgroup(tag));
  kill_processes(state_dir, cgroups);
  unmount_below(state_dir);
  remove_cgroups(cgroups);
  remove_network_namespaces(tag);
  remove_cluster_network(tag, plan);
  std::error_code ignored;
  fs::remove_all(state_dir / "runc", ignored);
  fs::remove_all(state_dir / "pods", ignored);
  fs::remove_all(state_dir / "exec", ignored);
}

}  // namespace troupe::sim
