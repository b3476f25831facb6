#include "k8s/sim/kubelet/container_runner.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// The real kubelet gives postStart no deadline of its own; here a hook that hangs is an error.
constexpr std::chrono::minutes kPostStartDeadline{5};

}  // namespace

struct ContainerRunner::Impl : std::enable_shared_from_this<ContainerRunner::Impl> {
  Impl(asio::io_context& io_context, DeathWatch& death_watch, const ContainerSpec& container,
       HandlerTarget handler_target, RunnerCallbacks runner_callbacks)
      : io(io_context),
        deaths(death_watch),
        spec(container),
        target(std::move(handler_target)),
        callbacks(std::move(runner_callbacks)),
        kill_timer(io_context) {}

  Result<void> watch(pid_t process) {
    pid = process;
    began = std::chrono::steady_clock::now();
    auto watching = ExitWatch::start(io, pid, [weak = weak_from_this()](ExitStatus status) {
      const auto self = weak.lock();
      if (self == nullptr || self->closed) return;
      self->see_dying(status);
      self->kill_timer.cancel();
      self->callbacks.exited(status);
    });
    if (!watching) return watching.error();
    exit = std::move(*watching);
    deaths.add(pid, [weak = weak_from_this()](ExitStatus status) {
      if (const auto self = weak.lock()) self->see_dying(status);
    });
    asio::post(io, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->run_post_start();
    });
    return {};
  }

  void see_dying(ExitStatus status) {
    if (std::exchange(dead, true) || closed) return;
    deaths.forget(pid);
    end_probes();
    callbacks.dying(status);
  }

  void run_post_start() {
    if (dead || closed) return;
    if (!spec.post_start) return begin_startup();
    hook = run_handler(io, *spec.post_start, target, kPostStartDeadline,
                       [weak = weak_from_this()](Result<void> done) {
                         const auto self = weak.lock();
                         if (self == nullptr || self->dead || self->closed) return;
                         if (done) return self->begin_startup();
                         self->callbacks.condemned(
                             fmt::format("PostStartHook failed: {}", done.error().message), {});
                       });
  }

  void begin_startup() {
    if (!spec.startup) return finish_startup();
    startup = probe(*spec.startup, "Startup", [this](bool healthy) {
      if (healthy) return finish_startup();
      callbacks.condemned("Container failed startup probe", spec.startup->termination_grace);
    });
  }

  void finish_startup() {
    startup.reset();
    callbacks.started();
    if (dead || closed) return;
    if (spec.readiness) {
      readiness = probe(*spec.readiness, "Readiness", [this](bool ok) { callbacks.ready(ok); });
    } else {
      callbacks.ready(true);
    }
    if (!spec.liveness || dead || closed) return;
    liveness = probe(*spec.liveness, "Liveness", [this](bool healthy) {
      if (!healthy) {
        callbacks.condemned("Container failed liveness probe", spec.liveness->termination_grace);
      }
    });
  }

  std::unique_ptr<ProbeLoop> probe(const ProbeSpec& probe_spec, std::string_view name,
                                   std::function<void(bool)> verdict) {
    ProbeLoop::Callbacks probe_callbacks{
        [weak = weak_from_this(), name](const std::string& message) {
          const auto self = weak.lock();
          if (self != nullptr && !self->dead && !self->closed) {
            self->callbacks.probe_failed(name, message);
          }
        },
        [weak = weak_from_this(), verdict = std::move(verdict)](bool healthy) {
          const auto self = weak.lock();
          if (self != nullptr && !self->dead && !self->closed) verdict(healthy);
        }};
    const auto ran =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began);
    return std::make_unique<ProbeLoop>(io, probe_spec, target, ran, std::move(probe_callbacks));
  }

  void end_probes() {
    startup.reset();
    liveness.reset();
    readiness.reset();
    hook.reset();
  }

  void stop(milliseconds grace, int number) {
    // A container that is being stopped is not restarted for its health any more.
    startup.reset();
    liveness.reset();
    kill_timer.expires_after(grace);
    kill_timer.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
      const auto self = weak.lock();
      if (!cancelled && self != nullptr) self->exit.signal(SIGKILL);
    });
    if (!spec.pre_stop) return exit.signal(number);
    hook = run_handler(io, *spec.pre_stop, target, grace,
                       [weak = weak_from_this(), number](Result<void>) {
                         const auto self = weak.lock();
                         if (self != nullptr && !self->dead) self->exit.signal(number);
                       });
  }

  asio::io_context& io;
  DeathWatch& deaths;
  const ContainerSpec spec;
  const HandlerTarget target;
  const RunnerCallbacks callbacks;
  asio::steady_timer kill_timer;
  std::chrono::steady_clock::time_point began;
  pid_t pid = 0;
  ExitWatch exit;
  std::unique_ptr<HandlerRun> hook;
  std::unique_ptr<ProbeLoop> startup, liveness, readiness;
  bool dead = false;
  bool closed = false;
};

ContainerRunner::ContainerRunner(asio::io_context& io, DeathWatch& deaths,
                                 const ContainerSpec& spec, HandlerTarget target,
                                 RunnerCallbacks callbacks)
    : impl_(std::make_shared<Impl>(io, deaths, spec, std::move(target), std::move(callbacks))) {}

ContainerRunner::~ContainerRunner() {
  impl_->closed = true;
  impl_->kill_timer.cancel();
  impl_->deaths.forget(impl_->pid);
  // One of them may be what is calling us.
  asio::post(impl_->io, [impl = impl_] { impl->end_probes(); });
}

Result<void> ContainerRunner::watch(pid_t pid) { return impl_->watch(pid); }

void ContainerRunner::stop(milliseconds grace, int signal) { impl_->stop(grace, signal); }

void ContainerRunner::kill() { impl_->exit.signal(SIGKILL); }

}  // namespace troupe::sim
