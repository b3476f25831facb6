// A pod on its node: its state, and how each action that decide_pod() asks for is carried out. For
// pod_worker*.cpp only, one file a subject: deciding (pod_worker.cpp), the sandbox, the containers,
// and what the API server is told.
#pragma once

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/kubelet/container_bundle.hpp"
#include "k8s/sim/kubelet/container_runner.hpp"
#include "k8s/sim/kubelet/pod_network.hpp"
#include "k8s/sim/kubelet/pod_status.hpp"
#include "k8s/sim/kubelet/pod_worker.hpp"

namespace troupe::sim {

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
    std::filesystem::path directory;
    std::string cgroup;
    int stop_signal = 15;
  };
  struct CachedToken {
    std::string value;
    TimePoint renew_at;
  };

  // After something that is missing or failed; a change of what is missing comes at once.
  static constexpr std::chrono::seconds kRetryDelay{2};

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
  void condemn(std::size_t i, const std::string& why, std::optional<std::chrono::seconds> grace);
  void stop_container(std::size_t i, std::chrono::milliseconds grace);
  void clean_up(std::size_t i);

  RunnerCallbacks callbacks_for(std::size_t i);
  Result<ContainerPlan> plan_container(std::size_t i);
  Result<Environment> environment_for(std::size_t i, const Image& image);
  Termination termination_of(std::size_t i, ExitStatus status) const;
  void image_missing(std::size_t i, const Error& failure);

  PodFacts facts();
  Result<std::string> token(const TokenRequest& request);
  const boost::json::value* look_up(std::string_view resource, std::string_view name) const;
  void note_dependencies();
  void note_deletion();
  void retry_now();
  void check_deadline();
  std::chrono::milliseconds remaining_grace() const;
  void publish();
  void publish_status();
  void publish_annotations();
  boost::json::object running_pids() const;
  void arm(std::optional<TimePoint> wake_at);
  void event(EventType type, std::string_view reason, std::string_view message,
             std::optional<std::size_t> container = {});

  TimePoint now() const { return services_.clock.now(); }
  std::filesystem::path pod_dir() const { return services_.state_dir / "pods" / spec_.uid; }
  std::filesystem::path log_dir() const {
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
  boost::asio::steady_timer timer_;
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

}  // namespace troupe::sim
