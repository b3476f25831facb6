#include <fmt/format.h>

#include <algorithm>

#include "actors/model/conditions.hpp"
#include "actors/model/endpoints.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::unit {
namespace {

// A Unit whose database does not run, or is closed, serves nobody, whatever its Pod's probes say.
// While nobody knows, for the operator has just started, what was ready stays so.
k8s::UnitPhase phase_of(const k8s::Unit& unit, const k8s::Pod& pod, k8s::ProcessState process,
                        Access access) {
  const bool runs =
      process == k8s::ProcessState::Running ||
      (process == k8s::ProcessState::Unknown && unit.status.phase == k8s::UnitPhase::Ready);
  const bool closed = access == Access::Opening || access == Access::FormerMember;
  if (pod_is_ready(pod) && pod.status.phase == "Running" && unit.spec.startup && runs && !closed)
    return k8s::UnitPhase::Ready;
  for (const auto phase : {k8s::UnitPhase::Pending, k8s::UnitPhase::Running,
                           k8s::UnitPhase::Succeeded, k8s::UnitPhase::Failed})
    if (pod.status.phase == k8s::to_string(phase)) return phase;
  return k8s::UnitPhase::Unknown;
}

k8s::ProcessState process_of(const World& w) {
  if (!w.agent || !w.agent->connected()) return k8s::ProcessState::Unknown;
  return static_cast<k8s::ProcessState>(w.agent->process.state);
}

k8s::ConditionStatus truth(bool b) {
  return b ? k8s::ConditionStatus::True : k8s::ConditionStatus::False;
}

k8s::List<k8s::ClaimInfo> claims(const World& w, k8s::Arena& arena) {
  std::vector<k8s::ClaimInfo> out;
  for (const auto& c : w.claims) {
    if (!c.live) continue;
    k8s::ClaimInfo info;
    info.name = c.live->metadata.name;
    info.volumeName = c.live->spec.volumeName;
    info.accessModes = c.live->status.accessModes;
    info.capacity.storage = c.live->status.capacity.get("storage");
    info.phase = c.live->status.phase;
    out.push_back(info);
  }
  return arena.list(out);
}

// A Unit's file may be in place since before this operator started: what nobody has rendered anew
// is as it was said to be.
bool config_is_synced(const World& w, const Memory& memory) {
  if (w.agent && !w.agent->config.error.empty()) return false;
  const auto& live = w.object->status.configSyncStatus;
  if (memory.rendered.empty()) return live && live->status == k8s::ConditionStatus::True;
  const auto config = rendering(w);
  return w.agent && config && memory.rendered == config->hash;
}

k8s::ConfigSyncStatus config_status(const World& w, const Memory& memory) {
  const auto status = truth(config_is_synced(w, memory));
  const auto& live = w.object->status.configSyncStatus;
  if (live && live->status == status) return *live;
  return {k8s::Time{std::chrono::floor<std::chrono::seconds>(w.wall)}, status};
}

// The reason of a replacement stands until the new Pod serves.
k8s::Text task_of(const World& w, std::string_view task, const k8s::UnitStatus& now,
                  k8s::Arena& arena) {
  if (!task.empty()) return arena.text(task);
  return now.phase == k8s::UnitPhase::Ready || !w.object->spec.startup ? k8s::Text()
                                                                       : w.object->status.task;
}

void set_ready(bool ready, const Decision& d, Conditions& conditions) {
  conditions.set("Ready", ready, ready ? "PodReady" : "PodNotReady",
                 ready             ? "it serves"
                 : d.doing.empty() ? "its Pod is not ready"
                                   : d.doing);
}

void set_conditions(const World& w, const Memory& memory, const k8s::UnitStatus& s,
                    const PodStanding& pod, const Decision& d, Conditions& conditions) {
  conditions.reconciled(d.guards);
  // What is about to go is not opened any more.
  switch (pod.task.empty() ? access_of(w, memory) : Access::NotOurs) {
    case Access::Opening:
      conditions.set("Ready", false, "Opening",
                     memory.open_error.empty()
                         ? "its database runs, and takes no clients before it is opened"
                         : "its database is not opened yet: " + memory.open_error);
      break;
    case Access::FormerMember:
      conditions.set("Ready", false, "FormerMember",
                     "it was a member of a MysqlReplication: its database starts closed and stays "
                     "so until a MysqlReplication that names the Unit opens it");
      break;
    case Access::NotOurs:
    case Access::Open:
      set_ready(s.phase == k8s::UnitPhase::Ready, d, conditions);
      break;
  }
  if (w.agent && w.agent->connected() && w.agent->config.restart_needed)
    conditions.set("RestartNeeded", true, "ConfigurationChanged",
                   "the configuration file is newer than the process: restart the Unit");
  if (pod.outdated)
    conditions.set("PodOutdated", true, "OperatorChanged",
                   "made by an earlier operator: what this one makes otherwise takes effect when "
                   "the Pod is replaced for another reason");
}

}  // namespace

void write_status(const World& w, Memory& memory, const PodStanding& pod, TimePoint now,
                  Decision& d) {
  const auto& o = *w.object;
  hold_refused(w.refused, d);
  const bool agent_runs = w.pod && w.pod->status.phase == "Running";
  const bool seen = !agent_runs || (w.agent && w.agent->stream != agent::StreamState::Connecting);
  if (memory.first_look.lasts(seen || o.status.observedGeneration == 0, now, d)) return;
  // The first one gives the condition its reason.
  std::stable_partition(d.guards.begin(), d.guards.end(),
                        [](const Guard& g) { return g.rule != kHandsOverFirst; });
  k8s::Arena arena;
  k8s::UnitStatus s;
  // A set that updates its Units one after the other goes on when this one says that it was.
  s.observedGeneration =
      w.pod && pod.undecided ? o.status.observedGeneration : o.metadata.generation;
  s.processState = process_of(w);
  if (w.pod && pod.task.empty()) {
    s.phase = phase_of(o, *w.pod, process_of(w), access_of(w, memory));
    s.nodeName = w.pod->spec.nodeName;
    s.hostIP = w.pod->status.hostIP;
    s.podIPs = w.pod->status.podIPs;
  } else if (!w.pod) {
    s.phase = k8s::UnitPhase::Pending;
  }
  if (w.node) {
    const auto* ready = w.node->status.conditions.find(&k8s::PodCondition::type, "Ready");
    s.nodeReady = truth(ready && ready->status == "True");
  }
  s.task = task_of(w, pod.task, s, arena);
  s.configSyncStatus = config_status(w, memory);
  s.persistentVolumeClaim = claims(w, arena);
  Conditions conditions(arena, o.status.conditions, o.metadata.generation, w.wall);
  set_conditions(w, memory, s, pod, d, conditions);
  s.conditions = conditions.list();
  if (k8s::same_json_text(s, o.status)) return;
  tell_changes(d, o, conditions, {kReconciled}, {kHandsOverFirst}, memory.warned);
  auto body = skeleton<k8s::Unit>(o.metadata.namespace_, o.metadata.name);
  body["metadata"].as_object()["uid"] = o.metadata.uid.view();
  body["status"] = boost::json::parse(k8s::to_json_text(s));
  d.add("status", Apply{ref_to(o), std::string(kManager), boost::json::serialize(body), true, {}});
}

}  // namespace troupe::actors::unit
