#include "k8s/sim/kubelet/pod_status.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

json::object terminated_state(const Termination& ended) {
  json::object state{{"exitCode", ended.exit_code},
                     {"reason", ended.reason},
                     {"startedAt", to_rfc3339(ended.started_at)},
                     {"finishedAt", to_rfc3339(ended.finished_at)},
                     {"containerID", "runc://" + ended.container_id}};
  if (ended.signal != 0) state["signal"] = ended.signal;
  if (!ended.message.empty()) state["message"] = ended.message;
  return {{"terminated", std::move(state)}};
}

json::object waiting_state(const ContainerRecord& container) {
  json::object state{{"reason", container.waiting_reason}};
  if (!container.waiting_message.empty()) state["message"] = container.waiting_message;
  return {{"waiting", std::move(state)}};
}

json::object current_state(const ContainerRecord& container) {
  switch (container.phase) {
    case ContainerPhase::Running:
      return {{"running", {{"startedAt", to_rfc3339(container.started_wall)}}}};
    case ContainerPhase::Dying:
      return terminated_state(*container.ended);
    case ContainerPhase::Starting:
      return {{"waiting", {{"reason", "ContainerCreating"}}}};
    case ContainerPhase::Exited:
      if (container.waiting_reason.empty()) return terminated_state(*container.ended);
      return waiting_state(container);
    case ContainerPhase::Waiting:
      return waiting_state(container);
  }
  return {};
}

// The termination that is over and done with: shown beside the current state.
const Termination* last_termination(const ContainerRecord& container) {
  const bool waits_again =
      container.phase == ContainerPhase::Starting ||
      (container.phase == ContainerPhase::Exited && !container.waiting_reason.empty());
  if (waits_again && container.ended) return &*container.ended;
  return container.last ? &*container.last : nullptr;
}

json::object container_status(const ContainerSpec& spec, const ContainerRecord& container) {
  const Termination* last = last_termination(container);
  json::object status{{"name", spec.name},
                      {"image", spec.image},
                      {"imageID", container.image_id},
                      {"ready", container.ready},
                      {"started", container.started},
                      {"restartCount", container.restarts},
                      {"state", current_state(container)},
                      {"lastState", last == nullptr ? json::object() : terminated_state(*last)}};
  if (!container.container_id.empty()) status["containerID"] = "runc://" + container.container_id;
  return status;
}

json::object condition(std::string_view type, bool holds, std::string_view reason = {},
                       std::string message = {}) {
  json::object result{{"type", type}, {"status", holds ? "True" : "False"}};
  if (!holds && !reason.empty()) result["reason"] = reason;
  if (!holds && !message.empty()) result["message"] = std::move(message);
  return result;
}

struct Readiness {
  std::vector<std::string> incomplete;  // init containers that have not done their part
  std::vector<std::string> unready;     // containers that count for readiness and are not
};

Readiness readiness_of(const PodSpec& spec, const PodRecord& record) {
  Readiness readiness;
  for (std::size_t i = 0; i < spec.containers.size(); ++i) {
    const ContainerRecord& container = record.containers[i];
    const ContainerRole role = spec.containers[i].role;
    if (role == ContainerRole::Init) {
      const bool done =
          container.phase == ContainerPhase::Exited && container.ended->exit_code == 0;
      if (!done && !record.initialized) readiness.incomplete.push_back(spec.containers[i].name);
      continue;
    }
    if (role == ContainerRole::Sidecar && !container.started && !record.initialized) {
      readiness.incomplete.push_back(spec.containers[i].name);
    }
    if (!container.ready) readiness.unready.push_back(spec.containers[i].name);
  }
  return readiness;
}

std::string named(std::string_view what, const std::vector<std::string>& containers) {
  return fmt::format("{}: [{}]", what, fmt::join(containers, " "));
}

bool gates_open(const json::value& pod) {
  for (const json::value& gate : items(pod, {"spec", "readinessGates"})) {
    if (!condition_is_true(pod, text(gate, {"conditionType"}))) return false;
  }
  return true;
}

