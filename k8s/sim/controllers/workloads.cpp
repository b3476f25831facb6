#include "k8s/sim/controllers/workloads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/work_queue.hpp"
#include "k8s/sim/kubelet/pod_status.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kDeployments = "deployments.apps";
constexpr std::string_view kReplicaSets = "replicasets.apps";
constexpr std::string_view kHashLabel = "pod-template-hash";

// Short, and the same for equal templates whatever the order of their members.
std::string template_hash(const json::value& pod_template) {
  return fmt::format("{:08x}", std::hash<json::value>()(pod_template) & 0xffffffff);
}

std::int64_t wanted_replicas(const json::value& object) {
  return number(object, {"spec", "replicas"}, 1);
}

// The objects whose controller is another one, by its uid.
class OwnedIndex {
 public:
  using Notify = std::function<void(const CachedObject& owned)>;

  // `notify` hears of each change of an owned object.
  OwnedIndex(ObjectCache& cache, Notify notify) : cache_(cache) {
    cache.subscribe(
        [this, notify = std::move(notify)](const CachedObject& before, const CachedObject& after) {
          if (before != nullptr)
            owned_[std::string(controller_uid(*before))].erase(key_of(*before));
          if (after != nullptr) owned_[std::string(controller_uid(*after))].insert(key_of(*after));
          const CachedObject& changed = after != nullptr ? after : before;
          if (!controller_uid(*changed).empty()) notify(changed);
        });
  }

  std::vector<CachedObject> of(const json::value& owner) const {
    std::vector<CachedObject> found;
    const auto keys = owned_.find(std::string(uid_of(owner)));
    if (keys == owned_.end()) return found;
    for (const ObjectKey& key : keys->second) {
      if (CachedObject object = cache_.find(key)) found.push_back(std::move(object));
    }
    return found;
  }

 private:
  ObjectCache& cache_;
  std::map<std::string, std::set<ObjectKey>> owned_;
};

// The key of the object's controller, if that is of this kind.
std::optional<ObjectKey> controller_key(const json::value& object, std::string_view kind) {
  for (const json::value& owner : items(object, {"metadata", "ownerReferences"})) {
    if (!flag(owner, {"controller"}) || text(owner, {"kind"}) != kind) continue;
    return ObjectKey{std::string(namespace_of(object)), std::string(text(owner, {"name"}))};
  }
  return std::nullopt;
}

class ReplicaSetController final : public Controller {
 public:
  explicit ReplicaSetController(const ControllerContext& context)
      : context_(context),
        sets_(context.caches.of(kReplicaSets)),
        queue_(context.io, [this](const ObjectKey& key) { reconcile(key); }),
        pods_(context.caches.of("pods"), [this](const CachedObject& pod) {
          if (auto owner = controller_key(*pod, "ReplicaSet")) queue_.add(std::move(*owner));
        }) {
    sets_.subscribe([this](const CachedObject&, const CachedObject& after) {
      if (after != nullptr) queue_.add(after);
    });
  }

 private:
  void reconcile(const ObjectKey& key) {
    const CachedObject set = sets_.find(key);
    if (set == nullptr) return;
    std::vector<CachedObject> pods = active_pods(*set);
    const auto missing = wanted_replicas(*set) - static_cast<std::int64_t>(pods.size());
    if (!is_deleting(*set)) {
      for (std::int64_t i = 0; i < missing; ++i) {
        if (!create_pod(*set)) break;
      }
      if (missing < 0) remove_pods(pods, static_cast<std::size_t>(-missing));
    }
    write_status(*set, active_pods(*set));
  }

  std::vector<CachedObject> active_pods(const json::value& set) const {
    std::vector<CachedObject> pods = pods_.of(set);
    std::erase_if(pods, [](const CachedObject& pod) {
      const std::string_view phase = text(*pod, {"status", "phase"});
      return is_deleting(*pod) || phase == "Succeeded" || phase == "Failed";
    });
    return pods;
  }

  bool create_pod(const json::value& set) {
    const json::value* pod_template = find(set, {"spec", "template"});
    json::object metadata = fields(*pod_template, {"metadata"});
    metadata["generateName"] = fmt::format("{}-", name_of(set));
    metadata["namespace"] = namespace_of(set);
    metadata["ownerReferences"] = json::array{json::value(controller_reference(set))};
    auto created = context_.api.create("pods", namespace_of(set),
                                       json::object{{"apiVersion", "v1"},
                                                    {"kind", "Pod"},
                                                    {"metadata", std::move(metadata)},
                                                    {"spec", fields(*pod_template, {"spec"})}});
    if (created) {
      context_.events.record(set, EventType::Normal, "SuccessfulCreate",
                             fmt::format("Created pod: {}", name_of(*created)),
                             "replicaset-controller");
      return true;
    }
    context_.events.record(set, EventType::Warning, "FailedCreate",
                           fmt::format("Error creating: {}", created.error().message),
                           "replicaset-controller");
    queue_.add_after(key_of(set), kRetryDelay);
    return false;
  }

