#include "k8s/sim/controllers/scheduler.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/scheduling.hpp"
#include "k8s/sim/controllers/work_queue.hpp"
#include "k8s/sim/kubelet/pod_status.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kComponent = "default-scheduler";
constexpr std::string_view kSelectedNode = "volume.kubernetes.io/selected-node";

class Scheduler final : public Controller {
 public:
  Scheduler(const ControllerContext& context, const PodIndex& index, BindPod bind)
      : context_(context),
        index_(index),
        bind_(std::move(bind)),
        pods_(context.caches.of("pods")),
        nodes_(context.caches.of("nodes")),
        claims_(context.caches.of("persistentvolumeclaims")),
        classes_(context.caches.of("storageclasses.storage.k8s.io")),
        queue_(context.io, [this](const ObjectKey& key) { schedule(key); }) {
    pods_.subscribe([this](const CachedObject& before, const CachedObject& after) {
      account(before, after);
      if (after != nullptr && waits(*after)) queue_.add(after);
      if (after == nullptr) waiting_.erase(key_of(*before));
      const bool left = before != nullptr && occupies(before) && !occupies(after);
      if (left) retry_all();
    });
    nodes_.subscribe([this](const CachedObject& before, const CachedObject& after) {
      if (before == nullptr || after == nullptr || matters(*before, *after)) retry_all();
    });
    for (ObjectCache* cache : {&claims_, &classes_}) {
      cache->subscribe([this](const CachedObject&, const CachedObject&) { retry_all(); });
    }
  }

 private:
  static bool waits(const json::value& pod) {
    return text(pod, {"spec", "nodeName"}).empty() && !is_deleting(pod) &&
           items(pod, {"spec", "schedulingGates"}).empty() &&
           text(pod, {"spec", "schedulerName"}, "default-scheduler") == kComponent;
  }

  static bool occupies(const CachedObject& pod) {
    if (pod == nullptr || text(*pod, {"spec", "nodeName"}).empty()) return false;
    const std::string_view phase = text(*pod, {"status", "phase"});
    return phase != "Succeeded" && phase != "Failed";
  }

  // A heartbeat is no reason to try everything again.
  static bool matters(const json::value& before, const json::value& after) {
    return fields(before, {"spec"}) != fields(after, {"spec"}) ||
           fields(before, {"metadata", "labels"}) != fields(after, {"metadata", "labels"}) ||
           fields(before, {"status", "allocatable"}) != fields(after, {"status", "allocatable"});
  }

  void account(const CachedObject& before, const CachedObject& after) {
    if (occupies(before)) {
      usage_[std::string(text(*before, {"spec", "nodeName"}))] -= requests_of(*before);
    }
    if (occupies(after)) {
      usage_[std::string(text(*after, {"spec", "nodeName"}))] += requests_of(*after);
    }
  }

  void retry_all() {
    for (const ObjectKey& key : waiting_) queue_.add(key);
  }

  void schedule(const ObjectKey& key) {
    const CachedObject pod = pods_.find(key);
    if (pod == nullptr || !waits(*pod)) {
      waiting_.erase(key);
      return;
    }
    waiting_.insert(key);
    const auto to_bind = claims_to_bind(*pod);
    if (!to_bind) return give_up(*pod, to_bind.error().message);
    SchedulingView view{{}, &usage_, [this](const std::string& ns, const json::value* selector) {
                          return index_.select(ns, selector);
                        }};
    for (const auto& [name, node] : nodes_.all()) view.nodes.push_back(node);
    const auto node = choose_node(*pod, view);
    if (!node) return give_up(*pod, node.error().message);
    if (!to_bind->empty()) return select_node(*pod, *to_bind, *node);
    place(*pod, *node);
  }

  // Claims that get their volume only now that a node is known; an error when one is missing or
  // is bound without a consumer, and has not been yet.
  Result<std::vector<CachedObject>> claims_to_bind(const json::value& pod) const {
    std::vector<CachedObject> unbound;
    for (const json::value& volume : items(pod, {"spec", "volumes"})) {
      const std::string_view name = text(volume, {"persistentVolumeClaim", "claimName"});
      if (name.empty()) continue;
      const CachedObject claim = claims_.find({std::string(namespace_of(pod)), std::string(name)});
      if (claim == nullptr) {
        return error(Code::NotFound,
                     unavailable(fmt::format("persistentvolumeclaim \"{}\" not found", name)));
      }
      if (is_deleting(*claim)) {
        return error(Code::Retry, unavailable(fmt::format(
                                      "persistentvolumeclaim \"{}\" is being deleted", name)));
      }
      if (text(*claim, {"status", "phase"}) == "Bound") continue;
      const CachedObject storage =
          classes_.find({"", std::string(text(*claim, {"spec", "storageClassName"}))});
      const bool waits_for_consumer =
          storage != nullptr && text(*storage, {"volumeBindingMode"}) == "WaitForFirstConsumer";
      if (!waits_for_consumer) {
        return error(Code::Retry, unavailable("pod has unbound immediate PersistentVolumeClaims"));
      }
      unbound.push_back(claim);
    }
    return unbound;
  }

  std::string unavailable(std::string_view why) const {
    return fmt::format("0/{} nodes are available: {}.", nodes_.all().size(), why);
  }

  void select_node(const json::value& pod, const std::vector<CachedObject>& claims,
                   const std::string& node) {
    for (const CachedObject& claim : claims) {
      if (!text(*claim, {"metadata", "annotations", kSelectedNode}).empty()) continue;
      json::object patch{{"metadata", {{"annotations", {{kSelectedNode, node}}}}}};
      (void)context_.api.merge_patch("persistentvolumeclaims", namespace_of(pod), name_of(*claim),
                                     "", std::move(patch));
    }
  }

  void place(const json::value& pod, const std::string& node) {
    const ObjectKey key = key_of(pod);
    if (const auto bound = bind_(key.ns, key.name, node); !bound) {
      return give_up(pod, bound.error().message);
    }
    waiting_.erase(key);
    context_.events.record(pod, EventType::Normal, "Scheduled",
                           fmt::format("Successfully assigned {}/{} to {}", key.ns, key.name, node),
                           kComponent);
  }

  void give_up(const json::value& pod, const std::string& why) {
    json::array conditions = items(pod, {"status", "conditions"});
    set_condition(conditions,
                  {{"type", "PodScheduled"},
                   {"status", "False"},
                   {"reason", "Unschedulable"},
                   {"message", why}},
                  context_.clock.wall());
    if (conditions == items(pod, {"status", "conditions"})) return;
    context_.events.record(pod, EventType::Warning, "FailedScheduling", why, kComponent);
    json::object patch{{"status", {{"conditions", std::move(conditions)}}}};
    (void)context_.api.merge_patch("pods", namespace_of(pod), name_of(pod), "status",
                                   std::move(patch));
  }

  const ControllerContext context_;
  const PodIndex& index_;
  const BindPod bind_;
  ObjectCache& pods_;
  ObjectCache& nodes_;
  ObjectCache& claims_;
  ObjectCache& classes_;
  std::map<std::string, Usage> usage_;
  std::set<ObjectKey> waiting_;
  WorkQueue queue_;
};

}  // namespace

std::unique_ptr<Controller> make_scheduler(const ControllerContext& context, const PodIndex& pods,
                                           BindPod bind) {
  return std::make_unique<Scheduler>(context, pods, std::move(bind));
}

}  // namespace troupe::sim
