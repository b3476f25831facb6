#include "k8s/sim/kubelet/pod_worker.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/kubelet/container_bundle.hpp"
#include "k8s/sim/kubelet/container_runner.hpp"
#include "k8s/sim/kubelet/pod_network.hpp"
#include "k8s/sim/kubelet/pod_status.hpp"
#include "k8s/sim/kubelet/remains.hpp"

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kComponent = "kubelet";
constexpr std::string_view kPidsAnnotation = "sim.troupe.dev/pids";
constexpr std::string_view kInterfaceAnnotation = "sim.troupe.dev/interface";

// After something that is missing or failed; a change of what is missing comes at once.
constexpr seconds kRetryDelay{2};
constexpr seconds kImageRetryDelay{5};
constexpr std::size_t kMaxTerminationMessage = 4096;
constexpr std::size_t kMaxLogTail = 2048;
// The least that a preStop hook and a clean end get.
constexpr milliseconds kLeastGrace{100};

struct CachedToken {
  std::string value;
  TimePoint renew_at;
};

}  // namespace

class PodWorker::Impl : public std::enable_shared_from_this<PodWorker::Impl> {
 public:
  Impl(NodeServices& services, CachedObject pod, std::function<void()> forgotten)
      : services_(services),
        pod_(std::move(pod)),
        spec_(parse_pod(*pod_)),
        record_(new_record(spec_)),
        runtime_(spec_.containers.size()),
        started_(services.clock.wall()),
        forgotten_(std::move(forgotten)),
        timer_(services.io) {
    note_dependencies();
    const std::string_view phase = text(*pod_, {"status", "phase"});
    over_before_ = phase == "Succeeded" || phase == "Failed";
  }

  void close() {
    closed_ = true;
    timer_.cancel();
    runtime_.clear();
  }

  void update(CachedObject pod) {
    pod_ = std::move(pod);
    note_deletion();
    refresh_volumes();
    sync();
  }

  void object_gone() {
    intent_ = PodIntent::Kill;
    sync();
  }

  void dependency_changed(std::string_view resource, std::string_view name) {
    if (!dependencies_.contains({std::string(resource), std::string(name)})) return;
    retry_now();
    refresh_volumes();
    sync();
  }

  void images_changed() {
    retry_now();
    sync();
  }

  void refresh_volumes();

  Result<std::unique_ptr<NodeSession>> logs(std::string_view container, const LogOptions& options,
                                            std::shared_ptr<LogSink> sink);
  Result<std::unique_ptr<ExecSession>> exec(std::string_view container, const ExecOptions& options,
                                            std::shared_ptr<ExecSink> sink);
  Result<std::unique_ptr<PortSession>> port_forward(std::uint16_t port,
                                                    std::shared_ptr<PortSink> sink);

 private:
  // What belongs to a container beside its record.
  struct Runtime {
    std::unique_ptr<ContainerRunner> runner;
    std::shared_ptr<const LogState> log, previous_log;
    fs::path directory;
    std::string cgroup;
    int stop_signal = 15;
  };

  void sync();
  void act(const PrepareSandbox&);
  void act(const StartContainer& action);
  void act(const StopContainer& action) { stop_container(action.index, remaining_grace()); }
  void act(const KillContainer& action);
  void act(const ReleaseSandbox&);
  void act(const Forget&);

  void sandbox_made(const VolumesPlan& volumes, const Result<void>& made);
  void container_started(std::size_t i, const ContainerPlan& plan, const StartedContainer& started);
  void container_not_started(std::size_t i, const StartFailure& failure);
  void container_dying(std::size_t i, ExitStatus status);
  void container_exited(std::size_t i);
  void condemn(std::size_t i, const std::string& why, std::optional<seconds> grace);
  void stop_container(std::size_t i, milliseconds grace);
  void clean_up(std::size_t i);

  RunnerCallbacks callbacks_for(std::size_t i);
  Result<ContainerPlan> plan_container(std::size_t i);
  Result<Environment> environment_for(std::size_t i, const Image& image);
  Termination termination_of(std::size_t i, ExitStatus status) const;
  void image_missing(std::size_t i, const Error& failure);

