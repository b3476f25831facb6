#include "k8s/sim/kubelet/runc_kubelet.hpp"

#include <fmt/format.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/work_queue.hpp"
#include "k8s/sim/kubelet/pod_network.hpp"
#include "k8s/sim/kubelet/pod_worker.hpp"
#include "k8s/sim/kubelet/remains.hpp"

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

// Starting a container is mostly waiting for runc: a few more than there are cores here.
constexpr int kWorkers = 4;
// How often tokens are looked at; they are renewed at four fifths of their life.
constexpr std::chrono::seconds kTokenCheck{30};

// An overlay cannot lie on an overlay: where the state directory is inside of a container, the
// containers' layers go to memory.
Result<void> make_layers_directory(const fs::path& pods) {
  std::error_code ignored;
  fs::create_directories(pods, ignored);
  struct statfs info;
  if (statfs(pods.c_str(), &info) != 0 || info.f_type != OVERLAYFS_SUPER_MAGIC) return {};
  if (mount("tmpfs", pods.c_str(), "tmpfs", 0, "mode=0755") == 0) return {};
  return error(Code::Fatal,
               fmt::format("{} lies on an overlay file system, and no tmpfs could be mounted there",
                           pods.string()));
}

}  // namespace

struct RuncKubelet::Impl {
  Impl(LocalClient& api, asio::io_context& io_context, const Clock& clock, EventRecorder& events,
       ObjectCaches& object_caches, IoThread& background, RuncKubeletOptions given)
      : io(io_context),
        caches(object_caches),
        options(std::move(given)),
        workers(std::make_unique<WorkerPool>(io_context, kWorkers)),
        deaths(io_context),
        addresses(options.plan.pods(), AddressPlan::kNodeAddresses),
        services{io_context,
                 api,
                 clock,
                 events,
                 object_caches,
                 *workers,
                 background,
                 deaths,
                 images,
                 addresses,
                 options.plan,
                 cluster_tag(options.state_dir),
                 options.state_dir,
                 options.backoff,
                 options.issue_token,
                 0},
        queue(io_context, [this](const ObjectKey& key) { look_at(key); }),
        token_timer(io_context) {
    for (auto& [name, root] : options.images) images.map(name, root);
    caches.of("nodes");
    caches.of("services");
    caches.of("persistentvolumes");
    caches.of("pods").subscribe([this](const CachedObject& before, const CachedObject& after) {
      queue.add(after != nullptr ? after : before);
    });
    for (const char* resource : {"configmaps", "secrets", "persistentvolumeclaims"}) {
      follow_dependency(resource);
    }
  }

  void follow_dependency(const char* resource) {
    caches.of(resource).subscribe(
        [this, resource](const CachedObject& before, const CachedObject& after) {
          const ObjectKey key = key_of(after != nullptr ? *after : *before);
          // Posted: this may be inside somebody's write.
          asio::post(io, [this, alive = std::weak_ptr(life), resource, key] {
            if (alive.expired()) return;
            for (const auto& [uid, pod] : pods) {
              if (pod.key.ns == key.ns) pod.worker->dependency_changed(resource, key.name);
            }
          });
        });
  }

  void look_at(const ObjectKey& key) {
    const CachedObject pod = caches.of("pods").find(key);
    const std::string uid(pod == nullptr ? "" : uid_of(*pod));
    const auto known = uid_of_key.find(key);
    if (known != uid_of_key.end() && known->second != uid) {
      const auto gone = pods.find(known->second);
      if (gone != pods.end()) gone->second.worker->object_gone();
      finished.erase(known->second);
      uid_of_key.erase(known);
    }
    if (pod == nullptr || text(*pod, {"spec", "nodeName"}).empty()) return;
    if (finished.contains(uid)) return;
    uid_of_key[key] = uid;
    const auto running = pods.find(uid);
    if (running != pods.end()) {
      running->second.worker->update(pod);
    } else {
      admit(key, uid, pod);
    }
  }