  // Those that do the least first: not scheduled, not ready, youngest by name.
  void remove_pods(std::vector<CachedObject>& pods, std::size_t count) {
    std::sort(pods.begin(), pods.end(), [](const CachedObject& a, const CachedObject& b) {
      const auto rank = [](const json::value& pod) {
        return std::pair(!text(pod, {"spec", "nodeName"}).empty(), condition_is_true(pod, "Ready"));
      };
      return std::pair(rank(*a), name_of(*b)) < std::pair(rank(*b), name_of(*a));
    });
    for (std::size_t i = 0; i < count; ++i) {
      (void)context_.api.remove("pods", namespace_of(*pods[i]), name_of(*pods[i]));
    }
  }

  void write_status(const json::value& set, const std::vector<CachedObject>& pods) {
    const auto count = static_cast<std::int64_t>(pods.size());
    const std::int64_t ready = std::count_if(pods.begin(), pods.end(), [](const CachedObject& pod) {
      return condition_is_true(*pod, "Ready");
    });
    const json::object status{{"replicas", count},
                              {"fullyLabeledReplicas", count},
                              {"readyReplicas", ready},
                              {"availableReplicas", ready},
                              {"observedGeneration", number(set, {"metadata", "generation"})}};
    json::object patch = status_patch(set, status);
    if (patch.empty()) return;
    (void)context_.api.merge_patch(kReplicaSets, namespace_of(set), name_of(set), "status",
                                   std::move(patch));
  }

  static constexpr std::chrono::seconds kRetryDelay{1};

  const ControllerContext context_;
  ObjectCache& sets_;
  WorkQueue queue_;
  OwnedIndex pods_;
};

class DeploymentController final : public Controller {
 public:
  explicit DeploymentController(const ControllerContext& context)
      : context_(context),
        deployments_(context.caches.of(kDeployments)),
        queue_(context.io, [this](const ObjectKey& key) { reconcile(key); }),
        sets_(context.caches.of(kReplicaSets), [this](const CachedObject& set) {
          if (auto owner = controller_key(*set, "Deployment")) queue_.add(std::move(*owner));
        }) {
    deployments_.subscribe([this](const CachedObject&, const CachedObject& after) {
      if (after != nullptr) queue_.add(after);
    });
  }

 private:
  void reconcile(const ObjectKey& key) {
    const CachedObject deployment = deployments_.find(key);
    if (deployment == nullptr) return;
    const std::vector<CachedObject> sets = sets_.of(*deployment);
    const std::string hash = template_hash(*find(*deployment, {"spec", "template"}));
    CachedObject current;
    for (const CachedObject& set : sets) {
      if (text(*set, {"metadata", "labels", kHashLabel}) == hash) current = set;
    }
    if (!is_deleting(*deployment) && !flag(*deployment, {"spec", "paused"})) {
      roll(*deployment, sets, current, hash);
    }
    write_status(*deployment, sets_.of(*deployment), hash);
  }

  void roll(const json::value& deployment, const std::vector<CachedObject>& sets,
            const CachedObject& current, const std::string& hash) {
    const std::int64_t wanted = wanted_replicas(deployment);
    const bool recreate = text(deployment, {"spec", "strategy", "type"}) == "Recreate";
    const std::int64_t ready =
        current == nullptr ? 0 : number(*current, {"status", "readyReplicas"});
    bool old_ones_left = false;
    for (const CachedObject& set : sets) {
      if (set == current) continue;
      scale(*set, recreate
                      ? 0
                      : std::max<std::int64_t>(0, std::min(wanted_replicas(*set), wanted - ready)));
      old_ones_left = old_ones_left || number(*set, {"status", "replicas"}) > 0;
    }
    if (recreate && old_ones_left) return;
    if (current == nullptr) {
      create_set(deployment, hash, wanted);
    } else {
      scale(*current, wanted);
    }
  }

