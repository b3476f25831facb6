#include <fmt/format.h>

#include "actors/model/endpoints.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/flag.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"

namespace troupe::actors {
namespace {

using namespace unit;

constexpr std::string_view kFinalizer = "upm.io/pod-delete";
// What failedPodRecoveryPolicy.reconcileThreshold counts.
constexpr std::chrono::seconds kRecoveryStep{10};

bool forced(const World& w) {
  return flag_of(w.object->metadata.annotations.get(kForceDeleteAnnotation)).value_or(false);
}

// What cannot be read leaves the server alone.
bool in_maintenance(const World& w) {
  return flag_of(w.object->metadata.annotations.get(kMaintenanceAnnotation)).value_or(true);
}

void watch_agent(const World& w, Decision& d) {
  if (!w.pod || !d.agents.empty()) return;
  if (auto endpoint = agent_of(*w.pod)) d.agents.push_back(std::move(*endpoint));
}

constexpr auto kReplacing = "replacing its Pod";

// The database is shut down in order before its Pod goes.
void remove_pod(const World& w, Decision& d) {
  const auto endpoint = agent_of(*w.pod);
  Delete gone{ref_to(*w.pod), w.pod->metadata.uid.str(), {}};
  if (forced(w)) {
    // Also one that its node has not let go of.
    gone.grace_seconds = 0;
    d.add("delete Pod at once", std::move(gone));
    return;
  }
  if (w.pod->metadata.deletionTimestamp) return;
  if (process_may_run(w))
    d.add("stop", AskAgent{*endpoint, agent::StopProcess{}, w.agent->highest_epoch},
          std::chrono::minutes(2));
  else
    d.add("delete Pod", std::move(gone));
}

// True once no claim is left that goes with the Unit.
bool remove_claims(const World& w, Decision& d) {
  const auto& policy = w.object->spec.persistentVolumeClaimRetentionPolicy;
  if (policy.whenDeleted == k8s::ClaimRetention::Retain) return true;
  bool gone = true;
  for (const auto& c : w.claims) {
    if (!c.live) continue;
    gone = false;
    if (!c.live->metadata.deletionTimestamp)
      d.add("delete PersistentVolumeClaim " + c.name,
            Delete{ref_to(*c.live), c.live->metadata.uid.str(), {}});
  }
  return gone;
}

// The database, its Pod, its data if it shall go; then the object.
Decision end(const World& w, Memory& memory, TimePoint now) {
  Decision d;
  d.doing = "being deleted";
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer)) return d;
  // Its agent has to be reached until the Pod is gone.
  if (w.pod && w.certificate) keep_certificate(w, now, d);
  if (w.pod && is_source(*w.pod) && !forced(w)) {
    d.hold("UnitIsSource",
           fmt::format("{} is the source of replication {}: switch over to another Unit, or delete "
                       "the replication first",
                       w.object->metadata.name, w.pod->metadata.labels.get(kReplicationLabel)));
  } else if (w.pod) {
    remove_pod(w, d);
  } else if (remove_claims(w, d)) {
    set_finalizer(d, ref_to(*w.object), w.object->metadata, kFinalizer, false);
    return d;
  }
  watch_agent(w, d);
  write_status(w, memory, {}, now, d);
  return d;
}

// What the Pod needs and the user has to supply, or we have not made yet.
bool everything_is_there(const World& w, Decision& d) {
  const auto before = d.guards.size();
  const auto& spec = w.object->spec;
  const auto ns = w.object->metadata.namespace_;
  const auto need_map = [&](k8s::Text name, bool there, std::string_view field) {
    if (!name.empty() && !there)
      d.hold("ConfigMapMissing",
             fmt::format("ConfigMap {}/{} (spec.{}) does not exist", ns, name, field));
  };
  need_map(spec.configTemplateName, bool(w.config_template), "configTemplateName");
  need_map(spec.configValueName, bool(w.config_values), "configValueName");
  need_map(spec.sharedConfigName, bool(w.shared), "sharedConfigName");
  for (const auto& text : w.missing)
    d.hold(text.starts_with("Secret") ? "SecretMissing" : "ConfigMapMissing",
           text + ", which the Pod template names, does not exist");
  const auto& main = w.main_container;
  const auto* containers = find_array(template_spec(w), "containers");
  if (!containers || !find_named(*containers, main))
    d.hold("MainContainerMissing",
           main.empty() ? "spec.template has no container"
                        : fmt::format("spec.template has no container named {}", main));
  return d.guards.size() == before;
}

// A Pod that has ended is made again after a while: what ended it may end the next one, too.
std::string_view replace_ended_pod(const World& w, Memory& memory, TimePoint now, Decision& d) {
  const auto& policy = w.object->spec.failedPodRecoveryPolicy;
  const auto& status = w.pod->status;
  if (!policy.enabled) {
    d.hold("PodFailed", fmt::format("the Pod has ended ({}) and failedPodRecoveryPolicy is off: "
                                    "delete it to have it made again",
                                    status.phase));
    return {};
  }
  const auto patience = kRecoveryStep * policy.reconcileThreshold;
  if (memory.failed_since == TimePoint{}) memory.failed_since = now;
  const auto due = memory.failed_since + patience;
  // It can never start where it is.
  if (now < due && status.reason != "NodeAffinity") {
    d.hold("PodFailed", fmt::format("the Pod has ended ({}): it is made again after {} s",
                                    status.phase, patience.count()));
    d.wake_at(due);
    return {};
  }
  d.doing = kReplacing;
  remove_pod(w, d);
  return "PodFailed";
}

