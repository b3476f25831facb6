#include <gtest/gtest.h>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/kubelet/pod_lifecycle.hpp"
#include "k8s/sim/kubelet/pod_status.hpp"

namespace troupe::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kNow{std::chrono::hours(1)};
const WallTime kWall{std::chrono::seconds(1'700'000'000)};

PodSpec spec_of(std::string_view spec) {
  return parse_pod(
      boost::json::parse(R"({"metadata": {"name": "p", "namespace": "ns", "uid": "u"}, "spec": )" +
                         std::string(spec) + "}"));
}

PodSpec staged() {
  return spec_of(R"({"initContainers": [{"name": "init"},
                       {"name": "sidecar", "restartPolicy": "Always"}],
                     "containers": [{"name": "main"}, {"name": "other"}]})");
}

PodRecord prepared(const PodSpec& spec) {
  PodRecord record = new_record(spec);
  record.sandbox = SandboxPhase::Ready;
  return record;
}

void run(ContainerRecord& container) {
  container.phase = ContainerPhase::Running;
  container.started = true;
  container.started_at = kNow;
}

void end(ContainerRecord& container, int code, TimePoint now = kNow) {
  Termination ended;
  ended.exit_code = code;
  book_exit(container, ended, BackoffLimits{}, now);
}

// The actions as words: "start init", "stop main".
std::vector<std::string> actions(const PodSpec& spec, const PodRecord& record,
                                 PodIntent intent = PodIntent::Run, TimePoint now = kNow) {
  struct Name {
    const PodSpec& spec;
    std::string operator()(const PrepareSandbox&) { return "prepare"; }
    std::string operator()(const StartContainer& a) { return "start " + name(a.index); }
    std::string operator()(const StopContainer& a) { return "stop " + name(a.index); }
    std::string operator()(const KillContainer& a) { return "kill " + name(a.index); }
    std::string operator()(const ReleaseSandbox&) { return "release"; }
    std::string operator()(const Forget&) { return "forget"; }
    std::string name(std::size_t i) { return spec.containers[i].name; }
  };
  std::vector<std::string> words;
  for (const PodAction& action : decide_pod(spec, record, intent, now).actions) {
    words.push_back(std::visit(Name{spec}, action));
  }
  return words;
}

using Words = std::vector<std::string>;

TEST(PodLifecycle, InitContainersThenSidecarsThenMainContainers) {
  const PodSpec spec = staged();
  PodRecord record = new_record(spec);
  EXPECT_EQ(actions(spec, record), Words{"prepare"});
  record = prepared(spec);
  EXPECT_EQ(actions(spec, record), Words{"start init"});
  run(record.containers[0]);
  EXPECT_EQ(actions(spec, record), Words{});
  end(record.containers[0], 0);
  EXPECT_EQ(actions(spec, record), Words{"start sidecar"});
  record.containers[1].phase = ContainerPhase::Running;
  EXPECT_EQ(actions(spec, record), Words{}) << "its startup probe has not passed";
  record.containers[1].started = true;
  EXPECT_EQ(actions(spec, record), (Words{"start main", "start other"}));
}

TEST(PodLifecycle, ASidecarIsRestartedWhateverThePolicy) {
  PodSpec spec = staged();
  spec.restart_policy = RestartPolicy::Never;
  PodRecord record = prepared(spec);
  record.initialized = true;
  end(record.containers[0], 0);
  for (const std::size_t i : {1, 2, 3}) run(record.containers[i]);
  end(record.containers[1], 1);
  EXPECT_EQ(actions(spec, record), Words{"start sidecar"});
}

TEST(PodLifecycle, MainContainersStopTogetherAndSidecarsAfterThemInReverse) {
  const PodSpec spec = spec_of(R"({"initContainers": [
      {"name": "a", "restartPolicy": "Always"}, {"name": "b", "restartPolicy": "Always"}],
      "containers": [{"name": "main"}, {"name": "other"}]})");
  PodRecord record = prepared(spec);
  record.initialized = true;
  record.kill_at = kNow + seconds(30);
  for (ContainerRecord& container : record.containers) run(container);
  EXPECT_EQ(actions(spec, record, PodIntent::Stop), (Words{"stop main", "stop other"}));
  for (const std::size_t i : {2, 3}) end(record.containers[i], 0);
  EXPECT_EQ(actions(spec, record, PodIntent::Stop), Words{"stop b"});
  end(record.containers[1], 0);
  EXPECT_EQ(actions(spec, record, PodIntent::Stop), Words{"stop a"});
  end(record.containers[0], 0);
  EXPECT_EQ(actions(spec, record, PodIntent::Stop), Words{"release"});
  record.sandbox = SandboxPhase::Released;
  EXPECT_EQ(actions(spec, record, PodIntent::Stop), Words{"forget"});
}

TEST(PodLifecycle, WhenTheGraceIsOverEverythingIsKilled) {
  const PodSpec spec = staged();
  PodRecord record = prepared(spec);
  record.initialized = true;
  end(record.containers[0], 0);
  for (const std::size_t i : {1, 2, 3}) run(record.containers[i]);
  record.kill_at = kNow;
  EXPECT_EQ(actions(spec, record, PodIntent::Stop),
            (Words{"kill sidecar", "kill main", "kill other"}));
  EXPECT_EQ(actions(spec, record, PodIntent::Kill),
            (Words{"kill sidecar", "kill main", "kill other"}));
}

