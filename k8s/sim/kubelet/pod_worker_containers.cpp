// The containers of a pod: started, watched, probed, stopped, cleaned up.
#include <fstream>
#include <iterator>

#include "k8s/sim/kubelet/pod_worker_impl.hpp"
#include "k8s/sim/kubelet/remains.hpp"

namespace troupe::sim {

namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds kImageRetryDelay{5};
constexpr std::size_t kMaxTerminationMessage = 4096;
constexpr std::size_t kMaxLogTail = 2048;

}  // namespace

void PodWorker::Impl::act(const StartContainer& action) {
  const std::size_t i = action.index;
  ContainerRecord& container = record_.containers[i];
  auto plan = plan_container(i);
  if (!plan) {
    if (container.waiting_reason.ends_with("ImagePull") ||
        container.waiting_reason == "ImagePullBackOff") {
      sync_again_ = true;
      return;
    }
    container_not_started(i, {"CreateContainerConfigError", plan.error().message});
    sync_again_ = true;
    return;
  }
  ++container.attempts;
  container.phase = ContainerPhase::Starting;
  event(EventType::Normal, "Pulled",
        fmt::format("Container image \"{}\" already present on machine", spec_.containers[i].image),
        i);
  services_.workers.submit([weak = weak_from_this(), i, plan = std::move(*plan),
                            &log_io = services_.background.io()]() -> WorkerPool::Completion {
    auto outcome = start_container(plan, log_io);
    if (std::holds_alternative<StartFailure>(outcome)) {
      remove_container(plan.runc_root, plan.id, plan.directory);
    }
    return [weak, i, plan, outcome] {
      const auto self = weak.lock();
      if (self == nullptr || self->closed_) return;
      if (const auto* started = std::get_if<StartedContainer>(&outcome)) {
        self->container_started(i, plan, *started);
      } else {
        self->container_not_started(i, std::get<StartFailure>(outcome));
      }
      self->sync();
    };
  });
}

Result<ContainerPlan> PodWorker::Impl::plan_container(std::size_t i) {
  const ContainerSpec& spec = spec_.containers[i];
  const ContainerRecord& container = record_.containers[i];
  auto image = services_.images.resolve(spec.image);
  if (!image) {
    image_missing(i, image.error());
    return image.error();
  }
  auto environment = environment_for(i, *image);
  if (!environment) return environment.error();
  const std::string id = fmt::format("{}-{}-{}-{}", services_.tag, spec_.uid.substr(0, 8),
                                     spec.name, container.attempts);
  return ContainerPlan{
      id,
      pod_dir() / "containers" / fmt::format("{}-{}", spec.name, container.attempts),
      services_.state_dir / "runc",
      log_dir() / spec.name / fmt::format("{}.log", container.attempts),
      pod_dir() / "etc",
      fmt::format("{}/{}/{}-{}", cluster_cgroup(services_.tag), spec_.uid, spec.name,
                  container.attempts),
      netns(),
      pod_hostname(*pod_),
      std::move(*image),
      std::move(*environment),
      volumes_,
      pod_,
      spec.raw};
}

void PodWorker::Impl::image_missing(std::size_t i, const Error& failure) {
  ContainerRecord& container = record_.containers[i];
  const bool again =
      container.waiting_reason == "ErrImagePull" || container.waiting_reason == "ImagePullBackOff";
  const std::string& image = spec_.containers[i].image;
  event(EventType::Warning, "Failed",
        fmt::format("Failed to pull image \"{}\": {}", image, failure.message), i);
  if (again) {
    event(EventType::Normal, "BackOff", fmt::format("Back-off pulling image \"{}\"", image), i);
  }
  book_failed_start(container, again ? "ImagePullBackOff" : "ErrImagePull", failure.message,
                    now() + kImageRetryDelay);
}