// Whether the API server would take the Pod that is to follow. It is asked before the one that runs
// is given up: where it says no there would be none at all.
bool is_acceptable(const World& w, boost::json::object body, std::string_view hash,
                   const Memory& memory, Decision& d) {
  if (memory.accepted == hash) return true;
  // A name that no Pod has: what is there already cannot be tried again.
  auto pod = ref<k8s::Pod>(w.object->metadata.namespace_,
                           fmt::format("{}-{}", w.object->metadata.name, hash));
  body["metadata"].as_object()["name"] = pod.name;
  d.add(fmt::format("{}{}", kTryKey, hash), Apply{.object = std::move(pod),
                                                  .manager = std::string(kManager),
                                                  .body = boost::json::serialize(body),
                                                  .dry_run = true});
  return false;
}

// An operator that makes another Pod of the same Unit leaves the one that runs alone: all databases
// would restart at once. A Pod without the Unit's hash is such a one, from before there was any.
PodStanding keep_running_pod(const World& w, boost::json::object body, Memory& memory,
                             TimePoint now, Decision& d) {
  const auto& live = w.pod->metadata;
  const auto hash = live.annotations.get(kUnitHash);
  const auto wanted = annotation_of(body, kUnitHash);
  if (!hash.empty() && hash != wanted) {
    const bool goes_anyway = forced(w) || live.deletionTimestamp;
    if (!goes_anyway && !is_acceptable(w, std::move(body), wanted, memory, d))
      return {.outdated = memory.pod_outdated, .undecided = true};
    d.doing = kReplacing;
    if (goes_anyway || may_end(w, kToBeReplaced, memory, now, d)) remove_pod(w, d);
    return {"TemplateChanged"};
  }
  if (w.object->spec.startup) take_back_hand_over(w, memory, d);
  const auto made_with = live.annotations.get(kTemplateHash);
  const bool outdated = made_with != annotation_of(body, kTemplateHash);
  if (live.deletionTimestamp) return {{}, outdated};
  const auto pod = ref_to(*w.pod);
  if (!outdated) {
    ensure(d, "Pod", pod, kManager, std::move(body), &live);
  } else {
    body.erase("spec");
    body["metadata"].as_object()["annotations"].as_object().erase(kTemplateHash);
    ensure(d, "Pod", pod, kMetadataManager, std::move(body), &live);
  }
  return {{}, outdated};
}

PodStanding keep_pod(const World& w, Memory& memory, TimePoint now, Decision& d) {
  if (!w.pod) {
    if (!w.certificate || !accounts_to_make(w).empty()) return {};
    const auto pod = ref<k8s::Pod>(w.object->metadata.namespace_, w.object->metadata.name);
    d.add("create Pod",
          Apply{pod, std::string(kManager), boost::json::serialize(pod_body(w)), false, {}});
    return {};
  }
  const auto& phase = w.pod->status.phase;
  if (phase == "Failed" || phase == "Succeeded") return {replace_ended_pod(w, memory, now, d)};
  memory.failed_since = TimePoint{};
  PodStanding standing{{}, memory.pod_outdated};
  const auto inputs =
      Inputs().specified(w.object).specified(w.pod).specified(w.bound_node).text(w.image);
  memory.pod.keep(inputs, d, [&] { standing = keep_running_pod(w, pod_body(w), memory, now, d); });
  memory.pod_outdated = standing.outdated;
  return standing;
}

}  // namespace

Decision UnitKind::decide(const World& w, Memory& memory, TimePoint now) {
  if (!w.object) return {};
  if (w.object->metadata.deletionTimestamp) return end(w, memory, now);
  Decision d;
  d.doing = "keeping its Pod";
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer))
    set_finalizer(d, ref_to(*w.object), w.object->metadata, kFinalizer, true);
  PodStanding pod;
  if (everything_is_there(w, d)) {
    keep_claims(w, d);
    keep_certificate(w, now, d);
    keep_made_accounts(w, d);
    hold_unreadable_accounts(w, d);
    keep_binding(w, d);
    pod = keep_pod(w, memory, now, d);
    if (w.pod && !w.pod->metadata.deletionTimestamp) hold_waiting_pod(*w.pod, d);
    if (pod.task.empty() && w.pod && !w.pod->metadata.deletionTimestamp && !in_maintenance(w)) {
      drive_agent(w, memory, now, d);
    } else if (!pod.task.empty()) {
      memory.opened.clear();  // as where it is stopped on order
    }
  } else {
    d.doing = "waiting for what it refers to";
    pod.undecided = true;
    if (w.certificate) keep_certificate(w, now, d);
  }
  watch_agent(w, d);
  write_status(w, memory, pod, now, d);
  return d;
}

}  // namespace troupe::actors
