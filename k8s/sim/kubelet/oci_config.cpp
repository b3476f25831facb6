#include "k8s/sim/kubelet/oci_config.hpp"

#include <algorithm>
#include <array>

#include "k8s/sim/controllers/amounts.hpp"
#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

constexpr std::array kDefaultCapabilities{
    "CHOWN",   "DAC_OVERRIDE", "FSETID",           "FOWNER",
    "MKNOD",   "NET_RAW",      "SETGID",           "SETUID",
    "SETFCAP", "SETPCAP",      "NET_BIND_SERVICE", "SYS_CHROOT",
    "KILL",    "AUDIT_WRITE"};
constexpr std::array kAllCapabilities{"AUDIT_CONTROL",   "AUDIT_READ",   "AUDIT_WRITE",
                                      "BLOCK_SUSPEND",   "BPF",          "CHECKPOINT_RESTORE",
                                      "CHOWN",           "DAC_OVERRIDE", "DAC_READ_SEARCH",
                                      "FOWNER",          "FSETID",       "IPC_LOCK",
                                      "IPC_OWNER",       "KILL",         "LEASE",
                                      "LINUX_IMMUTABLE", "MAC_ADMIN",    "MAC_OVERRIDE",
                                      "MKNOD",           "NET_ADMIN",    "NET_BIND_SERVICE",
                                      "NET_BROADCAST",   "NET_RAW",      "PERFMON",
                                      "SETFCAP",         "SETGID",       "SETPCAP",
                                      "SETUID",          "SYS_ADMIN",    "SYS_BOOT",
                                      "SYS_CHROOT",      "SYS_MODULE",   "SYS_NICE",
                                      "SYS_PACCT",       "SYS_PTRACE",   "SYS_RAWIO",
                                      "SYS_RESOURCE",    "SYS_TIME",     "SYS_TTY_CONFIG",
                                      "SYSLOG",          "WAKE_ALARM"};

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Processes a container may have: protects the machine from a runaway fork.
constexpr std::int64_t kMaxProcesses = 32'768;

bool is_privileged(const json::value& container) {
  return flag(container, {"securityContext", "privileged"});
}

json::array to_array(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

json::array capabilities_of(const json::value& container) {
  std::vector<std::string> names(kDefaultCapabilities.begin(), kDefaultCapabilities.end());
  const auto all = [&] { names.assign(kAllCapabilities.begin(), kAllCapabilities.end()); };
  if (is_privileged(container)) all();
  for (const json::value& dropped : items(container, {"securityContext", "capabilities", "drop"})) {
    const std::string name = scalar_text(dropped);
    if (name == "ALL") names.clear();
    names.erase(std::remove(names.begin(), names.end(), name), names.end());
  }
  for (const json::value& added : items(container, {"securityContext", "capabilities", "add"})) {
    const std::string name = scalar_text(added);
    if (name == "ALL") all();
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (name != "ALL" && !known) names.push_back(name);
  }
  json::array result;
  for (const std::string& name : names) result.emplace_back("CAP_" + name);
  return result;
}

json::object process_of(const OciRequest& request, std::vector<std::string> arguments) {
  const json::value& container = *request.container;
  json::array env;
  const auto given = [&](std::string_view name) {
    return request.environment.find(name) != nullptr;
  };
  if (!given("PATH")) env.emplace_back("PATH=" + std::string(kDefaultPath));
  if (!given("HOSTNAME")) env.emplace_back("HOSTNAME=" + request.hostname);
  if (!given("HOME")) env.emplace_back("HOME=" + request.user.home);
  for (const auto& [name, value] : request.environment.entries()) {
    env.emplace_back(name + "=" + value);
  }
  json::array groups(request.user.groups.begin(), request.user.groups.end());
  std::string directory(text(container, {"workingDir"}, request.image.working_dir));
  if (directory.empty()) directory = "/";

  const json::array capabilities = capabilities_of(container);
  json::object sets{{"bounding", capabilities}};
  // Only root holds capabilities at once; others gain them through set-uid programs, if at all.
  if (request.user.uid == 0) {
    sets["effective"] = capabilities;
    sets["permitted"] = capabilities;
  }
  const json::value* escalation = find(container, {"securityContext", "allowPrivilegeEscalation"});
  return {
      {"terminal", false},
      {"user", {{"uid", request.user.uid}, {"gid", request.user.gid}, {"additionalGids", groups}}},
      {"args", to_array(arguments)},
      {"env", std::move(env)},
      {"cwd", directory},
      {"capabilities", std::move(sets)},
      {"noNewPrivileges",
       escalation != nullptr && escalation->is_bool() && !escalation->get_bool()},
      {"rlimits",
       {{{"type", "RLIMIT_NOFILE"}, {"hard", request.open_files}, {"soft", request.open_files}}}}};
}

json::array mounts_of(const OciRequest& request) {
  const bool privileged = is_privileged(*request.container);
  const json::string sys = privileged ? "rw" : "ro";
  json::array mounts{
      {{"destination", "/proc"},
       {"type", "proc"},
       {"source", "proc"},
       {"options", {"nosuid", "noexec", "nodev"}}},
      {{"destination", "/dev"},
       {"type", "tmpfs"},
       {"source", "tmpfs"},
       {"options", {"nosuid", "strictatime", "mode=755", "size=65536k"}}},
      {{"destination", "/dev/pts"},
       {"type", "devpts"},
       {"source", "devpts"},
       {"options", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}}},
      {{"destination", "/dev/shm"},
       {"type", "tmpfs"},
       {"source", "shm"},
       {"options", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}}},
      {{"destination", "/dev/mqueue"},
       {"type", "mqueue"},
       {"source", "mqueue"},
       {"options", {"nosuid", "noexec", "nodev"}}},
      {{"destination", "/sys"},
       {"type", "sysfs"},
       {"source", "sysfs"},
       {"options", {"nosuid", "noexec", "nodev", sys}}},
      {{"destination", "/sys/fs/cgroup"},
       {"type", "cgroup"},
       {"source", "cgroup"},
       {"options", {"nosuid", "noexec", "nodev", "relatime", "ro"}}}};
  for (const OciMount& mount : request.mounts) {
    mounts.push_back({{"destination", mount.destination},
                      {"type", mount.type},
                      {"source", mount.source},
                      {"options", to_array(mount.options)}});
  }
  return mounts;
}