Result<Environment> PodWorker::Impl::environment_for(std::size_t i, const Image& image) {
  Environment environment;
  for (const auto& [name, value] : image.config.env) environment.set(name, value);
  ObjectCache& services = services_.caches.of("services");
  if (const auto api = services.find({"default", "kubernetes"})) {
    add_service_environment(environment, *api);
  }
  if (flag(*pod_, {"spec", "enableServiceLinks"}, true)) {
    for (const CachedObject& service : services.in_namespace(spec_.ns)) {
      add_service_environment(environment, *service);
    }
  }
  auto added = add_container_environment(environment, facts(), spec_.containers[i].raw);
  if (!added) return added.error();
  return environment;
}

void PodWorker::Impl::container_started(std::size_t i, const ContainerPlan& plan,
                                        const StartedContainer& started) {
  ContainerRecord& container = record_.containers[i];
  Runtime& runtime = runtime_[i];
  if (container.ended) {
    ++container.restarts;
    container.last = std::exchange(container.ended, std::nullopt);
  }
  container.phase = ContainerPhase::Running;
  container.waiting_reason.clear();
  container.waiting_message.clear();
  container.container_id = plan.id;
  container.image_id = plan.image.root.string();
  container.pid = started.pid;
  container.started_at = now();
  container.started_wall = services_.clock.wall();
  container.stop_requested = false;
  if (runtime.previous_log != nullptr) {
    std::error_code ignored;
    fs::remove(runtime.previous_log->path, ignored);
  }
  runtime.previous_log = std::exchange(runtime.log, started.log);
  runtime.directory = plan.directory;
  runtime.cgroup = plan.cgroup;
  runtime.stop_signal = plan.image.config.stop_signal;
  event(EventType::Normal, "Created", "Created container: " + spec_.containers[i].name, i);
  event(EventType::Normal, "Started", "Started container " + spec_.containers[i].name, i);

  const HandlerTarget target{address(), {services_.state_dir / "runc", plan.id}};
  runtime.runner = std::make_unique<ContainerRunner>(services_.io, services_.deaths,
                                                     spec_.containers[i], target, callbacks_for(i));
  if (auto watching = runtime.runner->watch(started.pid); !watching) {
    // Only when descriptors ran out; without a watch it would never be seen to end.
    container_dying(i, {128, 0});
    container_exited(i);
  }
}

RunnerCallbacks PodWorker::Impl::callbacks_for(std::size_t i) {
  const auto guarded = [weak = weak_from_this()](auto work) {
    return [weak, work](auto&&... arguments) {
      const auto self = weak.lock();
      if (self == nullptr || self->closed_) return;
      work(*self, std::forward<decltype(arguments)>(arguments)...);
      self->sync();
    };
  };
  RunnerCallbacks callbacks;
  callbacks.dying =
      guarded([i](Impl& self, ExitStatus status) { self.container_dying(i, status); });
  callbacks.exited = guarded([i](Impl& self, ExitStatus) { self.container_exited(i); });
  callbacks.started = guarded([i](Impl& self) { self.record_.containers[i].started = true; });
  callbacks.ready = guarded([i](Impl& self, bool ok) { self.record_.containers[i].ready = ok; });
  callbacks.probe_failed = guarded([i](Impl& self, std::string_view probe, const std::string& why) {
    self.event(EventType::Warning, "Unhealthy", fmt::format("{} probe failed: {}", probe, why), i);
  });
  callbacks.condemned = guarded([i](Impl& self, const std::string& why,
                                    std::optional<seconds> grace) { self.condemn(i, why, grace); });
  return callbacks;
}

void PodWorker::Impl::container_not_started(std::size_t i, const StartFailure& failure) {
  ContainerRecord& container = record_.containers[i];
  event(EventType::Warning, "Failed", "Error: " + failure.message, i);
  if (failure.reason == "CreateContainerConfigError") {
    book_failed_start(container, failure.reason, failure.message, now() + kRetryDelay);
    return;
  }
  const WallTime wall = services_.clock.wall();
  if (container.ended) {
    ++container.restarts;
    container.last = container.ended;
  }
  container.started_at = now();
  book_exit(container, {128, 0, failure.reason, failure.message, "", wall, wall}, services_.backoff,
            now());
}

