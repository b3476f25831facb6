// What to do next for one pod: a pure function of its spec, of what is known of its containers, and
// of the time. The rules are the kubelet's: init containers in order, sidecars among them, main
// containers together; restarts by policy with backoff; termination of main containers first and
// sidecars last, in reverse order. No I/O; the PodWorker carries the actions out and reports back
// by changing the record.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "k8s/sim/kubelet/pod_spec.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

enum class ContainerPhase {
  Waiting,   // never started in this pod
  Starting,  // being created
  Running,
  Dying,   // its process is known to be dead, but not yet collected
  Exited,  // gone; `ended` says how
};

struct Termination {
  int exit_code = 0;
  int signal = 0;
  std::string reason;  // Completed, Error, OOMKilled, ...
  std::string message;
  std::string container_id;
  WallTime started_at, finished_at;
};

struct ContainerRecord {
  ContainerPhase phase = ContainerPhase::Waiting;
  std::string waiting_reason;  // shown while it waits: CrashLoopBackOff, ErrImagePull, ...
  std::string waiting_message;
  std::string container_id;
  std::string image_id;
  int pid = 0;  // of its process 1, in the host's numbers
  TimePoint started_at;
  WallTime started_wall;
  std::optional<Termination> ended;  // of the newest instance
  std::optional<Termination> last;   // of the one before
  int restarts = 0;
  int attempts = 0;      // instances begun, restarts and failed creations included
  bool started = false;  // running, its postStart hook done, its startup probe passed
  bool ready = false;
  bool stop_requested = false;
  TimePoint retry_at;   // not started again before
  Duration backoff{0};  // to be waited after the next exit; zero: start at once

  bool alive() const {
    return phase == ContainerPhase::Starting || phase == ContainerPhase::Running ||
           phase == ContainerPhase::Dying;
  }
};

enum class SandboxPhase { Absent, Preparing, Ready, Releasing, Released };

struct PodRecord {
  SandboxPhase sandbox = SandboxPhase::Absent;
  TimePoint sandbox_retry_at;
  std::vector<ContainerRecord> containers;  // as in the spec
  bool initialized = false;                 // latched: all init containers have done their part
  std::optional<TimePoint> kill_at;         // set when the pod is to end: the grace runs out then
  std::string failure_reason;               // why the kubelet itself failed the pod, or empty
  std::string failure_message;
};

// What the pod's object asks for.
enum class PodIntent {
  Run,
  Stop,  // deleted: terminate within the grace period, then release everything
  Kill,  // gone from the API server already: kill at once
};

enum class PodOutcome { Undecided, Succeeded, Failed };

struct PrepareSandbox {};
struct StartContainer {
  std::size_t index;
};
struct StopContainer {
  std::size_t index;
};
struct KillContainer {
  std::size_t index;
};
struct ReleaseSandbox {};
// Nothing of the pod is left on the node.
struct Forget {};
using PodAction = std::variant<PrepareSandbox, StartContainer, StopContainer, KillContainer,
                               ReleaseSandbox, Forget>;

struct PodDecision {
  std::vector<PodAction> actions;
  std::optional<TimePoint> wake_at;  // decide again then, if nothing happens before
};

PodRecord new_record(const PodSpec& spec);

PodDecision decide_pod(const PodSpec& spec, const PodRecord& record, PodIntent intent,
                       TimePoint now);

// How the pod ended, or that it has not: all main containers ended and none will be started again,
// or an init container failed for good, or the kubelet failed it.
PodOutcome outcome_of(const PodSpec& spec, const PodRecord& record);

bool all_initialized(const PodSpec& spec, const PodRecord& record);

struct BackoffLimits {
  Duration base = std::chrono::seconds(10);
  Duration cap = std::chrono::minutes(5);
  Duration forgiven_after = std::chrono::minutes(10);  // of running
};
// Books the end of a container's instance and when it may be started again: the first time at once,
// then after a delay that doubles.
void book_exit(ContainerRecord& container, Termination ended, const BackoffLimits& limits,
               TimePoint now);
// Books that an instance could not even be created.
void book_failed_start(ContainerRecord& container, std::string reason, std::string message,
                       TimePoint retry_at);

}  // namespace troupe::sim
