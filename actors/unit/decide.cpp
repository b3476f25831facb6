#include <fmt/format.h>

#include "actors/model/endpoints.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"

namespace troupe::actors {
namespace {

using namespace unit;

constexpr std::string_view kFinalizer = "upm.io/pod-delete";

void finalizers(const World& w, bool present, Decision& d) {
  const auto& o = *w.object;
  boost::json::array kept;
  for (const auto& f : o.metadata.finalizers)
    if (f != kFinalizer) kept.emplace_back(f.view());
  if (present) kept.emplace_back(kFinalizer);
  d.add(present ? "add finalizer" : "remove finalizer",
        MergePatch{ref_to(o),
                   boost::json::serialize(boost::json::object{
                       {"metadata",
                        {{"finalizers", std::move(kept)},
                         {"resourceVersion", std::to_string(o.metadata.resourceVersion.value)}}}}),
                   o.metadata.resourceVersion});
}

bool forced(const World& w) {
  return w.object->metadata.annotations.get(kForceDeleteAnnotation) == "true";
}

bool in_maintenance(const World& w) {
  return w.object->metadata.annotations.get(kMaintenanceAnnotation) == "true";
}

bool process_may_run(const World& w) {
  return w.agent && w.agent->connected() && w.agent->data == agent::DataState::Initialised &&
         w.agent->process.state != agent::ProcessState::Stopped &&
         w.agent->process.state != agent::ProcessState::Exited &&
         w.agent->process.state != agent::ProcessState::Fatal;
}

// The database is shut down in order before its Pod goes.
void remove_pod(const World& w, Decision& d) {
  const auto endpoint = agent_of(*w.pod);
  if (endpoint) d.agents.push_back(*endpoint);
  if (w.pod->metadata.deletionTimestamp) return;
  if (!forced(w) && process_may_run(w)) {
    d.add("stop", AskAgent{*endpoint, agent::StopProcess{}, w.agent->highest_epoch},
          std::chrono::minutes(2));
    return;
  }
  Delete gone{ref_to(*w.pod), w.pod->metadata.uid.str(), {}};
  if (forced(w)) gone.grace_seconds = 0;
  d.add("delete Pod", std::move(gone));
}

Decision end(const World& w) {
  Decision d;
  d.doing = "being deleted";
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer)) return d;
  const bool source = w.pod && w.pod->metadata.labels.get(kReadonlyLabel) == "false";
  if (source && !forced(w)) {
    d.hold("UnitIsSource",
           fmt::format("{} is the source of replication {}: switch over to another Unit, or delete "
                       "the replication first",
                       w.object->metadata.name, w.pod->metadata.labels.get(kReplicationLabel)));
    return d;
  }
  if (w.pod) {
    remove_pod(w, d);
    return d;
  }
  bool claims_left = false;
  if (w.object->spec.persistentVolumeClaimRetentionPolicy.whenDeleted ==
      k8s::ClaimRetention::Delete)
    for (const auto& c : w.claims) {
      if (!c.live) continue;
      claims_left = true;
      if (!c.live->metadata.deletionTimestamp)
        d.add("delete PersistentVolumeClaim " + c.name,
              Delete{ref_to(*c.live), c.live->metadata.uid.str(), {}});
    }
  if (!claims_left) finalizers(w, false, d);
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
  return d.guards.size() == before;
}

std::string_view keep_pod(const World& w, Memory& memory, TimePoint now, Decision& d) {
  const auto body = pod_body(w);
  const auto pod = ref<k8s::Pod>(w.object->metadata.namespace_, w.object->metadata.name);
  if (!w.pod) {
    if (!w.certificate || !accounts_to_make(w).empty()) return {};
    d.add("create Pod", Apply{ref<k8s::Pod>(w.object->metadata.namespace_, w.object->metadata.name),
                              std::string(kManager),
                              boost::json::serialize(body),
                              false,
                              {}});
    return {};
  }
  const auto& phase = w.pod->status.phase;
  if (phase == "Failed" || phase == "Succeeded") {
    const auto& policy = w.object->spec.failedPodRecoveryPolicy;
    if (!policy.enabled) {
      d.hold("PodFailed", "the Pod has ended and failedPodRecoveryPolicy is off: delete it");
      return {};
    }
    if (memory.failed_since == TimePoint{}) memory.failed_since = now;
    const auto due = memory.failed_since + std::chrono::seconds(10) * policy.reconcileThreshold;
    if (now < due) {
      d.wake_at(due);
      return "PodFailed";
    }
    remove_pod(w, d);
    return "PodFailed";
  }
  memory.failed_since = TimePoint{};
  if (w.pod->metadata.annotations.get(kTemplateHash) != template_hash(body)) {
    remove_pod(w, d);
    return "TemplateChanged";
  }
  if (!w.pod->metadata.deletionTimestamp) ensure(d, "Pod", pod, kManager, body, &w.pod->metadata);
  return {};
}

}  // namespace

Decision UnitKind::decide(const World& w, Memory& memory, TimePoint now) {
  if (!w.object) return {};
  if (w.object->metadata.deletionTimestamp) return end(w);
  Decision d;
  d.doing = "keeping its Pod";
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer)) finalizers(w, true, d);
  std::string_view task;
  if (everything_is_there(w, d)) {
    keep_claims(w, d);
    keep_certificate(w, d);
    keep_made_accounts(w, d);
    task = keep_pod(w, memory, now, d);
    if (task.empty() && w.pod && !w.pod->metadata.deletionTimestamp && !in_maintenance(w))
      drive_agent(w, memory, d);
    else if (!task.empty())
      d.doing = "replacing its Pod";
  } else {
    d.doing = "waiting for what it refers to";
  }
  if (w.pod && d.agents.empty())
    if (auto endpoint = agent_of(*w.pod)) d.agents.push_back(std::move(*endpoint));
  write_status(w, memory, task, d);
  return d;
}

}  // namespace troupe::actors