  void create_set(const json::value& deployment, const std::string& hash, std::int64_t replicas) {
    json::object pod_template = fields(deployment, {"spec", "template"});
    json::object& metadata = pod_template["metadata"].is_object()
                                 ? pod_template["metadata"].as_object()
                                 : pod_template["metadata"].emplace_object();
    json::object labels = fields(metadata, {"labels"});
    labels[kHashLabel] = hash;
    metadata["labels"] = labels;
    json::object selector = fields(deployment, {"spec", "selector"});
    json::object match = fields(deployment, {"spec", "selector", "matchLabels"});
    match[kHashLabel] = hash;
    selector["matchLabels"] = std::move(match);
    json::object own{{"name", fmt::format("{}-{}", name_of(deployment), hash)},
                     {"namespace", namespace_of(deployment)},
                     {"labels", std::move(labels)}};
    own["ownerReferences"] = json::array{json::value(controller_reference(deployment))};
    auto created = context_.api.create(kReplicaSets, namespace_of(deployment),
                                       json::object{{"apiVersion", "apps/v1"},
                                                    {"kind", "ReplicaSet"},
                                                    {"metadata", std::move(own)},
                                                    {"spec",
                                                     {{"replicas", replicas},
                                                      {"selector", std::move(selector)},
                                                      {"template", std::move(pod_template)}}}});
    context_.events.record(
        deployment, created ? EventType::Normal : EventType::Warning,
        created ? "ScalingReplicaSet" : "ReplicaSetCreateError",
        created ? fmt::format("Scaled up replica set {} to {}", name_of(*created), replicas)
                : created.error().message,
        "deployment-controller");
  }

  void scale(const json::value& set, std::int64_t replicas) {
    if (wanted_replicas(set) == replicas) return;
    json::object patch{{"spec", {{"replicas", replicas}}}};
    (void)context_.api.merge_patch(kReplicaSets, namespace_of(set), name_of(set), "",
                                   std::move(patch));
  }

  void write_status(const json::value& deployment, const std::vector<CachedObject>& sets,
                    const std::string& hash) {
    std::int64_t replicas = 0, updated = 0, ready = 0;
    for (const CachedObject& set : sets) {
      replicas += number(*set, {"status", "replicas"});
      ready += number(*set, {"status", "readyReplicas"});
      if (text(*set, {"metadata", "labels", kHashLabel}) == hash) {
        updated = number(*set, {"status", "replicas"});
      }
    }
    const std::int64_t wanted = wanted_replicas(deployment);
    json::object status{{"observedGeneration", number(deployment, {"metadata", "generation"})},
                        {"replicas", replicas},
                        {"updatedReplicas", updated},
                        {"readyReplicas", ready},
                        {"availableReplicas", ready},
                        {"unavailableReplicas", std::max<std::int64_t>(0, wanted - ready)}};
    status["conditions"] =
        conditions_of(deployment, ready >= wanted, ready >= wanted && updated == replicas);
    json::object patch = status_patch(deployment, status);
    if (patch.empty()) return;
    (void)context_.api.merge_patch(kDeployments, namespace_of(deployment), name_of(deployment),
                                   "status", std::move(patch));
  }

  json::array conditions_of(const json::value& deployment, bool available, bool complete) {
    json::array conditions = items(deployment, {"status", "conditions"});
    const WallTime now = context_.clock.wall();
    const auto set = [&](json::object condition) {
      set_condition(conditions, std::move(condition), now);
    };
    set({{"type", "Available"},
         {"status", available ? "True" : "False"},
         {"reason", available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable"},
         {"message", available ? "Deployment has minimum availability."
                               : "Deployment does not have minimum availability."}});
    set({{"type", "Progressing"},
         {"status", "True"},
         {"reason", complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated"},
         {"message", complete ? "The ReplicaSet has successfully progressed."
                              : "The ReplicaSet is progressing."}});
    // Follows the transition, so that an idle Deployment is not written.
    for (json::value& condition : conditions) {
      json::object& written = condition.as_object();
      if (!written.contains("lastUpdateTime")) {
        written["lastUpdateTime"] = written["lastTransitionTime"];
      }
    }
    return conditions;
  }

  const ControllerContext context_;
  ObjectCache& deployments_;
  WorkQueue queue_;
  OwnedIndex sets_;
};

}  // namespace

std::vector<std::unique_ptr<Controller>> make_workload_controllers(
    const ControllerContext& context) {
  std::vector<std::unique_ptr<Controller>> controllers;
  controllers.push_back(std::make_unique<ReplicaSetController>(context));
  controllers.push_back(std::make_unique<DeploymentController>(context));
  return controllers;
}

}  // namespace troupe::sim
