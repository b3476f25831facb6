#include "k8s/sim/kubelet/fake_kubelet.hpp"

#include <map>
#include <string>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/work_queue.hpp"
#include "k8s/sim/kubelet/address_plan.hpp"
#include "k8s/sim/kubelet/pod_status.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

// Pods that run nowhere may have any address of 11.0.0.0/8: 16 million before one comes again.
constexpr std::uint32_t kFirstAddress = 11U << 24;
constexpr std::uint32_t kAddresses = 1U << 24;

class FakeKubelet final : public Controller {
 public:
  FakeKubelet(const ControllerContext& context, FakeKubeletOptions options)
      : context_(context),
        options_(options),
        pods_(context.caches.of("pods")),
        nodes_(context.caches.of("nodes")),
        starts_(context.io, [this](const ObjectKey& key) { start(key); }),
        ends_(context.io, [this](const ObjectKey& key) { end(key); }) {
    pods_.subscribe([this](const CachedObject&, const CachedObject& after) {
      if (after == nullptr || text(*after, {"spec", "nodeName"}).empty()) return;
      if (is_deleting(*after)) {
        ends_.add_after(key_of(*after), options_.gone_after);
      } else if (text(*after, {"status", "phase"}, "Pending") == "Pending") {
        starts_.add_after(key_of(*after), options_.ready_after);
      }
    });
  }

 private:
  void start(const ObjectKey& key) {
    const CachedObject pod = pods_.find(key);
    if (pod == nullptr || is_deleting(*pod)) return;
    const PodSpec spec = parse_pod(*pod);
    const WallTime now = context_.clock.wall();
    next_address_ = (next_address_ + 1) % kAddresses;
    const PodAddresses addresses{host_address(spec.node),
                                 to_string(Ipv4{kFirstAddress + next_address_})};
    const json::object status =
        pod_status(*pod, spec, running_record(spec, now), addresses, now, now);
    json::object patch = status_patch(*pod, status);
    patch["metadata"] = {{"uid", spec.uid}};
    (void)context_.api.merge_patch("pods", key.ns, key.name, "status", std::move(patch));
  }

  static PodRecord running_record(const PodSpec& spec, WallTime now) {
    PodRecord record = new_record(spec);
    record.sandbox = SandboxPhase::Ready;
    record.initialized = true;
    for (std::size_t i = 0; i < spec.containers.size(); ++i) {
      ContainerRecord& container = record.containers[i];
      const bool init = spec.containers[i].role == ContainerRole::Init;
      container.waiting_reason.clear();
      container.phase = init ? ContainerPhase::Exited : ContainerPhase::Running;
      if (init) container.ended = Termination{0, 0, "Completed", "", "fake", now, now};
      container.container_id = "fake-" + spec.uid;
      container.started_wall = now;
      container.started = !init;
      container.ready = true;
    }
    return record;
  }

  std::string host_address(const std::string& name) const {
    const CachedObject node = nodes_.find({"", name});
    if (node == nullptr) return {};
    for (const json::value& address : items(*node, {"status", "addresses"})) {
      if (text(address, {"type"}) == "InternalIP") return std::string(text(address, {"address"}));
    }
    return {};
  }

  void end(const ObjectKey& key) {
    const CachedObject pod = pods_.find(key);
    if (pod == nullptr || !is_deleting(*pod)) return;
    DeleteOptions options;
    options.grace_period_seconds = 0;
    options.uid = uid_of(*pod);
    (void)context_.api.remove("pods", key.ns, key.name, options);
  }

  const ControllerContext context_;
  const FakeKubeletOptions options_;
  ObjectCache& pods_;
  ObjectCache& nodes_;
  std::uint32_t next_address_ = 0;
  WorkQueue starts_;
  WorkQueue ends_;
};

}  // namespace

std::unique_ptr<Controller> make_fake_kubelet(const ControllerContext& context,
                                              FakeKubeletOptions options) {
  return std::make_unique<FakeKubelet>(context, options);
}

}  // namespace troupe::sim
