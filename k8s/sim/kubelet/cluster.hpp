// Everything of a simulated cluster but its API server: nodes, controllers, a kubelet, Service
// addresses and names. One call starts it beside an API server that is reached through LocalClient;
// it works on that server's io_context, whose thread must be the one that calls this.
//
// With the runc kubelet the machine is changed: a bridge, routes, network namespaces, mounts and
// cgroups, all with names derived from the state directory. stop(), and the next start in the same
// directory, remove them. It becomes a child subreaper and ignores SIGPIPE.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "k8s/sim/kubelet/address_plan.hpp"
#include "k8s/sim/kubelet/container_env.hpp"
#include "k8s/sim/kubelet/pod_lifecycle.hpp"
#include "k8s/sim/local_client.hpp"
#include "k8s/sim/node_api.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

enum class KubeletKind { Off, Fake, Runc };

struct ClusterOptions {
  KubeletKind kubelet = KubeletKind::Fake;
  // Where volumes, logs and containers live. One cluster at a time uses it.
  std::filesystem::path state_dir;
  // From reserve_network(state_dir), made before the API server: it has to give Services addresses
  // of plan.services(). Needed for Runc only.
  NetworkReservation network;
  int nodes = 3;
  std::vector<std::pair<std::string, std::filesystem::path>> images;
  std::string default_fstype;  // controllers/volumes.hpp
  // Cut established connections through a Service when their endpoint leaves.
  bool service_cut = false;
  BackoffLimits restart_backoff;
  std::chrono::milliseconds fake_ready_after{100};
  // Service account tokens for pods; without it pods that mount one do not start.
  std::function<Result<Secret>(const std::string& ns, const std::string& service_account,
                               const boost::json::value& pod, const TokenRequest& request)>
      issue_token;
  // The API server's pods/binding. Without it spec.nodeName is patched.
  std::function<Result<void>(const std::string& ns, const std::string& pod,
                             const std::string& node)>
      bind_pod;
};

class Cluster {
 public:
  virtual ~Cluster() = default;
  // Answers logs, exec and port-forward; refuses them for pods that run nowhere.
  virtual NodeApi& node_api() = 0;
  // Maps an image name while the cluster runs; pods that wait for it go on.
  virtual void map_image(std::string name, std::filesystem::path root) = 0;
  // Ends everything and clears it away. Blocks for a moment. The destructor does the same.
  virtual void stop() = 0;
};

// `clock` and `io` must outlive the cluster, `api` its stop().
Result<std::unique_ptr<Cluster>> start_cluster(LocalClient& api, boost::asio::io_context& io,
                                               const Clock& clock, ClusterOptions options);

// Clears away what a cluster of that directory left on the machine when it was killed; its volumes
// and logs stay. An error if it runs. Blocks.
Result<void> clear_cluster(const std::filesystem::path& state_dir);

}  // namespace troupe::sim
