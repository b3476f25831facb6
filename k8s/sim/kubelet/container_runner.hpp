// One running instance of a container: sees its end, runs its hooks and probes, stops it.
// On the API server's thread. Destroying it stops the watching, not the process.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "k8s/sim/kubelet/death_watch.hpp"
#include "k8s/sim/kubelet/pod_spec.hpp"
#include "k8s/sim/kubelet/probes.hpp"
#include "k8s/sim/kubelet/process.hpp"

namespace troupe::sim {

// Never called from inside a call to the runner.
struct RunnerCallbacks {
  // Its process is dead, though not yet collected; comes at most once, and before exited.
  std::function<void(ExitStatus)> dying;
  std::function<void(ExitStatus)> exited;
  // The postStart hook is done and the startup probe has passed.
  std::function<void()> started;
  std::function<void(bool)> ready;
  // A probe failed (once); `probe` is "Liveness", "Readiness" or "Startup".
  std::function<void(std::string_view probe, const std::string& message)> probe_failed;
  // It must be restarted: a liveness or startup probe gave up, or postStart failed.
  std::function<void(const std::string& why, std::optional<std::chrono::seconds> grace)> condemned;
};

class ContainerRunner {
 public:
  ContainerRunner(boost::asio::io_context& io, DeathWatch& deaths, const ContainerSpec& spec,
                  HandlerTarget target, RunnerCallbacks callbacks);
  ~ContainerRunner();
  ContainerRunner(const ContainerRunner&) = delete;
  ContainerRunner& operator=(const ContainerRunner&) = delete;

  Result<void> watch(pid_t pid);

  // The preStop hook, for at most `grace`, then the signal; KILL when the grace is over.
  void stop(std::chrono::milliseconds grace, int signal);
  void kill();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
