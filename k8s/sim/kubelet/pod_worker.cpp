#include "k8s/sim/kubelet/pod_worker.hpp"

#include <algorithm>

#include "k8s/sim/kubelet/pod_worker_impl.hpp"

namespace troupe::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// The least that a preStop hook and a clean end get.
constexpr milliseconds kLeastGrace{100};

}  // namespace

// --- deciding ------------------------------------------------------------------------------------

void PodWorker::Impl::sync() {
  if (closed_) return;
  if (std::exchange(syncing_, true)) {
    sync_again_ = true;
    return;
  }
  std::optional<TimePoint> wake_at;
  do {
    sync_again_ = false;
    if (over_before_ && intent_ == PodIntent::Run) break;
    check_deadline();
    if (!record_.initialized) record_.initialized = all_initialized(spec_, record_);
    const bool ended = outcome_of(spec_, record_) != PodOutcome::Undecided;
    if (ended && !record_.kill_at) record_.kill_at = now() + spec_.termination_grace;
    PodDecision decision = decide_pod(spec_, record_, intent_, now());
    wake_at = decision.wake_at;
    for (const PodAction& action : decision.actions) {
      std::visit([this](const auto& a) { act(a); }, action);
    }
  } while (sync_again_ && !closed_);
  syncing_ = false;
  if (closed_) return;
  publish();
  arm(wake_at);
}

void PodWorker::Impl::arm(std::optional<TimePoint> wake_at) {
  if (spec_.active_deadline && intent_ == PodIntent::Run) {
    const TimePoint end = now() + *spec_.active_deadline -
                          std::chrono::duration_cast<Duration>(services_.clock.wall() - started_);
    if (end > now()) wake_at = wake_at ? std::min(*wake_at, end) : end;
  }
  timer_.cancel();
  if (!wake_at) return;
  timer_.expires_after(std::max(Duration::zero(), *wake_at - now()));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self != nullptr) self->sync();
  });
}

void PodWorker::Impl::check_deadline() {
  if (!spec_.active_deadline || !record_.failure_reason.empty()) return;
  if (services_.clock.wall() - started_ < *spec_.active_deadline) return;
  record_.failure_reason = "DeadlineExceeded";
  record_.failure_message = "Pod was active on the node longer than the specified deadline";
}

void PodWorker::Impl::note_deletion() {
  if (!is_deleting(*pod_) || intent_ == PodIntent::Kill) return;
  intent_ = PodIntent::Stop;
  const seconds grace(
      number(*pod_, {"metadata", "deletionGracePeriodSeconds"}, spec_.termination_grace.count()));
  // A later delete may shorten the grace, never lengthen it.
  const TimePoint kill_at = now() + grace;
  record_.kill_at = record_.kill_at ? std::min(*record_.kill_at, kill_at) : kill_at;
}

milliseconds PodWorker::Impl::remaining_grace() const {
  if (!record_.kill_at) return spec_.termination_grace;
  const auto left = std::chrono::duration_cast<milliseconds>(*record_.kill_at - now());
  return std::max(left, kLeastGrace);
}

void PodWorker::Impl::retry_now() {
  record_.sandbox_retry_at = {};
  for (ContainerRecord& container : record_.containers) {
    // A crash's backoff is the container's own doing and stays.
    if (container.waiting_reason != "CrashLoopBackOff") container.retry_at = {};
  }
}

// --- what clients ask ----------------------------------------------------------------------------

Result<std::unique_ptr<NodeSession>> PodWorker::Impl::logs(std::string_view container,
                                                           const LogOptions& options,
                                                           std::shared_ptr<LogSink> sink) {
  const auto i = spec_.index_of(container);
  if (!i) {
    return error(Code::Invalid,
                 fmt::format("container {} is not valid for pod {}", container, spec_.name));
  }
  const auto& log = options.previous ? runtime_[*i].previous_log : runtime_[*i].log;
  if (log == nullptr) {
    return error(Code::Invalid,
                 options.previous
                     ? fmt::format("previous terminated container \"{}\" in pod \"{}\" not found",
                                   container, spec_.name)
                     : fmt::format("container \"{}\" in pod \"{}\" is waiting to start: {}",
                                   container, spec_.name, record_.containers[*i].waiting_reason));
  }
  return read_container_log(services_.io, log, options, std::move(sink));
}

Result<std::unique_ptr<ExecSession>> PodWorker::Impl::exec(std::string_view container,
                                                           const ExecOptions& options,
                                                           std::shared_ptr<ExecSink> sink) {
  const auto i = spec_.index_of(container);
  if (!i || record_.containers[*i].phase != ContainerPhase::Running) {
    return error(Code::NotFound, fmt::format("container not found (\"{}\")", container));
  }
  if (options.argv.empty()) {
    return error(Code::Invalid,
                 "attach to a container's own process is not supported; use logs -f or exec");
  }
  return start_exec(services_.io,
                    {services_.state_dir / "runc", record_.containers[*i].container_id}, options,
                    std::move(sink));
}

Result<std::unique_ptr<PortSession>> PodWorker::Impl::port_forward(std::uint16_t port,
                                                                   std::shared_ptr<PortSink> sink) {
  if (record_.sandbox != SandboxPhase::Ready) {
    return error(Code::Invalid, fmt::format("pod {} is not running", spec_.name));
  }
  return start_port_forward(services_.io, address(), port, std::move(sink));
}

// --- the handle ----------------------------------------------------------------------------------

PodWorker::PodWorker(NodeServices& services, CachedObject pod, std::function<void()> forgotten)
    : impl_(std::make_shared<Impl>(services, pod, std::move(forgotten))) {
  impl_->update(std::move(pod));
}

PodWorker::~PodWorker() { impl_->close(); }

void PodWorker::update(CachedObject pod) { impl_->update(std::move(pod)); }
void PodWorker::object_gone() { impl_->object_gone(); }
void PodWorker::dependency_changed(std::string_view resource, std::string_view name) {
  impl_->dependency_changed(resource, name);
}
void PodWorker::images_changed() { impl_->images_changed(); }
void PodWorker::refresh_volumes() { impl_->refresh_volumes(); }

Result<std::unique_ptr<NodeSession>> PodWorker::logs(std::string_view container,
                                                     const LogOptions& options,
                                                     std::shared_ptr<LogSink> sink) {
  return impl_->logs(container, options, std::move(sink));
}

Result<std::unique_ptr<ExecSession>> PodWorker::exec(std::string_view container,
                                                     const ExecOptions& options,
                                                     std::shared_ptr<ExecSink> sink) {
  return impl_->exec(container, options, std::move(sink));
}

Result<std::unique_ptr<PortSession>> PodWorker::port_forward(std::uint16_t port,
                                                             std::shared_ptr<PortSink> sink) {
  return impl_->port_forward(port, std::move(sink));
}

}  // namespace troupe::sim