json::array conditions_of(const json::value& pod, const PodSpec& spec, const PodRecord& record,
                          PodOutcome outcome, WallTime now) {
  json::array conditions = items(pod, {"status", "conditions"});
  const Readiness readiness = readiness_of(spec, record);
  const bool over = outcome != PodOutcome::Undecided;
  const std::string_view completed =
      outcome == PodOutcome::Succeeded ? "PodCompleted" : "PodFailed";
  const auto set = [&](json::object c) { set_condition(conditions, std::move(c), now); };

  set(condition("PodReadyToStartContainers", record.sandbox == SandboxPhase::Ready));
  set(condition("Initialized", readiness.incomplete.empty(), "ContainersNotInitialized",
                named("containers with incomplete status", readiness.incomplete)));
  const bool containers_ready = !over && readiness.unready.empty();
  const std::string unready =
      over ? "" : named("containers with unready status", readiness.unready);
  const std::string_view reason = over ? completed : "ContainersNotReady";
  set(condition("ContainersReady", containers_ready, reason, unready));
  if (containers_ready && !gates_open(pod)) {
    set(condition("Ready", false, "ReadinessGatesNotReady",
                  "a condition named in spec.readinessGates is not True"));
  } else {
    set(condition("Ready", containers_ready, reason, unready));
  }
  return conditions;
}

std::string_view phase_of(const PodRecord& record, PodOutcome outcome) {
  if (outcome == PodOutcome::Succeeded) return "Succeeded";
  if (outcome == PodOutcome::Failed) return "Failed";
  return record.initialized ? "Running" : "Pending";
}

bool main_begun(const PodSpec& spec, const PodRecord& record) {
  for (std::size_t i = 0; i < spec.containers.size(); ++i) {
    const ContainerRecord& container = record.containers[i];
    const bool begun =
        container.phase == ContainerPhase::Running || container.ended || container.last;
    if (spec.containers[i].role == ContainerRole::Main && begun) return true;
  }
  return false;
}

}  // namespace

void set_condition(json::array& conditions, json::object condition, WallTime now) {
  for (json::value& known : conditions) {
    if (text(known, {"type"}) != text(condition, {"type"})) continue;
    const bool same = text(known, {"status"}) == text(condition, {"status"});
    const std::string_view since = text(known, {"lastTransitionTime"});
    condition["lastTransitionTime"] = same && !since.empty() ? std::string(since) : to_rfc3339(now);
    // The API server may default fields of a condition; what did not change is left as it is.
    json::object merged = same ? known.as_object() : json::object();
    merged.erase("reason");
    merged.erase("message");
    for (auto& [key, value] : condition) merged[key] = std::move(value);
    known = std::move(merged);
    return;
  }
  condition["lastTransitionTime"] = to_rfc3339(now);
  conditions.push_back(std::move(condition));
}

json::object pod_status(const json::value& pod, const PodSpec& spec, const PodRecord& record,
                        const PodAddresses& addresses, WallTime started, WallTime now) {
  const PodOutcome outcome = outcome_of(spec, record);
  json::object status = fields(pod, {"status"});
  const bool running = record.initialized && main_begun(spec, record);
  status["phase"] = running || outcome != PodOutcome::Undecided ? phase_of(record, outcome)
                                                                : std::string_view("Pending");
  status["conditions"] = conditions_of(pod, spec, record, outcome, now);
  status["startTime"] = to_rfc3339(started);
  status["hostIP"] = addresses.host_ip;
  status["hostIPs"] = {{{"ip", addresses.host_ip}}};
  if (!addresses.pod_ip.empty()) {
    status["podIP"] = addresses.pod_ip;
    status["podIPs"] = {{{"ip", addresses.pod_ip}}};
  }
  if (!record.failure_reason.empty()) {
    status["reason"] = record.failure_reason;
    status["message"] = record.failure_message;
  }
  json::array init, main;
  for (std::size_t i = 0; i < spec.containers.size(); ++i) {
    json::array& list = spec.containers[i].role == ContainerRole::Main ? main : init;
    list.push_back(container_status(spec.containers[i], record.containers[i]));
  }
  if (!init.empty()) status["initContainerStatuses"] = std::move(init);
  status["containerStatuses"] = std::move(main);
  return status;
}

json::object status_patch(const json::value& pod, const json::object& status) {
  const json::object& before = fields(pod, {"status"});
  json::object changes;
  for (const auto& [key, value] : status) {
    const json::value* known = before.if_contains(key);
    if (known == nullptr || *known != value) changes[key] = value;
  }
  if (changes.empty()) return {};
  return {{"status", std::move(changes)}};
}

}  // namespace troupe::sim
