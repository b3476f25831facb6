// The OCI runtime configuration (config.json of a bundle) of one container of a pod. Pure.
// Fields: OCI runtime-spec 1.0.2; defaults for capabilities, masked paths and mounts are those that
// containerd gives an ordinary Kubernetes container.
#pragma once

#include <sys/types.h>

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "k8s/sim/kubelet/container_env.hpp"
#include "k8s/sim/kubelet/images.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

struct OciMount {
  std::string destination;
  std::string source;
  std::string type = "bind";
  std::vector<std::string> options;
};

struct OciRequest {
  const boost::json::value* pod = nullptr;
  const boost::json::value* container = nullptr;
  ImageConfig image;
  Environment environment;
  ContainerUser user;
  std::string root;  // mounted root file system
  std::string hostname;
  std::string netns;   // path of the network namespace; empty: the host's
  std::string cgroup;  // path within each cgroup hierarchy
  std::uint64_t open_files = 1024;
  std::vector<OciMount> mounts;
};

// Command line after Kubernetes' rules: command replaces the image's entrypoint and its arguments,
// args replaces only the arguments. An error when nothing is left to run.
Result<std::vector<std::string>> command_line(const boost::json::value& container,
                                              const ImageConfig& image,
                                              const Environment& environment);

Result<boost::json::object> oci_config(const OciRequest& request);

}  // namespace troupe::sim
