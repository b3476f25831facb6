#include "k8s/sim/kubelet/container_bundle.hpp"

#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/kubelet/oci_config.hpp"
#include "k8s/sim/kubelet/process.hpp"
#include "k8s/sim/kubelet/remains.hpp"

namespace troupe::sim {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::chrono::seconds kRuncDeadline{30};
constexpr std::size_t kLongestHostname = 63;

Result<void> write_whole(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::trunc);
  file << content;
  file.close();
  if (file) return {};
  return error(Code::Fatal, fmt::format("cannot write {}", path.string()));
}

Result<void> mount_root(const ContainerPlan& plan) {
  for (const char* name : {"rootfs", "upper", "work"}) {
    std::error_code ignored;
    fs::create_directories(plan.directory / name, ignored);
  }
  const std::string options =
      fmt::format("lowerdir={},upperdir={},workdir={}", plan.image.root.string(),
                  (plan.directory / "upper").string(), (plan.directory / "work").string());
  if (mount("overlay", (plan.directory / "rootfs").c_str(), "overlay", 0, options.c_str()) == 0) {
    return {};
  }
  return error(Code::Fatal,
               fmt::format("cannot mount the image {} at {}: {}", plan.image.root.string(),
                           plan.directory.string(), std::strerror(errno)));
}

std::vector<OciMount> pod_file_mounts(const ContainerPlan& plan) {
  std::vector<OciMount> mounts;
  for (const char* name : {"hosts", "hostname", "resolv.conf"}) {
    mounts.push_back({fmt::format("/etc/{}", name),
                      (plan.pod_files / name).string(),
                      "bind",
                      {"rbind", "rprivate", "rw"}});
  }
  mounts.push_back({plan.termination_path(),
                    plan.termination_file().string(),
                    "bind",
                    {"rbind", "rprivate", "rw"}});
  return mounts;
}

// A mount of the pod's own hides the kubelet's at the same place.
std::vector<OciMount> all_mounts(const ContainerPlan& plan, std::vector<OciMount> own) {
  std::vector<OciMount> mounts = pod_file_mounts(plan);
  std::erase_if(mounts, [&](const OciMount& mount) {
    return std::any_of(own.begin(), own.end(), [&](const OciMount& other) {
      return other.destination == mount.destination;
    });
  });
  // Outer directories first, whatever the order in the manifest.
  std::stable_sort(own.begin(), own.end(), [](const OciMount& a, const OciMount& b) {
    return std::count(a.destination.begin(), a.destination.end(), '/') <
           std::count(b.destination.begin(), b.destination.end(), '/');
  });
  mounts.insert(mounts.end(), own.begin(), own.end());
  return mounts;
}

// What container runtimes usually give, as far as this process may.
std::uint64_t open_files_limit() {
  constexpr std::uint64_t kUsual = 1'048'576;
  rlimit own{};
  getrlimit(RLIMIT_NOFILE, &own);
  return std::min<std::uint64_t>(kUsual, own.rlim_max);
}

Result<json::object> configuration(const ContainerPlan& plan) {
  auto user = resolve_user(*plan.pod, plan.container, plan.image.config, plan.image.root);
  if (!user) return user.error();
  auto volumes = container_mounts(plan.container, plan.volumes, plan.environment);
  if (!volumes) return volumes.error();
  OciRequest request{plan.pod.get(),
                     &plan.container,
                     plan.image.config,
                     plan.environment,
                     std::move(*user),
                     "rootfs",
                     plan.hostname,
                     plan.netns,
                     plan.cgroup,
                     open_files_limit(),
                     all_mounts(plan, std::move(*volumes))};
  return oci_config(request);
}

Result<void> make_bundle(const ContainerPlan& plan, const json::object& config) {
  if (auto mounted = mount_root(plan); !mounted) return mounted;
  const fs::path termination = plan.termination_file();
  if (auto written = write_whole(termination, ""); !written) return written;
  std::error_code ignored;
  fs::permissions(termination, static_cast<fs::perms>(0666), ignored);
  return write_whole(plan.directory / "config.json", json::serialize(config));
}

// The last error that runc logged, without the words around it.
std::string runc_error(const fs::path& log) {
  std::ifstream file(log);
  std::string message = "runc failed";
  for (std::string line; std::getline(file, line);) {
    boost::system::error_code bad;
    const json::value entry = json::parse(line, bad);
    if (!bad && text(entry, {"level"}) == "error") message = text(entry, {"msg"});
  }
  return message;
}

