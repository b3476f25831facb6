#include "k8s/sim/api/pod_summary.hpp"

#include <fmt/format.h>

#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

const json::array& statuses(const json::object& pod, std::string_view path) {
  static const json::array kNone;
  const auto* found = array_at(pod, path);
  return found == nullptr ? kNone : *found;
}

bool is_true(const json::value& object, std::string_view path) {
  const auto* value = find(object, path);
  return value != nullptr && value->is_bool() && value->get_bool();
}

// A native sidecar: an init container that keeps running.
bool is_sidecar(const json::object& pod, std::string_view name) {
  for (const auto& container : statuses(pod, "spec.initContainers")) {
    if (string_at(container, "name") == name) {
      return string_at(container, "restartPolicy") == "Always";
    }
  }
  return false;
}

std::string ended_text(const json::value& terminated) {
  const auto reason = string_at(terminated, "reason");
  if (!reason.empty()) return std::string(reason);
  const auto signal = int_at(terminated, "signal").value_or(0);
  return signal != 0 ? fmt::format("Signal:{}", signal)
                     : fmt::format("ExitCode:{}", int_at(terminated, "exitCode").value_or(0));
}

// The first init container that is not done says what the pod does; empty when all are.
std::string init_text(const json::object& pod) {
  const auto& inits = statuses(pod, "status.initContainerStatuses");
  const auto total = statuses(pod, "spec.initContainers").size();
  for (std::size_t i = 0; i < inits.size(); ++i) {
    const auto& status = inits[i];
    const auto* terminated = find(status, "state.terminated");
    if (terminated != nullptr && int_at(*terminated, "exitCode").value_or(0) == 0) continue;
    if (is_sidecar(pod, string_at(status, "name")) && is_true(status, "started")) continue;
    if (terminated != nullptr) return "Init:" + ended_text(*terminated);
    const auto waiting = string_at(status, "state.waiting.reason");
    if (!waiting.empty() && waiting != "PodInitializing") return fmt::format("Init:{}", waiting);
    return fmt::format("Init:{}/{}", i, total);
  }
  return {};
}

bool has_condition(const json::object& pod, std::string_view type) {
  for (const auto& c : statuses(pod, "status.conditions")) {
    if (string_at(c, "type") == type) return string_at(c, "status") == "True";
  }
  return false;
}

std::string containers_text(const json::object& pod, std::string text) {
  bool running = false;
  const auto& containers = statuses(pod, "status.containerStatuses");
  for (auto it = containers.rbegin(); it != containers.rend(); ++it) {
    const auto waiting = string_at(*it, "state.waiting.reason");
    const auto* terminated = find(*it, "state.terminated");
    if (!waiting.empty()) {
      text = waiting;
    } else if (terminated != nullptr) {
      text = ended_text(*terminated);
    } else if (is_true(*it, "ready") && find(*it, "state.running") != nullptr) {
      running = true;
    }
  }
  if (text == "Completed" && running) text = has_condition(pod, "Ready") ? "Running" : "NotReady";
  return text;
}

}  // namespace

std::string pod_ready_text(const json::object& pod) {
  std::size_t ready = 0;
  std::size_t total = statuses(pod, "spec.containers").size();
  for (const auto& status : statuses(pod, "status.containerStatuses")) {
    if (is_true(status, "ready") && find(status, "state.running") != nullptr) ++ready;
  }
  for (const auto& container : statuses(pod, "spec.initContainers")) {
    if (string_at(container, "restartPolicy") == "Always") ++total;
  }
  for (const auto& status : statuses(pod, "status.initContainerStatuses")) {
    if (is_sidecar(pod, string_at(status, "name")) && is_true(status, "ready")) ++ready;
  }
  return fmt::format("{}/{}", ready, total);
}

std::string pod_status_text(const json::object& pod) {
  std::string text(string_at(pod, "status.phase"));
  const auto reason = string_at(pod, "status.reason");
  if (!reason.empty()) text = reason;
  for (const auto& c : statuses(pod, "status.conditions")) {
    if (string_at(c, "type") == "PodScheduled" && string_at(c, "reason") == "SchedulingGated") {
      text = "SchedulingGated";
    }
  }
  auto init = init_text(pod);
  text = init.empty() ? containers_text(pod, std::move(text)) : std::move(init);
  if (is_deleting(pod)) {
    if (reason == "NodeLost") return "Unknown";
    const auto phase = string_at(pod, "status.phase");
    if (phase != "Succeeded" && phase != "Failed") return "Terminating";
  }
  return text;
}

std::string pod_restarts_text(const json::object& pod, WallTime now) {
  std::int64_t restarts = 0;
  std::string_view last;
  const auto count = [&](const json::value& status) {
    restarts += int_at(status, "restartCount").value_or(0);
    last = std::max(last, string_at(status, "lastState.terminated.finishedAt"));
  };
  for (const auto& status : statuses(pod, "status.containerStatuses")) count(status);
  for (const auto& status : statuses(pod, "status.initContainerStatuses")) {
    if (is_sidecar(pod, string_at(status, "name"))) count(status);
  }
  if (restarts == 0 || last.empty()) return std::to_string(restarts);
  return fmt::format("{} ({} ago)", restarts, age_since(last, now));
}

std::string pod_gates_text(const json::object& pod) {
  const auto& gates = statuses(pod, "spec.readinessGates");
  if (gates.empty()) return "<none>";
  std::size_t met = 0;
  for (const auto& gate : gates) met += has_condition(pod, string_at(gate, "conditionType"));
  return fmt::format("{}/{}", met, gates.size());
}

}  // namespace troupe::sim