json::object resources_of(const json::value& container) {
  const auto memory = whole_amount(find(container, {"resources", "limits", "memory"}));
  const auto cpu_milli = milli_amount(find(container, {"resources", "limits", "cpu"}));
  const auto share_milli = milli_amount(find(container, {"resources", "requests", "cpu"}));
  constexpr std::int64_t kPeriodMicroseconds = 100'000;
  json::object processor{{"shares", std::max<std::int64_t>(2, share_milli * 1024 / 1000)}};
  if (cpu_milli > 0) {
    processor["period"] = kPeriodMicroseconds;
    processor["quota"] = cpu_milli * kPeriodMicroseconds / 1000;
  }
  json::array devices;
  if (is_privileged(container)) {
    devices.push_back({{"allow", true}, {"access", "rwm"}});
  } else {
    devices.push_back({{"allow", false}, {"access", "rwm"}});
  }
  json::object resources{{"devices", std::move(devices)},
                         {"cpu", std::move(processor)},
                         {"pids", {{"limit", kMaxProcesses}}}};
  if (memory > 0) resources["memory"] = {{"limit", memory}};
  return resources;
}

json::object linux_of(const OciRequest& request) {
  json::array namespaces{
      {{"type", "pid"}}, {{"type", "ipc"}}, {{"type", "uts"}}, {{"type", "mount"}}};
  json::object sysctl;
  if (!request.netns.empty()) {
    namespaces.push_back({{"type", "network"}, {"path", request.netns}});
    sysctl["net.ipv4.ip_unprivileged_port_start"] = "0";
    for (const json::value& setting : items(*request.pod, {"spec", "securityContext", "sysctls"})) {
      sysctl[text(setting, {"name"})] = text(setting, {"value"});
    }
  }
  json::object result{{"namespaces", std::move(namespaces)},
                      {"sysctl", std::move(sysctl)},
                      {"cgroupsPath", request.cgroup},
                      {"resources", resources_of(*request.container)}};
  if (!is_privileged(*request.container)) {
    result["maskedPaths"] = {"/proc/acpi",          "/proc/kcore",      "/proc/keys",
                             "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                             "/proc/sched_debug",   "/proc/scsi",       "/sys/firmware"};
    result["readonlyPaths"] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                               "/proc/sysrq-trigger"};
  }
  return result;
}

std::vector<std::string> expanded(const json::array& list, const Environment& environment) {
  std::vector<std::string> result;
  for (const json::value& element : list) {
    result.push_back(expand_variables(scalar_text(element), environment));
  }
  return result;
}

}  // namespace

Result<std::vector<std::string>> command_line(const json::value& container,
                                              const ImageConfig& image,
                                              const Environment& environment) {
  const json::array& command = items(container, {"command"});
  const json::array& args = items(container, {"args"});
  std::vector<std::string> line =
      command.empty() ? image.entrypoint : expanded(command, environment);
  std::vector<std::string> arguments = expanded(args, environment);
  if (args.empty() && command.empty()) arguments = image.cmd;
  line.insert(line.end(), arguments.begin(), arguments.end());
  if (line.empty()) {
    return error(Code::Invalid,
                 "no command specified: neither the container nor its image has one");
  }
  return line;
}

Result<json::object> oci_config(const OciRequest& request) {
  auto arguments = command_line(*request.container, request.image, request.environment);
  if (!arguments) return arguments.error();
  const bool read_only = flag(*request.container, {"securityContext", "readOnlyRootFilesystem"});
  return json::object{{"ociVersion", "1.0.2"},
                      {"process", process_of(request, std::move(*arguments))},
                      {"root", {{"path", request.root}, {"readonly", read_only}}},
                      {"hostname", request.hostname},
                      {"mounts", mounts_of(request)},
                      {"linux", linux_of(request)}};
}

}  // namespace troupe::sim
