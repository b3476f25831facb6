// What a container's process is told: its environment, its command line, and the files of volumes
// that are made of API objects. Pure: objects are looked up through the caller.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/model/result.hpp"

namespace troupe::sim {

// The object of that resource and name in the pod's namespace, or null.
using ObjectLookup =
    std::function<const boost::json::value*(std::string_view resource, std::string_view name)>;

// A token for the pod's service account, as the volume asks for it.
struct TokenRequest {
  std::string audience;
  std::int64_t expiration_seconds = 3607;
};
using TokenSource = std::function<Result<std::string>(const TokenRequest&)>;

struct PodFacts {
  const boost::json::value* pod = nullptr;
  std::string pod_ip;
  std::string host_ip;
  ObjectLookup lookup;
  TokenSource token;  // empty: no tokens are to be had
};

// In the order of definition; a later one of the same name replaces an earlier one's value.
class Environment {
 public:
  void set(std::string name, std::string value);
  const std::string* find(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

// $(NAME) becomes the variable's value, $$ becomes $, an unknown name stays as written.
std::string expand_variables(std::string_view text, const Environment& environment);

// Adds the container's `envFrom` and `env` to what the image and the Services gave. An error names
// the missing object or key.
Result<void> add_container_environment(Environment& environment, const PodFacts& facts,
                                       const boost::json::value& container);

// KUBERNETES_SERVICE_HOST and the like, from the Services of the pod's namespace.
void add_service_environment(Environment& environment, const boost::json::value& service);

struct VolumeFile {
  std::string content;
  int mode = 0644;
};
using VolumeFiles = std::map<std::string, VolumeFile>;  // by relative path

// The files of a configMap, secret, downwardAPI or projected volume.
Result<VolumeFiles> volume_files(const PodFacts& facts, const boost::json::value& volume);
bool is_file_volume(const boost::json::value& volume);
// Names of the objects that the volume is made of: {"configmaps", "settings"}, ...
std::vector<std::pair<std::string, std::string>> objects_of_volume(
    const boost::json::value& volume);

}  // namespace troupe::sim
