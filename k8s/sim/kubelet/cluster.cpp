#include "k8s/sim/kubelet/cluster.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "k8s/sim/controllers/disruption.hpp"
#include "k8s/sim/controllers/endpoints.hpp"
#include "k8s/sim/controllers/nodes.hpp"
#include "k8s/sim/controllers/scheduler.hpp"
#include "k8s/sim/controllers/volumes.hpp"
#include "k8s/sim/controllers/workloads.hpp"
#include "k8s/sim/kubelet/fake_kubelet.hpp"
#include "k8s/sim/kubelet/remains.hpp"
#include "k8s/sim/kubelet/runc_kubelet.hpp"
#include "k8s/sim/kubelet/service_routing.hpp"
#include "k8s/sim/kubelet/volume_image.hpp"

namespace troupe::sim {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// Fake nodes take whatever the load harness puts on them.
constexpr std::int64_t kFakeNodePods = 1'000'000;

Result<Fd> lock_directory(const fs::path& state_dir) {
  std::error_code failed;
  fs::create_directories(state_dir, failed);
  const fs::path path = state_dir / "lock";
  Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock && flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  return error(Code::Fatal,
               fmt::format("{} is in use by another troupe-sim, or cannot be written; give this "
                           "one a directory of its own",
                           state_dir.string()));
}

// For pods that are records.
class NoNode final : public NodeApi {
 public:
  Result<std::unique_ptr<NodeSession>> logs(const ContainerRef& ref, const LogOptions&,
                                            std::shared_ptr<LogSink>) override {
    return refusal(ref);
  }
  Result<std::unique_ptr<ExecSession>> exec(const ContainerRef& ref, const ExecOptions&,
                                            std::shared_ptr<ExecSink>) override {
    return refusal(ref);
  }
  Result<std::unique_ptr<PortSession>> port_forward(const ContainerRef& ref, std::uint16_t,
                                                    std::shared_ptr<PortSink>) override {
    return refusal(ref);
  }

 private:
  static Error refusal(const ContainerRef& ref) {
    return error(
        Code::Invalid,
        fmt::format("pod {} has no process: start troupe-sim with --kubelet runc", ref.pod));
  }
};

class RunningCluster final : public Cluster {
 public:
  RunningCluster(LocalClient& api, boost::asio::io_context& io, const Clock& clock,
                 ClusterOptions options)
      : options_(std::move(options)),
        caches_(api),
        events_(api, clock),
        context_{api, io, clock, events_, caches_} {}

  ~RunningCluster() override { stop(); }

  Result<void> start() {
    if (auto locked = lock_state_dir(); !locked) return locked;
    pod_index_ = std::make_unique<PodIndex>(caches_.of("pods"));
    if (options_.kubelet == KubeletKind::Runc) {
      if (auto started = start_runc(); !started) return started;
    } else if (options_.kubelet == KubeletKind::Fake) {
      controllers_.push_back(make_fake_kubelet(context_, {options_.fake_ready_after}));
    }
    make_controllers();
    caches_.start();
    return {};
  }

  NodeApi& node_api() override {
    if (kubelet_ != nullptr) return *kubelet_;
    return no_node_;
  }

  void map_image(std::string name, fs::path root) override {
    if (kubelet_ != nullptr) kubelet_->map_image(std::move(name), std::move(root));
  }

  void stop() override {
    caches_.stop();
    controllers_.clear();
    names_.reset();
    forwarder_.reset();
    if (kubelet_ != nullptr) kubelet_->stop();
    workers_.reset();
    kubelet_.reset();
    background_.reset();
  }

 private:
  Result<void> lock_state_dir() {
    if (options_.state_dir.empty()) return {};
    options_.state_dir = fs::absolute(options_.state_dir).lexically_normal();
    auto lock = lock_directory(options_.state_dir);
    if (!lock) return lock.error();
    lock_ = std::move(*lock);
    return {};
  }

  Result<void> start_runc() {
    if (geteuid() != 0) {
      return error(Code::Denied,
                   "the runc kubelet makes network namespaces and mounts: run as root");
    }
    const AddressPlan& plan = options_.network.plan;
    background_ = std::make_unique<IoThread>();
    kubelet_ = std::make_unique<RuncKubelet>(
        context_.api, context_.io, context_.clock, events_, caches_, *background_,
        RuncKubeletOptions{options_.state_dir, plan, options_.nodes, options_.images,
                           options_.restart_backoff, options_.issue_token});
    if (auto started = kubelet_->start(); !started) return started;
    forwarder_ = std::make_unique<ServiceForwarder>(*background_, options_.service_cut);
    auto names = DnsServer::start(*background_, to_string(plan.gateway()));
    if (!names) return names.error();
    names_ = std::move(*names);
    auto node_ports = node_addresses();
    node_ports.emplace_back("127.0.0.1");
    controllers_.push_back(
        make_service_routing(context_, *forwarder_, *names_, std::move(node_ports)));
    return {};
  }

