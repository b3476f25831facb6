// A container on the node: its bundle directory with an overlay over the image, its OCI
// configuration, its `runc` container. Everything here blocks and belongs on a worker.
//
//   DIR/rootfs  DIR/upper  DIR/work  DIR/config.json  DIR/pid  DIR/runc.log  DIR/termination-log
#pragma once

#include <sys/types.h>

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>

#include "k8s/sim/kubelet/container_env.hpp"
#include "k8s/sim/kubelet/container_log.hpp"
#include "k8s/sim/kubelet/images.hpp"
#include "k8s/sim/kubelet/volume_mounts.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

struct ContainerPlan {
  std::string id;  // runc's name for it
  std::filesystem::path directory;
  std::filesystem::path runc_root;
  std::filesystem::path log_path;
  std::filesystem::path pod_files;  // hosts, hostname, resolv.conf
  std::string cgroup;
  std::string netns;  // empty: the host's
  std::string hostname;
  Image image;
  Environment environment;
  VolumesPlan volumes;
  std::shared_ptr<const boost::json::value> pod;
  boost::json::value container;

  std::string termination_path() const;  // within the container
  std::filesystem::path termination_file() const { return directory / "termination-log"; }
};

struct StartedContainer {
  pid_t pid = 0;  // process 1; a child of this process (it is a subreaper)
  std::shared_ptr<const LogState> log;
};

// The container's configuration cannot be carried out (CreateContainerConfigError), or runc could
// not start it (StartError).
struct StartFailure {
  std::string reason;
  std::string message;
};

std::variant<StartedContainer, StartFailure> start_container(const ContainerPlan& plan,
                                                             boost::asio::io_context& log_io);

// After its process 1 ended: deletes it in runc and its bundle.
void remove_container(const std::filesystem::path& runc_root, const std::string& id,
                      const std::filesystem::path& directory);

// Whether the kernel killed a process of this cgroup for want of memory.
bool was_out_of_memory(const std::string& cgroup);

// hosts, hostname and resolv.conf of a pod.
struct PodFiles {
  std::string hosts, hostname, resolv_conf;
};
PodFiles pod_files(const boost::json::value& pod, const std::string& address,
                   const std::string& nameserver);
Result<void> write_pod_files(const std::filesystem::path& directory, const PodFiles& files);
// spec.hostname, else the pod's name.
std::string pod_hostname(const boost::json::value& pod);

}  // namespace troupe::sim