Termination PodWorker::Impl::termination_of(std::size_t i, ExitStatus status) const {
  const ContainerRecord& container = record_.containers[i];
  Termination ended{status.code,
                    status.signal,
                    status.code == 0 ? "Completed" : "Error",
                    "",
                    container.container_id,
                    container.started_wall,
                    services_.clock.wall()};
  if (status.signal == 9 && was_out_of_memory(runtime_[i].cgroup)) ended.reason = "OOMKilled";
  std::ifstream file(runtime_[i].directory / "termination-log");
  ended.message.assign(std::istreambuf_iterator<char>(file), {});
  if (ended.message.size() > kMaxTerminationMessage) ended.message.resize(kMaxTerminationMessage);
  const bool from_log =
      text(spec_.containers[i].raw, {"terminationMessagePolicy"}) == "FallbackToLogsOnError";
  if (ended.message.empty() && from_log && status.code != 0 && runtime_[i].log != nullptr) {
    ended.message = tail_of_log(runtime_[i].log->path, kMaxLogTail);
  }
  return ended;
}

void PodWorker::Impl::container_dying(std::size_t i, ExitStatus status) {
  ContainerRecord& container = record_.containers[i];
  container.ended = termination_of(i, status);
  container.phase = ContainerPhase::Dying;
  container.ready = false;
  container.started = false;
}

void PodWorker::Impl::container_exited(std::size_t i) {
  ContainerRecord& container = record_.containers[i];
  book_exit(container, Termination(*container.ended), services_.backoff, now());
  const bool stays = spec_.containers[i].role == ContainerRole::Init || intent_ != PodIntent::Run ||
                     outcome_of(spec_, record_) != PodOutcome::Undecided;
  if (container.ended->exit_code == 0 && spec_.containers[i].role == ContainerRole::Init) {
    container.ready = true;  // as the API shows an init container that has done its part
    container.waiting_reason.clear();
  } else if (!stays && container.waiting_reason == "CrashLoopBackOff") {
    event(EventType::Warning, "BackOff",
          fmt::format("Back-off restarting failed container {} in pod {}", spec_.containers[i].name,
                      spec_.name),
          i);
  }
  clean_up(i);
}

void PodWorker::Impl::clean_up(std::size_t i) {
  Runtime& runtime = runtime_[i];
  runtime.runner.reset();
  ++clean_ups_;
  services_.workers.submit([weak = weak_from_this(), root = services_.state_dir / "runc",
                            id = record_.containers[i].container_id,
                            directory = runtime.directory]() -> WorkerPool::Completion {
    remove_container(root, id, directory);
    return [weak] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      --self->clean_ups_;
      self->sync();
    };
  });
}

void PodWorker::Impl::condemn(std::size_t i, const std::string& why, std::optional<seconds> grace) {
  ContainerRecord& container = record_.containers[i];
  if (container.phase != ContainerPhase::Running || container.stop_requested) return;
  event(EventType::Normal, "Killing",
        fmt::format("Container {}: {}, will be restarted", spec_.containers[i].name, why), i);
  container.stop_requested = true;
  runtime_[i].runner->stop(grace.value_or(spec_.termination_grace), runtime_[i].stop_signal);
}

void PodWorker::Impl::stop_container(std::size_t i, milliseconds grace) {
  record_.containers[i].stop_requested = true;
  event(EventType::Normal, "Killing", "Stopping container " + spec_.containers[i].name, i);
  runtime_[i].runner->stop(grace, runtime_[i].stop_signal);
}

void PodWorker::Impl::act(const KillContainer& action) {
  if (runtime_[action.index].runner != nullptr) runtime_[action.index].runner->kill();
}

}  // namespace troupe::sim