  std::vector<std::string> node_addresses() const {
    std::vector<std::string> addresses;
    for (int i = 0; i < options_.nodes; ++i) {
      addresses.push_back(to_string(options_.network.plan.node(static_cast<std::uint32_t>(i))));
    }
    return addresses;
  }

  void make_controllers() {
    NodeOptions nodes{node_addresses()};
    if (options_.kubelet == KubeletKind::Runc) {
      nodes.cpus = sysconf(_SC_NPROCESSORS_ONLN) * 8;  // overcommitted: few of them are ever busy
      nodes.memory_bytes = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    } else {
      nodes.max_pods = kFakeNodePods;
      nodes.cpus = kFakeNodePods;
      nodes.memory_bytes = kFakeNodePods << 30;
    }
    controllers_.push_back(make_node_keeper(context_, std::move(nodes)));
    controllers_.push_back(make_scheduler(context_, *pod_index_, binder()));
    workers_ = std::make_unique<WorkerPool>(context_.io, 1);
    controllers_.push_back(make_volume_controller(context_, volume_options()));
    controllers_.push_back(make_endpoints_controller(context_, *pod_index_));
    controllers_.push_back(make_disruption_controller(context_, *pod_index_));
    controllers_.push_back(make_load_balancer_controller(
        context_,
        [pool = AddressPool(options_.network.plan.load_balancers(),
                            1)]() mutable -> std::optional<std::string> {
          const auto address = pool.take();
          if (!address) return std::nullopt;
          return to_string(*address);
        }));
    for (auto& controller : make_workload_controllers(context_)) {
      controllers_.push_back(std::move(controller));
    }
  }

  VolumeOptions volume_options() {
    VolumeOptions volumes;
    volumes.directory = options_.state_dir / "volumes";
    volumes.default_fstype = options_.default_fstype;
    volumes.remove = [this](const fs::path& path) {
      if (kubelet_ == nullptr) return;  // pods and volumes are records
      workers_->submit([path]() -> WorkerPool::Completion {
        std::error_code ignored;
        fs::remove_all(path, ignored);
        return nullptr;
      });
    };
    volumes.grow = [this](const fs::path& image, std::int64_t size, VolumeOptions::Grown grown) {
      if (kubelet_ == nullptr) return grown({});
      workers_->submit([image, size, grown = std::move(grown)]() -> WorkerPool::Completion {
        return [grown, done = grow_image(image, size)] { grown(done); };
      });
    };
    return volumes;
  }

  BindPod binder() {
    if (options_.bind_pod) return options_.bind_pod;
    return [this](const std::string& ns, const std::string& pod,
                  const std::string& node) -> Result<void> {
      json::object patch{{"spec", {{"nodeName", node}}}};
      auto bound = context_.api.merge_patch("pods", ns, pod, "", std::move(patch));
      if (!bound) return bound.error();
      return {};
    };
  }

  ClusterOptions options_;
  Fd lock_;
  ObjectCaches caches_;
  EventRecorder events_;
  const ControllerContext context_;
  std::unique_ptr<PodIndex> pod_index_;
  std::unique_ptr<IoThread> background_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<RuncKubelet> kubelet_;
  std::unique_ptr<ServiceForwarder> forwarder_;
  std::unique_ptr<DnsServer> names_;
  std::vector<std::unique_ptr<Controller>> controllers_;
  NoNode no_node_;
};

}  // namespace

Result<std::unique_ptr<Cluster>> start_cluster(LocalClient& api, boost::asio::io_context& io,
                                               const Clock& clock, ClusterOptions options) {
  auto cluster = std::make_unique<RunningCluster>(api, io, clock, std::move(options));
  if (auto started = cluster->start(); !started) return started.error();
  return std::unique_ptr<Cluster>(std::move(cluster));
}

Result<void> clear_cluster(const fs::path& state_dir) {
  const auto directory = fs::absolute(state_dir).lexically_normal();
  const auto lock = lock_directory(directory);
  if (!lock) return lock.error();
  const auto network = reserve_network(directory);
  if (!network) return network.error();
  clear_remains(directory, network->plan);
  return {};
}

}  // namespace troupe::sim