TEST(PodLifecycle, TheFirstRestartIsAtOnceAndFurtherOnesWaitTwiceAsLongEachTime) {
  ContainerRecord container;
  run(container);
  end(container, 1);
  EXPECT_EQ(container.retry_at, kNow);
  EXPECT_EQ(container.waiting_reason, "");
  for (const int wait : {10, 20, 40, 80, 160, 300, 300}) {
    run(container);
    end(container, 1);
    EXPECT_EQ(container.retry_at - kNow, seconds(wait));
    EXPECT_EQ(container.waiting_reason, "CrashLoopBackOff");
  }
  run(container);
  end(container, 1, kNow + minutes(10));
  EXPECT_EQ(container.retry_at, kNow + minutes(10)) << "ten minutes of running are forgiven";
}

TEST(PodLifecycle, TheOutcomeFollowsTheMainContainersUnderTheirPolicy) {
  PodSpec spec = spec_of(R"({"containers": [{"name": "main"}, {"name": "other"}]})");
  PodRecord record = prepared(spec);
  end(record.containers[0], 0);
  end(record.containers[1], 2);
  EXPECT_EQ(outcome_of(spec, record), PodOutcome::Undecided);
  spec.restart_policy = RestartPolicy::OnFailure;
  EXPECT_EQ(outcome_of(spec, record), PodOutcome::Undecided);
  spec.restart_policy = RestartPolicy::Never;
  EXPECT_EQ(outcome_of(spec, record), PodOutcome::Failed);
  end(record.containers[1], 0);
  EXPECT_EQ(outcome_of(spec, record), PodOutcome::Succeeded);
}

boost::json::object status_of(const PodSpec& spec, const PodRecord& record,
                              const boost::json::value& pod = boost::json::object()) {
  return pod_status(pod, spec, record, {"10.0.0.1", "10.0.0.2"}, kWall, kWall);
}

TEST(PodStatus, NamesTheContainersThatHoldReadinessBack) {
  const PodSpec spec = spec_of(R"({"containers": [{"name": "main"}, {"name": "other"}]})");
  PodRecord record = prepared(spec);
  record.initialized = true;
  run(record.containers[0]);
  record.containers[0].ready = true;
  run(record.containers[1]);
  boost::json::value pod{{"status", status_of(spec, record)}};
  const auto* ready = find_condition(pod, "Ready");
  ASSERT_NE(ready, nullptr);
  EXPECT_EQ(text(*ready, {"message"}), "containers with unready status: [other]");
  EXPECT_EQ(text(pod, {"status", "phase"}), "Running");
  EXPECT_EQ(text(items(pod, {"status", "podIPs"}).at(0), {"ip"}), "10.0.0.2");
  record.containers[1].ready = true;
  pod.as_object()["status"] = status_of(spec, record, pod);
  EXPECT_TRUE(condition_is_true(pod, "Ready"));
}

TEST(PodStatus, ADyingContainerIsShownAsTerminatedBeforeItIsCollected) {
  const PodSpec spec = spec_of(R"({"containers": [{"name": "main"}]})");
  PodRecord record = prepared(spec);
  record.initialized = true;
  run(record.containers[0]);
  record.containers[0].phase = ContainerPhase::Dying;
  record.containers[0].ended = Termination{137, 9, "Error", "", "id", kWall, kWall};
  const boost::json::value pod{{"status", status_of(spec, record)}};
  const auto& container = items(pod, {"status", "containerStatuses"}).at(0);
  EXPECT_EQ(number(container, {"state", "terminated", "exitCode"}), 137);
  EXPECT_FALSE(condition_is_true(pod, "Ready"));
}

TEST(PodStatus, AReadinessGateHoldsThePodButNotItsContainers) {
  const PodSpec spec = spec_of(R"({"containers": [{"name": "main"}]})");
  PodRecord record = prepared(spec);
  record.initialized = true;
  run(record.containers[0]);
  record.containers[0].ready = true;
  boost::json::value pod =
      boost::json::parse(R"({"spec": {"readinessGates": [{"conditionType": "example/open"}]}})");
  pod.as_object()["status"] = status_of(spec, record, pod);
  EXPECT_TRUE(condition_is_true(pod, "ContainersReady"));
  EXPECT_FALSE(condition_is_true(pod, "Ready"));
}

TEST(PodStatus, NothingIsWrittenWhenNothingChanged) {
  const PodSpec spec = spec_of(R"({"containers": [{"name": "main"}]})");
  const PodRecord record = prepared(spec);
  boost::json::value pod{{"status", status_of(spec, record)}};
  const auto later =
      pod_status(pod, spec, record, {"10.0.0.1", "10.0.0.2"}, kWall, kWall + seconds(60));
  EXPECT_TRUE(status_patch(pod, later).empty());
}

}  // namespace
}  // namespace troupe::sim
