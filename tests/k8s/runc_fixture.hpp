// A node with the runc kubelet over an API server in memory, driven on the test's own thread.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/kubelet/runc_kubelet.hpp"
#include "runtime/clock.hpp"
#include "tests/unit/sim/controllers_testing.hpp"

namespace troupe::sim {

// A root file system with a shell and MySQL, made by tools/make-rootfs.
inline const std::filesystem::path kRootFs = "/var/cache/troupe/rootfs-mysql";

// What a command printed on both streams, and how it ended.
class CollectedExec final : public ExecSink {
 public:
  bool write_stdout(std::string_view bytes) override {
    text.append(bytes);
    return true;
  }
  bool write_stderr(std::string_view bytes) override {
    text.append(bytes);
    return true;
  }
  void finished(Result<int> exit_status) override { status = exit_status ? *exit_status : -1; }
  std::string text;
  std::optional<int> status;
};

class RuncTest : public ::testing::Test {
 protected:
  using Condition = std::function<bool()>;

  void SetUp() override {
    if (geteuid() != 0 || !std::filesystem::exists(kRootFs)) {
      GTEST_SKIP() << "needs root and " << kRootFs;
    }
    state_dir_ =
        std::filesystem::temp_directory_path() / ("troupe-runc-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(state_dir_);
    auto network = reserve_network(state_dir_);
    ASSERT_TRUE(network) << network.error().message;
    network_ = std::move(*network);
    start_kubelet();
  }

  void TearDown() override {
    if (HasFailure()) show_objects();
    kubelet_.reset();
    if (!state_dir_.empty()) std::filesystem::remove_all(state_dir_);
  }

  void start_kubelet() {
    caches_ = std::make_unique<ObjectCaches>(api_);
    events_ = std::make_unique<EventRecorder>(api_, clock_);
    background_ = std::make_unique<IoThread>();
    RuncKubeletOptions options;
    options.state_dir = state_dir_;
    options.plan = network_.plan;
    options.images = {{"base", kRootFs}};
    options.backoff = {std::chrono::milliseconds(50), std::chrono::milliseconds(200),
                       std::chrono::minutes(10)};
    options.issue_token = [this](const std::string& ns, const std::string& account,
                                 const boost::json::value&, const TokenRequest& request) {
      return api_.server().issue_token(
          ns, account, {}, std::chrono::seconds(request.expiration_seconds), clock_.wall());
    };
    kubelet_ = std::make_unique<RuncKubelet>(api_, *io_, clock_, *events_, *caches_, *background_,
                                             std::move(options));
    const auto started = kubelet_->start();
    ASSERT_TRUE(started) << started.error().message;
    caches_->start();
  }

  bool run_until(const Condition& condition,
                 std::chrono::milliseconds deadline = std::chrono::seconds(20)) {
    return sim::run_until(*io_, condition, deadline);
  }

  // A pod with one shell container, bound to the node.
  void create_pod(const std::string& name, const std::string& script,
                  const std::string& more_spec = "", const std::string& more_container = "") {
    boost::json::value pod = boost::json::parse(
        R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ")" + name +
        R"(", "namespace": "default"}, "spec": {"nodeName": "node-0", "containers": [
           {"name": "main", "image": "base", "command": ["/bin/sh", "-c"])" +
        (more_container.empty() ? "" : "," + more_container) + "}]" +
        (more_spec.empty() ? "" : "," + more_spec) + "}}");
    boost::json::array args{script};
    pod.at("spec").at("containers").at(0).as_object()["args"] = args;
    ASSERT_TRUE(api_.create("pods", "default", pod));
  }

  const boost::json::value* pod(const std::string& name) {
    return api_.peek("pods", "default", name);
  }
  const boost::json::value& container(const std::string& name) {
    static const boost::json::value kNone;
    const auto* found = pod(name);
    if (found == nullptr) return kNone;
    const auto& list = items(*found, {"status", "containerStatuses"});
    return list.empty() ? kNone : list[0];
  }
  bool is_ready(const std::string& name) {
    return pod(name) != nullptr && condition_is_true(*pod(name), "Ready");
  }
  std::string phase(const std::string& name) {
    return pod(name) == nullptr ? "" : std::string(text(*pod(name), {"status", "phase"}));
  }
  pid_t pid_of(const std::string& name) {
    const auto pids = boost::json::parse(
        text(*pod(name), {"metadata", "annotations", "sim.troupe.dev/pids"}, "{}"));
    return static_cast<pid_t>(number(pids, {"main"}));
  }
  ContainerRef reference(const std::string& name) {
    return {"default", name, std::string(uid_of(*pod(name))), "node-0", "main"};
  }
  std::string logs(const std::string& name, const LogOptions& options = {});
  // Exit status and both outputs.
  std::pair<int, std::string> exec(const std::string& name, std::vector<std::string> argv,
                                   const std::string& input = "");
  // What a reader of a failed test needs.
  void show_objects();
  bool has_event(std::string_view reason) {
    for (const auto& event : *api_.list("events", "default")) {
      if (text(event, {"reason"}) == reason) return true;
    }
    return false;
  }

  std::unique_ptr<boost::asio::io_context> io_ = std::make_unique<boost::asio::io_context>();
  SystemClock clock_;
  TestApi api_;
  std::filesystem::path state_dir_;
  NetworkReservation network_;
  std::unique_ptr<ObjectCaches> caches_;
  std::unique_ptr<EventRecorder> events_;
  std::unique_ptr<IoThread> background_;
  std::unique_ptr<RuncKubelet> kubelet_;
};

}  // namespace troupe::sim
