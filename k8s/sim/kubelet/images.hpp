// The images of a simulated cluster: names that pods use, mapped to directories that hold a root
// file system. Beside DIR may lie DIR.json with what an image's configuration says:
//   {"Entrypoint": [...], "Cmd": [...], "Env": ["A=b"], "User": "mysql", "WorkingDir": "/",
//    "StopSignal": "SIGTERM"}
#pragma once

#include <sys/types.h>

#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/model/result.hpp"

namespace troupe::sim {

struct ImageConfig {
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::pair<std::string, std::string>> env;
  std::string user;
  std::string working_dir;
  int stop_signal = 15;
};

struct Image {
  std::filesystem::path root;
  ImageConfig config;
};

class ImageStore {
 public:
  void map(std::string name, std::filesystem::path root);
  // By the exact name, else without its tag or digest, else without "docker.io/library/".
  // NotFound when nothing is mapped, Invalid when the directory or its .json cannot be read.
  Result<Image> resolve(std::string_view name) const;

 private:
  std::map<std::string, std::filesystem::path, std::less<>> roots_;
};

// Whom a container runs as.
struct ContainerUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string home = "/";
};

// From the security contexts of container and pod, else the image's User, looked up in the passwd
// and group files under `root`. An error says what is wrong in the words of the kubelet.
Result<ContainerUser> resolve_user(const boost::json::value& pod,
                                   const boost::json::value& container, const ImageConfig& image,
                                   const std::filesystem::path& root);

// The member of the container's security context, else of the pod's, else null.
const boost::json::value* security_setting(const boost::json::value& pod,
                                           const boost::json::value& container,
                                           std::string_view member);

}  // namespace troupe::sim