  void admit(const ObjectKey& key, const std::string& uid, const CachedObject& pod) {
    auto forgotten = [this, alive = std::weak_ptr(life), uid, key] {
      if (alive.expired()) return;
      pods.erase(uid);
      // Its object may stay for finalizers; it is not started again.
      const auto known = uid_of_key.find(key);
      if (known != uid_of_key.end() && known->second == uid) finished.insert(uid);
    };
    pods.emplace(uid, Pod{key, std::make_unique<PodWorker>(services, pod, std::move(forgotten))});
  }

  void renew_tokens() {
    token_timer.expires_after(kTokenCheck);
    token_timer.async_wait([this](const boost::system::error_code& cancelled) {
      if (cancelled) return;
      for (const auto& [uid, pod] : pods) pod.worker->refresh_volumes();
      renew_tokens();
    });
  }

  Result<PodWorker*> worker_of(const ContainerRef& ref) {
    const auto found = pods.find(ref.pod_uid);
    if (found != pods.end()) return found->second.worker.get();
    return error(Code::NotFound, fmt::format("pod \"{}\" is not on this node", ref.pod));
  }

  struct Pod {
    ObjectKey key;
    std::unique_ptr<PodWorker> worker;
  };

  asio::io_context& io;
  ObjectCaches& caches;
  const RuncKubeletOptions options;
  std::unique_ptr<WorkerPool> workers;
  ImageStore images;
  DeathWatch deaths;
  AddressPool addresses;
  NodeServices services;
  std::map<std::string, Pod> pods;  // by uid
  std::map<ObjectKey, std::string> uid_of_key;
  std::set<std::string> finished;  // uids whose pod ended while its object is still there
  WorkQueue queue;
  asio::steady_timer token_timer;
  std::shared_ptr<int> life = std::make_shared<int>();
};

RuncKubelet::RuncKubelet(LocalClient& api, asio::io_context& io, const Clock& clock,
                         EventRecorder& events, ObjectCaches& caches, IoThread& background,
                         RuncKubeletOptions options)
    : impl_(
          std::make_unique<Impl>(api, io, clock, events, caches, background, std::move(options))) {}

RuncKubelet::~RuncKubelet() { stop(); }

Result<void> RuncKubelet::start() {
  // Containers outlive the runc that started them and become our children, so that their end and
  // status are seen at once. A write to a closed pipe must be an error, not a signal.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signal(SIGPIPE, SIG_IGN);
  const RuncKubeletOptions& options = impl_->options;
  clear_remains(options.state_dir, options.plan);
  if (auto made = make_layers_directory(options.state_dir / "pods"); !made) return made;
  impl_->renew_tokens();
  return create_cluster_network(impl_->services.tag, options.plan, options.nodes);
}

void RuncKubelet::stop() {
  if (impl_->workers == nullptr) return;
  impl_->life.reset();
  impl_->token_timer.cancel();
  impl_->pods.clear();
  impl_->workers.reset();
  clear_remains(impl_->options.state_dir, impl_->options.plan);
}

void RuncKubelet::map_image(std::string name, fs::path root) {
  impl_->images.map(std::move(name), std::move(root));
  for (const auto& [uid, pod] : impl_->pods) pod.worker->images_changed();
}

Result<std::unique_ptr<NodeSession>> RuncKubelet::logs(const ContainerRef& container,
                                                       const LogOptions& options,
                                                       std::shared_ptr<LogSink> sink) {
  auto worker = impl_->worker_of(container);
  if (!worker) return worker.error();
  return (*worker)->logs(container.container, options, std::move(sink));
}

Result<std::unique_ptr<ExecSession>> RuncKubelet::exec(const ContainerRef& container,
                                                       const ExecOptions& options,
                                                       std::shared_ptr<ExecSink> sink) {
  auto worker = impl_->worker_of(container);
  if (!worker) return worker.error();
  return (*worker)->exec(container.container, options, std::move(sink));
}

Result<std::unique_ptr<PortSession>> RuncKubelet::port_forward(const ContainerRef& pod,
                                                               std::uint16_t port,
                                                               std::shared_ptr<PortSink> sink) {
  auto worker = impl_->worker_of(pod);
  if (!worker) return worker.error();
  return (*worker)->port_forward(port, std::move(sink));
}

}  // namespace troupe::sim
