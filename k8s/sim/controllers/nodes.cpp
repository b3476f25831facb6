#include "k8s/sim/controllers/nodes.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "k8s/sim/api/discovery.hpp"
#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/work_queue.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kLeases = "leases.coordination.k8s.io";
constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr int kLeaseSeconds = 40;
constexpr std::chrono::seconds kRenewal{10};

json::array node_conditions(const std::string& time) {
  json::array conditions;
  const auto add = [&](std::string_view type, std::string_view status, std::string_view reason,
                       std::string_view message) {
    conditions.push_back({{"type", type},
                          {"status", status},
                          {"reason", reason},
                          {"message", message},
                          {"lastHeartbeatTime", time},
                          {"lastTransitionTime", time}});
  };
  add("MemoryPressure", "False", "KubeletHasSufficientMemory",
      "kubelet has sufficient memory available");
  add("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure");
  add("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available");
  add("Ready", "True", "KubeletReady", "kubelet is posting ready status");
  return conditions;
}

class NodeKeeper final : public Controller {
 public:
  NodeKeeper(const ControllerContext& context, NodeOptions options)
      : context_(context), options_(std::move(options)), timer_(context.io) {
    for (std::size_t i = 0; i < options_.addresses.size(); ++i) make_node(i);
    renew();
  }
  ~NodeKeeper() override { timer_.cancel(); }

 private:
  static std::string node_name(std::size_t i) { return fmt::format("node-{}", i); }

  void make_node(std::size_t i) {
    constexpr std::string_view kZones = "abc";
    const std::string name = node_name(i);
    json::object labels{{"kubernetes.io/hostname", name},
                        {"kubernetes.io/os", "linux"},
                        {"kubernetes.io/arch", "amd64"},
                        {"topology.kubernetes.io/region", "sim"},
                        {"topology.kubernetes.io/zone", fmt::format("sim-{}", kZones[i % 3])}};
    (void)context_.api.create("nodes", "",
                              json::object{{"apiVersion", "v1"},
                                           {"kind", "Node"},
                                           {"metadata", {{"name", name}, {"labels", labels}}},
                                           {"spec", json::object()}});
    json::object patch{{"status", status_of(i)}};
    (void)context_.api.merge_patch("nodes", "", name, "status", std::move(patch));
  }

  json::object status_of(std::size_t i) {
    const json::object resources{{"cpu", std::to_string(options_.cpus)},
                                 {"memory", fmt::format("{}Ki", options_.memory_bytes >> 10)},
                                 {"ephemeral-storage", "100Gi"},
                                 {"pods", std::to_string(options_.max_pods)}};
    json::array addresses;
    addresses.push_back({{"type", "InternalIP"}, {"address", options_.addresses[i]}});
    addresses.push_back({{"type", "Hostname"}, {"address", node_name(i)}});
    return {{"capacity", resources},
            {"allocatable", resources},
            {"addresses", std::move(addresses)},
            {"conditions", node_conditions(to_rfc3339(context_.clock.wall()))},
            {"nodeInfo",
             {{"architecture", "amd64"},
              {"operatingSystem", "linux"},
              {"osImage", "troupe-sim"},
              {"kernelVersion", "simulated"},
              {"containerRuntimeVersion", "runc://1.1"},
              {"kubeletVersion", kKubernetesVersion},
              {"kubeProxyVersion", kKubernetesVersion},
              {"machineID", node_name(i)},
              {"systemUUID", node_name(i)},
              {"bootID", node_name(i)}}}};
  }

  void renew() {
    const std::string time = to_rfc3339_micro(context_.clock.wall());
    for (std::size_t i = 0; i < options_.addresses.size(); ++i) renew_lease(node_name(i), time);
    timer_.expires_after(kRenewal);
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) renew();
    });
  }

  void renew_lease(const std::string& name, const std::string& time) {
    json::object spec{
        {"holderIdentity", name}, {"leaseDurationSeconds", kLeaseSeconds}, {"renewTime", time}};
    json::object patch{{"spec", spec}};
    if (context_.api.merge_patch(kLeases, kLeaseNamespace, name, "", std::move(patch))) return;
    (void)context_.api.create(
        kLeases, kLeaseNamespace,
        json::object{{"apiVersion", "coordination.k8s.io/v1"},
                     {"kind", "Lease"},
                     {"metadata", {{"name", name}, {"namespace", kLeaseNamespace}}},
                     {"spec", std::move(spec)}});
  }

  const ControllerContext context_;
  const NodeOptions options_;
  boost::asio::steady_timer timer_;
};

class LoadBalancerController final : public Controller {
 public:
  LoadBalancerController(const ControllerContext& context,
                         std::function<std::optional<std::string>()> take)
      : context_(context),
        take_(std::move(take)),
        services_(context.caches.of("services")),
        queue_(context.io, [this](const ObjectKey& key) { reconcile(key); }) {
    services_.subscribe([this](const CachedObject&, const CachedObject& after) {
      if (after != nullptr) queue_.add(after);
    });
  }

 private:
  void reconcile(const ObjectKey& key) {
    const CachedObject service = services_.find(key);
    if (service == nullptr) return;
    const bool wanted = text(*service, {"spec", "type"}) == "LoadBalancer";
    const bool given = !items(*service, {"status", "loadBalancer", "ingress"}).empty();
    if (wanted == given) return;
    json::object balancer{{"ingress", nullptr}};
    if (wanted) {
      const auto address = take_();
      if (!address) {
        context_.events.record(*service, EventType::Warning, "SyncLoadBalancerFailed",
                               "no load-balancer address is free", "service-controller");
        return;
      }
      json::array ingress;
      ingress.push_back({{"ip", *address}, {"ipMode", "VIP"}});
      balancer["ingress"] = std::move(ingress);
    }
    json::object patch{{"status", {{"loadBalancer", std::move(balancer)}}}};
    (void)context_.api.merge_patch("services", key.ns, key.name, "status", std::move(patch));
  }

  const ControllerContext context_;
  const std::function<std::optional<std::string>()> take_;
  ObjectCache& services_;
  WorkQueue queue_;
};

}  // namespace

std::unique_ptr<Controller> make_node_keeper(const ControllerContext& context,
                                             NodeOptions options) {
  return std::make_unique<NodeKeeper>(context, std::move(options));
}

std::unique_ptr<Controller> make_load_balancer_controller(
    const ControllerContext& context, std::function<std::optional<std::string>()> take) {
  return std::make_unique<LoadBalancerController>(context, std::move(take));
}

}  // namespace troupe::sim