  PodFacts facts();
  Result<std::string> token(const TokenRequest& request);
  const json::value* look_up(std::string_view resource, std::string_view name) const;
  void note_dependencies();
  void note_deletion();
  void retry_now();
  void check_deadline();
  milliseconds remaining_grace() const;
  void publish();
  void publish_status();
  void publish_annotations();
  json::object running_pids() const;
  void arm(std::optional<TimePoint> wake_at);
  void event(EventType type, std::string_view reason, std::string_view message,
             std::optional<std::size_t> container = {});

  TimePoint now() const { return services_.clock.now(); }
  fs::path pod_dir() const { return services_.state_dir / "pods" / spec_.uid; }
  fs::path log_dir() const {
    return services_.state_dir / "logs" / fmt::format("{}_{}_{}", spec_.ns, spec_.name, spec_.uid);
  }
  std::string address() const {
    return spec_.host_network ? host_address() : to_string(link_.address);
  }
  std::string host_address() const;
  std::string netns() const { return spec_.host_network ? "" : link_.netns_path(); }
  // Guards the API: nothing is written about an object that is gone.
  bool object_exists() const { return intent_ != PodIntent::Kill; }

  NodeServices& services_;
  CachedObject pod_;  // as the API server has it
  const PodSpec spec_;
  PodRecord record_;
  std::vector<Runtime> runtime_;
  const WallTime started_;
  std::function<void()> forgotten_;
  asio::steady_timer timer_;
  PodIntent intent_ = PodIntent::Run;
  PodLink link_;
  bool has_address_ = false;
  VolumesPlan volumes_;
  bool writing_volumes_ = false;
  std::set<std::pair<std::string, std::string>> dependencies_;
  std::map<std::pair<std::string, std::int64_t>, CachedToken> tokens_;
  std::string written_annotation_;
  std::size_t written_pids_ = 0;
  int clean_ups_ = 0;
  bool syncing_ = false, sync_again_ = false;
  bool over_before_ = false;  // it had ended when this kubelet first saw it
  bool closed_ = false;
};

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

// --- the sandbox: network, volumes, files
// ----------------------------------------------------------

void PodWorker::Impl::act(const PrepareSandbox&) {
  auto volumes = plan_volumes(facts(), pod_dir());
  if (!volumes) {
    record_.sandbox_retry_at = now() + kRetryDelay;
    event(EventType::Warning, "FailedMount", volumes.error().message);
    sync_again_ = true;
    return;
  }
  if (!spec_.host_network && !has_address_) {
    const auto free = services_.addresses.take();
    if (!free) {
      record_.sandbox_retry_at = now() + kRetryDelay;
      event(EventType::Warning, "FailedCreatePodSandBox", "no pod address is free");
      sync_again_ = true;
      return;
    }
    link_ = name_pod_link(services_.tag, ++services_.next_link, *free);
    has_address_ = true;
    // Before anything runs: the downward API may ask for it.
    if (auto again = plan_volumes(facts(), pod_dir())) volumes = std::move(again);
  }
  record_.sandbox = SandboxPhase::Preparing;
  services_.workers.submit(
      [weak = weak_from_this(), plan = services_.plan, tag = services_.tag, link = link_,
       own_network = !spec_.host_network, directory = pod_dir(), wanted = std::move(*volumes),
       files = pod_files(*pod_, address(),
                         to_string(services_.plan.gateway()))]() -> WorkerPool::Completion {
        unmount_below(directory);
        if (own_network) remove_pod_link(link.netns);
        Result<void> made = write_pod_files(directory / "etc", files);
        if (made) made = make_volumes(wanted);
        if (made && own_network) made = create_pod_link(tag, plan, link);
        return [weak, wanted, made] {
          if (const auto self = weak.lock()) self->sandbox_made(wanted, made);
        };
      });
}

void PodWorker::Impl::sandbox_made(const VolumesPlan& volumes, const Result<void>& made) {
  if (made) {
    volumes_ = volumes;
    record_.sandbox = SandboxPhase::Ready;
  } else {
    record_.sandbox = SandboxPhase::Absent;
    record_.sandbox_retry_at = now() + kRetryDelay;
    event(EventType::Warning, "FailedCreatePodSandBox", made.error().message);
  }
  sync();
}