std::vector<std::string> runc(const fs::path& root, std::vector<std::string> arguments) {
  std::vector<std::string> argv{"runc", "--root", root.string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

std::string search_path(const json::value& pod) {
  std::string search =
      fmt::format("search {}.svc.cluster.local svc.cluster.local cluster.local", namespace_of(pod));
  for (const json::value& domain : items(pod, {"spec", "dnsConfig", "searches"})) {
    search += ' ' + scalar_text(domain);
  }
  return search + '\n';
}

std::string resolver_configuration(const json::value& pod, const std::string& nameserver) {
  const std::string_view policy = text(pod, {"spec", "dnsPolicy"}, "ClusterFirst");
  std::string result;
  if (policy == "Default") {
    std::ifstream host("/etc/resolv.conf");
    return {std::istreambuf_iterator<char>(host), {}};
  }
  if (policy != "None") result = fmt::format("nameserver {}\n", nameserver);
  for (const json::value& server : items(pod, {"spec", "dnsConfig", "nameservers"})) {
    result += fmt::format("nameserver {}\n", scalar_text(server));
  }
  result += search_path(pod);
  std::string options = "options ndots:5";
  for (const json::value& option : items(pod, {"spec", "dnsConfig", "options"})) {
    const std::string_view value = text(option, {"value"});
    options += fmt::format(" {}{}{}", text(option, {"name"}), value.empty() ? "" : ":", value);
  }
  return result + options + '\n';
}

}  // namespace

std::string ContainerPlan::termination_path() const {
  return std::string(text(container, {"terminationMessagePath"}, "/dev/termination-log"));
}

std::variant<StartedContainer, StartFailure> start_container(const ContainerPlan& plan,
                                                             boost::asio::io_context& log_io) {
  const auto config = configuration(plan);
  if (!config) return StartFailure{"CreateContainerConfigError", config.error().message};
  if (auto made = make_bundle(plan, *config); !made) {
    return StartFailure{"StartError", made.error().message};
  }
  auto log = open_container_log(log_io, plan.log_path);
  if (!log) return StartFailure{"StartError", log.error().message};

  const fs::path runc_log = plan.directory / "runc.log";
  const fs::path pid_file = plan.directory / "pid";
  const auto status =
      run_program({runc(plan.runc_root, {"--log", runc_log.string(), "--log-format", "json", "run",
                                         "--detach", "--pid-file", pid_file.string(), "--bundle",
                                         plan.directory.string(), plan.id}),
                   "", kRuncDeadline},
                  Streams{-1, log->out.get(), log->err.get(), {}});
  if (!status) return StartFailure{"StartError", status.error().message};
  if (status->code != 0) return StartFailure{"StartError", runc_error(runc_log)};
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  return StartedContainer{pid, log->state};
}

void remove_container(const fs::path& runc_root, const std::string& id, const fs::path& directory) {
  (void)run_program({runc(runc_root, {"delete", "--force", id}), "", kRuncDeadline});
  umount2((directory / "rootfs").c_str(), MNT_DETACH);
  std::error_code ignored;
  fs::remove_all(directory, ignored);
}

bool was_out_of_memory(const std::string& cgroup) {
  for (const fs::path& directory : cgroup_directories(cgroup)) {
    for (const char* name : {"memory.oom_control", "memory.events"}) {
      std::ifstream file(directory / name);
      std::string key;
      std::int64_t value = 0;
      while (file >> key >> value) {
        if (key == "oom_kill" && value > 0) return true;
      }
    }
  }
  return false;
}

std::string pod_hostname(const json::value& pod) {
  std::string hostname(text(pod, {"spec", "hostname"}, name_of(pod)));
  if (hostname.size() > kLongestHostname) hostname.resize(kLongestHostname);
  return hostname;
}

PodFiles pod_files(const json::value& pod, const std::string& address,
                   const std::string& nameserver) {
  PodFiles files;
  files.hostname = pod_hostname(pod);
  const std::string_view subdomain = text(pod, {"spec", "subdomain"});
  std::string names = files.hostname;
  if (!subdomain.empty()) {
    names = fmt::format("{}.{}.{}.svc.cluster.local\t{}", files.hostname, subdomain,
                        namespace_of(pod), files.hostname);
  }
  files.hosts =
      fmt::format("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n{}\t{}\n", address, names);
  for (const json::value& alias : items(pod, {"spec", "hostAliases"})) {
    files.hosts += text(alias, {"ip"});
    for (const json::value& name : items(alias, {"hostnames"})) {
      files.hosts += '\t' + scalar_text(name);
    }
    files.hosts += '\n';
  }
  files.resolv_conf = resolver_configuration(pod, nameserver);
  files.hostname += '\n';
  return files;
}

Result<void> write_pod_files(const fs::path& directory, const PodFiles& files) {
  std::error_code ignored;
  fs::create_directories(directory, ignored);
  if (auto written = write_whole(directory / "hosts", files.hosts); !written) return written;
  if (auto written = write_whole(directory / "hostname", files.hostname); !written) return written;
  return write_whole(directory / "resolv.conf", files.resolv_conf);
}

}  // namespace troupe::sim
