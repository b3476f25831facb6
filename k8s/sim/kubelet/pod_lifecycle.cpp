#include "k8s/sim/kubelet/pod_lifecycle.hpp"

#include <algorithm>
#include <utility>

namespace troupe::sim {
namespace {

bool may_restart(const PodSpec& spec, const ContainerSpec& container,
                 const ContainerRecord& record) {
  if (container.role == ContainerRole::Sidecar) return true;
  const bool succeeded = record.ended && record.ended->exit_code == 0;
  if (container.role == ContainerRole::Init && succeeded) return false;
  switch (spec.restart_policy) {
    case RestartPolicy::Always:
      return true;
    case RestartPolicy::OnFailure:
      return !succeeded;
    case RestartPolicy::Never:
      return false;
  }
  return false;
}

bool ended_for_good(const PodSpec& spec, std::size_t i, const PodRecord& record) {
  const ContainerRecord& container = record.containers[i];
  return container.phase == ContainerPhase::Exited &&
         !may_restart(spec, spec.containers[i], container);
}

class Decider {
 public:
  Decider(const PodSpec& spec, const PodRecord& record, TimePoint now)
      : spec_(spec), record_(record), now_(now) {}

  PodDecision run() {
    if (record_.sandbox != SandboxPhase::Ready) {
      prepare_sandbox();
      return std::move(decision_);
    }
    if (!record_.initialized && !run_init_containers()) return std::move(decision_);
    for (std::size_t i = 0; i < spec_.containers.size(); ++i) {
      if (spec_.containers[i].role != ContainerRole::Init) start_when_due(i);
    }
    return std::move(decision_);
  }

  PodDecision stop() {
    const bool late = record_.kill_at && now_ >= *record_.kill_at;
    if (late) return kill();
    if (record_.kill_at) wake(*record_.kill_at);
    bool mains_alive = false;
    for (std::size_t i = 0; i < spec_.containers.size(); ++i) {
      if (spec_.containers[i].role == ContainerRole::Sidecar) continue;
      mains_alive = mains_alive || record_.containers[i].alive();
      request_stop(i);
    }
    if (!mains_alive) stop_last_sidecar();
    release_when_empty();
    return std::move(decision_);
  }

  PodDecision kill() {
    for (std::size_t i = 0; i < spec_.containers.size(); ++i) {
      if (record_.containers[i].phase == ContainerPhase::Running) {
        decision_.actions.push_back(KillContainer{i});
      }
    }
    release_when_empty();
    return std::move(decision_);
  }

  PodDecision forget_when_released() {
    if (record_.sandbox == SandboxPhase::Released) decision_.actions.push_back(Forget{});
    return std::move(decision_);
  }

 private:
  void prepare_sandbox() {
    if (record_.sandbox != SandboxPhase::Absent) return;
    if (now_ < record_.sandbox_retry_at) {
      wake(record_.sandbox_retry_at);
    } else {
      decision_.actions.push_back(PrepareSandbox{});
    }
  }

  // True when all have done their part; else the first that has not is seen to.
  bool run_init_containers() {
    for (std::size_t i = 0; i < spec_.containers.size(); ++i) {
      const ContainerRecord& container = record_.containers[i];
      switch (spec_.containers[i].role) {
        case ContainerRole::Init:
          if (container.phase == ContainerPhase::Exited && container.ended->exit_code == 0) break;
          start_when_due(i);
          return false;
        case ContainerRole::Sidecar:
          start_when_due(i);
          if (!container.started) return false;
          break;
        case ContainerRole::Main:
          return true;
      }
    }
    return true;
  }

  void start_when_due(std::size_t i) {
    const ContainerRecord& container = record_.containers[i];
    if (container.alive()) return;
    if (container.phase == ContainerPhase::Exited &&
        !may_restart(spec_, spec_.containers[i], container)) {
      return;
    }
    if (now_ < container.retry_at) {
      wake(container.retry_at);
    } else {
      decision_.actions.push_back(StartContainer{i});
    }
  }

  void request_stop(std::size_t i) {
    const ContainerRecord& container = record_.containers[i];
    if (container.phase == ContainerPhase::Running && !container.stop_requested) {
      decision_.actions.push_back(StopContainer{i});
    }
  }