void PodWorker::Impl::act(const ReleaseSandbox&) {
  if (clean_ups_ > 0 || writing_volumes_) return;  // their end comes back here
  record_.sandbox = SandboxPhase::Releasing;
  services_.workers.submit([weak = weak_from_this(), directory = pod_dir(),
                            netns = has_address_ ? link_.netns : ""]() -> WorkerPool::Completion {
    if (!netns.empty()) remove_pod_link(netns);
    unmount_below(directory);
    std::error_code ignored;
    fs::remove_all(directory, ignored);
    return [weak] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->record_.sandbox = SandboxPhase::Released;
      if (self->has_address_) self->services_.addresses.give_back(self->link_.address);
      self->sync();
    };
  });
}

void PodWorker::Impl::act(const Forget&) {
  if (intent_ == PodIntent::Stop) {
    DeleteOptions options;
    options.grace_period_seconds = 0;
    options.uid = spec_.uid;
    // Gone already is as good; anything else comes back with the object's next change.
    (void)services_.api.remove("pods", spec_.ns, spec_.name, options);
  }
  if (forgotten_) asio::post(services_.io, std::exchange(forgotten_, nullptr));
}

void PodWorker::Impl::refresh_volumes() {
  if (record_.sandbox != SandboxPhase::Ready || writing_volumes_ || closed_) return;
  auto wanted = plan_volumes(facts(), pod_dir());
  if (!wanted) return;  // what was deleted stays mounted as it was
  std::vector<VolumePlan> changed;
  for (VolumePlan& volume : volumes_.volumes) {
    const VolumePlan* fresh = wanted->find(volume.name);
    if (volume.kind != VolumeKind::Files || fresh == nullptr) continue;
    const bool same = std::equal(volume.files.begin(), volume.files.end(), fresh->files.begin(),
                                 fresh->files.end(), [](const auto& a, const auto& b) {
                                   return a.first == b.first && a.second.mode == b.second.mode &&
                                          a.second.content == b.second.content;
                                 });
    if (same) continue;
    volume.files = fresh->files;
    changed.push_back(volume);
  }
  if (changed.empty()) return;
  writing_volumes_ = true;
  services_.workers.submit([weak = weak_from_this(), changed = std::move(changed),
                            group = volumes_.fs_group]() -> WorkerPool::Completion {
    for (const VolumePlan& volume : changed) {
      const auto written = write_files(volume.path, volume.files, group);
      if (!written) spdlog::warn("volume {}: {}", volume.name, written.error().message);
    }
    return [weak] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->writing_volumes_ = false;
      self->refresh_volumes();  // it may have changed again meanwhile
      self->sync();
    };
  });
}

// --- containers
// ------------------------------------------------------------------------------------

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

// --- what the pod is told about itself
// ---------------------------------------------------------------

PodFacts PodWorker::Impl::facts() {
  PodFacts facts{
      pod_.get(),
      has_address_ || spec_.host_network ? address() : "",
      host_address(),
      [this](std::string_view resource, std::string_view name) { return look_up(resource, name); },
      {}};
  if (services_.issue_token) {
    facts.token = [this](const TokenRequest& request) { return token(request); };
  }
  return facts;
}

const json::value* PodWorker::Impl::look_up(std::string_view resource,
                                            std::string_view name) const {
  const std::string ns = resource == "persistentvolumes" ? "" : spec_.ns;
  const CachedObject found = services_.caches.of(resource).find({ns, std::string(name)});
  return found.get();  // kept alive by the cache while this turn runs
}

Result<std::string> PodWorker::Impl::token(const TokenRequest& request) {
  CachedToken& cached = tokens_[{request.audience, request.expiration_seconds}];
  if (!cached.value.empty() && now() < cached.renew_at) return cached.value;
  auto issued = services_.issue_token(spec_.ns, spec_.service_account, *pod_, request);
  if (!issued) return issued.error();
  cached.value = issued->reveal();
  cached.renew_at = now() + seconds(request.expiration_seconds) * 4 / 5;
  return cached.value;
}

std::string PodWorker::Impl::host_address() const {
  const CachedObject node = services_.caches.of("nodes").find({"", spec_.node});
  if (node == nullptr) return to_string(services_.plan.gateway());
  for (const json::value& address : items(*node, {"status", "addresses"})) {
    if (text(address, {"type"}) == "InternalIP") return std::string(text(address, {"address"}));
  }
  return to_string(services_.plan.gateway());
}