  void stop_last_sidecar() {
    for (std::size_t i = spec_.containers.size(); i-- > 0;) {
      if (spec_.containers[i].role != ContainerRole::Sidecar) continue;
      if (!record_.containers[i].alive()) continue;
      request_stop(i);
      return;
    }
  }

  void release_when_empty() {
    const bool empty = std::none_of(record_.containers.begin(), record_.containers.end(),
                                    [](const ContainerRecord& c) { return c.alive(); });
    const bool idle =
        record_.sandbox == SandboxPhase::Ready || record_.sandbox == SandboxPhase::Absent;
    if (empty && idle) decision_.actions.push_back(ReleaseSandbox{});
  }

  void wake(TimePoint at) {
    decision_.wake_at = decision_.wake_at ? std::min(*decision_.wake_at, at) : at;
  }

  const PodSpec& spec_;
  const PodRecord& record_;
  const TimePoint now_;
  PodDecision decision_;
};

}  // namespace

PodRecord new_record(const PodSpec& spec) {
  PodRecord record;
  record.containers.resize(spec.containers.size());
  for (ContainerRecord& container : record.containers) {
    container.waiting_reason = "PodInitializing";
  }
  return record;
}

PodDecision decide_pod(const PodSpec& spec, const PodRecord& record, PodIntent intent,
                       TimePoint now) {
  Decider decider(spec, record, now);
  if (record.sandbox == SandboxPhase::Released) {
    return intent == PodIntent::Run ? PodDecision{} : decider.forget_when_released();
  }
  if (intent == PodIntent::Kill) return decider.kill();
  if (intent == PodIntent::Stop) return decider.stop();
  if (outcome_of(spec, record) != PodOutcome::Undecided) return decider.stop();
  return decider.run();
}

PodOutcome outcome_of(const PodSpec& spec, const PodRecord& record) {
  if (!record.failure_reason.empty()) return PodOutcome::Failed;
  bool failed = false;
  for (std::size_t i = 0; i < spec.containers.size(); ++i) {
    const ContainerRecord& container = record.containers[i];
    switch (spec.containers[i].role) {
      case ContainerRole::Sidecar:
        break;
      case ContainerRole::Init:
        if (ended_for_good(spec, i, record) && container.ended->exit_code != 0) {
          return PodOutcome::Failed;
        }
        break;
      case ContainerRole::Main:
        if (!ended_for_good(spec, i, record)) return PodOutcome::Undecided;
        failed = failed || container.ended->exit_code != 0;
        break;
    }
  }
  return failed ? PodOutcome::Failed : PodOutcome::Succeeded;
}

bool all_initialized(const PodSpec& spec, const PodRecord& record) {
  for (std::size_t i = 0; i < spec.containers.size(); ++i) {
    const ContainerRecord& container = record.containers[i];
    switch (spec.containers[i].role) {
      case ContainerRole::Init:
        if (container.phase != ContainerPhase::Exited || container.ended->exit_code != 0) {
          return false;
        }
        break;
      case ContainerRole::Sidecar:
        if (!container.started) return false;
        break;
      case ContainerRole::Main:
        break;
    }
  }
  return true;
}

void book_exit(ContainerRecord& container, Termination ended, const BackoffLimits& limits,
               TimePoint now) {
  if (now - container.started_at >= limits.forgiven_after) container.backoff = Duration::zero();
  container.phase = ContainerPhase::Exited;
  container.pid = 0;
  container.started = false;
  container.ready = false;
  container.stop_requested = false;
  container.ended = std::move(ended);
  container.retry_at = now + container.backoff;
  const bool waits = container.backoff > Duration::zero();
  container.waiting_reason = waits ? "CrashLoopBackOff" : "";
  container.waiting_message =
      waits ? "back-off " + to_text(container.backoff) + " restarting failed container" : "";
  container.backoff =
      waits ? std::min(container.backoff * 2, limits.cap) : std::min(limits.base, limits.cap);
}

void book_failed_start(ContainerRecord& container, std::string reason, std::string message,
                       TimePoint retry_at) {
  container.phase = container.ended ? ContainerPhase::Exited : ContainerPhase::Waiting;
  container.waiting_reason = std::move(reason);
  container.waiting_message = std::move(message);
  container.retry_at = retry_at;
}

}  // namespace troupe::sim