void PodWorker::Impl::note_dependencies() {
  for (const json::value& volume : items(*pod_, {"spec", "volumes"})) {
    for (auto& object : objects_of_volume(volume)) dependencies_.insert(std::move(object));
    const std::string_view claim = text(volume, {"persistentVolumeClaim", "claimName"});
    if (!claim.empty()) dependencies_.emplace("persistentvolumeclaims", claim);
  }
  for (const ContainerSpec& container : spec_.containers) {
    const auto add = [this](std::string_view resource, const json::value& holder, JsonPath path) {
      const std::string_view name = text(holder, path);
      if (!name.empty()) dependencies_.emplace(resource, name);
    };
    for (const json::value& source : items(container.raw, {"envFrom"})) {
      add("configmaps", source, {"configMapRef", "name"});
      add("secrets", source, {"secretRef", "name"});
    }
    for (const json::value& variable : items(container.raw, {"env"})) {
      add("configmaps", variable, {"valueFrom", "configMapKeyRef", "name"});
      add("secrets", variable, {"valueFrom", "secretKeyRef", "name"});
    }
  }
}

// --- what the API server is told
// ---------------------------------------------------------------------

void PodWorker::Impl::publish() {
  if (!object_exists() || over_before_) return;
  // Who sees a container run finds its pid; who waits for its death is told that first.
  const bool lost = running_pids().size() < written_pids_;
  if (!lost) publish_annotations();
  publish_status();
  if (lost) publish_annotations();
}

void PodWorker::Impl::publish_status() {
  const bool has_network =
      record_.sandbox != SandboxPhase::Absent || has_address_ || spec_.host_network;
  const PodAddresses addresses{host_address(), has_network ? address() : ""};
  const json::object status =
      pod_status(*pod_, spec_, record_, addresses, started_, services_.clock.wall());
  json::object patch = status_patch(*pod_, status);
  if (patch.empty()) return;
  patch["metadata"] = {{"uid", spec_.uid}};
  auto written = services_.api.merge_patch("pods", spec_.ns, spec_.name, "status", patch);
  if (written) {
    pod_ = std::make_shared<const json::value>(std::move(*written));
  } else if (written.error().code != Code::NotFound && written.error().code != Code::Conflict) {
    spdlog::warn("status of pod {}/{}: {}", spec_.ns, spec_.name, written.error().message);
  }
}

json::object PodWorker::Impl::running_pids() const {
  json::object pids;
  for (std::size_t i = 0; i < spec_.containers.size(); ++i) {
    const ContainerRecord& container = record_.containers[i];
    if (container.phase == ContainerPhase::Running) pids[spec_.containers[i].name] = container.pid;
  }
  return pids;
}

void PodWorker::Impl::publish_annotations() {
  const json::object pids = running_pids();
  std::string value = json::serialize(pids);
  if (value == written_annotation_ || (pids.empty() && written_annotation_.empty())) return;
  json::object annotations{{kPidsAnnotation, value}};
  if (!spec_.host_network) annotations[kInterfaceAnnotation] = link_.interface;
  json::object patch{{"metadata", {{"uid", spec_.uid}, {"annotations", std::move(annotations)}}}};
  auto written = services_.api.merge_patch("pods", spec_.ns, spec_.name, "", std::move(patch));
  if (!written) return;
  written_annotation_ = std::move(value);
  written_pids_ = pids.size();
  pod_ = std::make_shared<const json::value>(std::move(*written));
}

void PodWorker::Impl::event(EventType type, std::string_view reason, std::string_view message,
                            std::optional<std::size_t> container) {
  if (!object_exists()) return;
  std::string field;
  if (container) {
    const bool main = spec_.containers[*container].role == ContainerRole::Main;
    field = fmt::format("spec.{}{{{}}}", main ? "containers" : "initContainers",
                        spec_.containers[*container].name);
  }
  services_.events.record(*pod_, type, reason, message, kComponent, field);
}

// --- what clients ask
// --------------------------------------------------------------------------------

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

// --- the handle
// --------------------------------------------------------------------------------------

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
