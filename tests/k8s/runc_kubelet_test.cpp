#include <signal.h>

#include <fstream>

#include "tests/k8s/runc_fixture.hpp"

namespace troupe::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Far below any polling interval, and above what a busy machine adds to an event.
constexpr milliseconds kNoPolling{500};

TEST_F(RuncTest, APodRunsWithAnAddressAndTheStatusOfARealOne) {
  const auto began = steady_clock::now();
  create_pod(
      "shell", "echo hello from $POD_NAME; exec sleep 1000", "",
      R"("env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}])");
  ASSERT_TRUE(run_until([&] { return is_ready("shell"); }));
  RecordProperty(
      "pod_start_ms",
      static_cast<int>(
          std::chrono::duration_cast<milliseconds>(steady_clock::now() - began).count()));
  EXPECT_LT(steady_clock::now() - began, milliseconds(5000));

  const auto& status = pod("shell")->at("status");
  EXPECT_EQ(phase("shell"), "Running");
  EXPECT_TRUE(text(status, {"podIP"}).starts_with("10.244."));
  EXPECT_EQ(text(status, {"podIP"}), text(items(status, {"podIPs"}).at(0), {"ip"}));
  EXPECT_TRUE(condition_is_true(*pod("shell"), "Initialized"));
  EXPECT_TRUE(condition_is_true(*pod("shell"), "ContainersReady"));
  EXPECT_TRUE(text(container("shell"), {"containerID"}).starts_with("runc://"));
  EXPECT_GT(pid_of("shell"), 1);
  EXPECT_TRUE(run_until([&] { return logs("shell") == "hello from shell\n"; }));
  EXPECT_TRUE(has_event("Started"));
}

TEST_F(RuncTest, ExecRunsACommandWithInputAndReportsItsStatus) {
  create_pod("shell", "exec sleep 1000");
  ASSERT_TRUE(run_until([&] { return is_ready("shell"); }));
  EXPECT_EQ(exec("shell", {"sh", "-c", "hostname; cat /etc/hostname"}),
            std::make_pair(0, std::string("shell\nshell\n")));
  EXPECT_EQ(exec("shell", {"cat"}, "given"), std::make_pair(0, std::string("given")));
  EXPECT_EQ(exec("shell", {"sh", "-c", "exit 7"}).first, 7);
}

TEST_F(RuncTest, ACommandWhoseClientIsGoneIsEndedAndKeepsNoContainerFromEnding) {
  create_pod("shell", "exec sleep 1000");
  ASSERT_TRUE(run_until([&] { return is_ready("shell"); }));
  ExecOptions options;
  options.argv = {"sleep", "2000"};
  for (int i = 0; i < 20; ++i) {
    auto session = kubelet_->exec(reference("shell"), options, std::make_shared<CollectedExec>());
    ASSERT_TRUE(session) << session.error().message;
    // At another moment of its start each time.
    run_until([] { return false; }, milliseconds(5 * i));
  }
  EXPECT_TRUE(run_until([&] {
    return exec("shell", {"sh", "-c", "cat /proc/*/cmdline"}).second.find("2000") ==
           std::string::npos;
  }));
  kill(pid_of("shell"), SIGKILL);
  EXPECT_TRUE(run_until([&] { return number(container("shell"), {"restartCount"}) == 1; }));
}

TEST_F(RuncTest, AKillShowsInTheApiWithinMilliseconds) {
  create_pod("victim", "exec sleep 1000", R"("restartPolicy": "Never")");
  ASSERT_TRUE(run_until([&] { return is_ready("victim"); }));
  const pid_t pid = pid_of("victim");
  const auto killed = steady_clock::now();
  kill(pid, SIGKILL);
  ASSERT_TRUE(run_until([&] { return !is_ready("victim"); }));
  const auto seen = std::chrono::duration_cast<milliseconds>(steady_clock::now() - killed);
  RecordProperty("kill_to_status_ms", static_cast<int>(seen.count()));
  EXPECT_LT(seen, kNoPolling);
  EXPECT_EQ(number(container("victim"), {"state", "terminated", "exitCode"}), 137);
  ASSERT_TRUE(run_until([&] { return phase("victim") == "Failed"; }));
}

TEST_F(RuncTest, ACrashedContainerIsRestartedAndItsFormerOutputStays) {
  create_pod("crasher", "echo instance; exec sleep 1000");
  ASSERT_TRUE(run_until([&] { return is_ready("crasher"); }));
  kill(pid_of("crasher"), SIGKILL);
  ASSERT_TRUE(run_until(
      [&] { return number(container("crasher"), {"restartCount"}) == 1 && is_ready("crasher"); }));
  EXPECT_EQ(number(container("crasher"), {"lastState", "terminated", "exitCode"}), 137);
  LogOptions previous;
  previous.previous = true;
  EXPECT_TRUE(run_until([&] { return logs("crasher", previous) == "instance\n"; }));
}

TEST_F(RuncTest, AContainerThatKeepsFailingBacksOff) {
  create_pod("failing", "exit 3");
  ASSERT_TRUE(run_until([&] {
    return text(container("failing"), {"state", "waiting", "reason"}) == "CrashLoopBackOff";
  }));
  EXPECT_EQ(number(container("failing"), {"lastState", "terminated", "exitCode"}), 3);
}

TEST_F(RuncTest, DeletionTerminatesWithinTheGraceAndForceDeletionAtOnce) {
  create_pod("polite", "trap 'exit 0' TERM; echo up; while true; do sleep 0.01; done");
  create_pod("stubborn", "trap '' TERM; echo up; while true; do sleep 0.01; done");
  ASSERT_TRUE(run_until([&] { return is_ready("polite") && is_ready("stubborn"); }));
  ASSERT_TRUE(run_until([&] { return !logs("polite").empty() && !logs("stubborn").empty(); }));
  ASSERT_TRUE(api_.remove("pods", "default", "polite"));
  EXPECT_TRUE(run_until([&] { return pod("polite") == nullptr; }, milliseconds(3000)));

  const pid_t pid = pid_of("stubborn");
  DeleteOptions force;
  force.grace_period_seconds = 0;
  ASSERT_TRUE(api_.remove("pods", "default", "stubborn", force));
  EXPECT_TRUE(run_until([&] { return kill(pid, 0) != 0; }, milliseconds(3000)));
}

TEST_F(RuncTest, AMissingConfigMapIsNamedAndItsAppearanceStartsThePod) {
  create_pod("needy", "cat /etc/settings/key; exec sleep 1000",
             R"("volumes": [{"name": "settings", "configMap": {"name": "settings"}}])",
             R"("volumeMounts": [{"name": "settings", "mountPath": "/etc/settings"}])");
  ASSERT_TRUE(run_until([&] { return has_event("FailedMount"); }));
  api_.apply(R"({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "one"},
                 "metadata": {"name": "settings", "namespace": "default"}})");
  ASSERT_TRUE(run_until([&] { return is_ready("needy"); }, milliseconds(1500)));
  EXPECT_EQ(exec("needy", {"cat", "/etc/settings/key"}).second, "one");

  api_.apply(R"({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "two"},
                 "metadata": {"name": "settings", "namespace": "default"}})");
  EXPECT_TRUE(run_until(
      [&] {
        return exec("needy", {"cat", "/etc/settings/key"}).second == "two";
      },
      milliseconds(3000)));
}

TEST_F(RuncTest, AnImageThatIsMappedLaterIsUsedThen) {
  api_.apply(R"({"apiVersion": "v1", "kind": "Pod",
      "metadata": {"name": "waiting", "namespace": "default"},
      "spec": {"nodeName": "node-0", "containers": [
        {"name": "main", "image": "example.org/other:1.0", "command": ["sleep", "1000"]}]}})");
  ASSERT_TRUE(run_until([&] {
    return text(container("waiting"), {"state", "waiting", "reason"}) == "ErrImagePull";
  }));
  kubelet_->map_image("example.org/other", kRootFs);
  EXPECT_TRUE(run_until([&] { return is_ready("waiting"); }, milliseconds(2000)));
}

TEST_F(RuncTest, InitContainersRunInOrderAndSidecarsStartBeforeTheMainContainer) {
  api_.apply(R"({"apiVersion": "v1", "kind": "Pod",
      "metadata": {"name": "staged", "namespace": "default"},
      "spec": {"nodeName": "node-0",
        "volumes": [{"name": "shared", "emptyDir": {}}],
        "initContainers": [
          {"name": "first", "image": "base", "command": ["sh", "-c", "echo 1 >> /shared/order"],
           "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]},
          {"name": "helper", "image": "base", "restartPolicy": "Always",
           "command": ["sh", "-c", "echo 2 >> /shared/order; touch /ready; exec sleep 1000"],
           "startupProbe": {"exec": {"command": ["test", "-e", "/ready"]}, "periodSeconds": 1},
           "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}],
        "containers": [
          {"name": "main", "image": "base",
           "command": ["sh", "-c", "echo 3 >> /shared/order; exec sleep 1000"],
           "volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}]}})");
  ASSERT_TRUE(run_until([&] { return is_ready("staged"); }));
  EXPECT_EQ(exec("staged", {"cat", "/shared/order"}).second, "1\n2\n3\n");
}

TEST_F(RuncTest, ALimitOfMemoryEndsInOOMKilled) {
  create_pod("hungry", "exec perl -e '$x = \"a\" x (256 * 1024 * 1024); sleep 1000'",
             R"("restartPolicy": "Never")", R"("resources": {"limits": {"memory": "64Mi"}})");
  ASSERT_TRUE(run_until([&] { return phase("hungry") == "Failed"; }));
  EXPECT_EQ(text(container("hungry"), {"state", "terminated", "reason"}), "OOMKilled");
}

TEST_F(RuncTest, AProbeThatFailsTakesReadinessAwayOrRestarts) {
  create_pod("probed", "touch /tmp/ready /tmp/alive; exec sleep 1000",
             R"("terminationGracePeriodSeconds": 1)",
             R"("readinessProbe": {"exec": {"command": ["test", "-e", "/tmp/ready"]},
                  "periodSeconds": 1, "failureThreshold": 1},
                "livenessProbe": {"exec": {"command": ["test", "-e", "/tmp/alive"]},
                  "periodSeconds": 1, "failureThreshold": 1})");
  ASSERT_TRUE(run_until([&] { return is_ready("probed"); }));
  exec("probed", {"rm", "/tmp/ready"});
  ASSERT_TRUE(run_until([&] { return !is_ready("probed"); }));
  EXPECT_EQ(number(container("probed"), {"restartCount"}), 0);
  exec("probed", {"rm", "/tmp/alive"});
  EXPECT_TRUE(run_until([&] { return number(container("probed"), {"restartCount"}) == 1; }));
}

TEST_F(RuncTest, WhatAKilledKubeletLeftIsClearedByTheNext) {
  api_.apply(R"({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "volume"},
                 "spec": {"capacity": {"storage": "64Mi"}, "accessModes": ["ReadWriteOnce"],
                          "local": {"fsType": "ext4", "path": ")" +
             (state_dir_ / "volumes/own.img").string() + R"("}}})");
  api_.apply(R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                 "metadata": {"name": "claim", "namespace": "default"},
                 "spec": {"volumeName": "volume", "accessModes": ["ReadWriteOnce"],
                          "resources": {"requests": {"storage": "64Mi"}}}})");
  const std::string volumes =
      R"("volumes": [{"name": "own", "persistentVolumeClaim": {"claimName": "claim"}}])";
  const std::string mounts = R"("volumeMounts": [{"name": "own", "mountPath": "/own"}])";
  create_pod("left", "touch /own/kept; exec sleep 1000", volumes, mounts);
  ASSERT_TRUE(run_until([&] {
    return is_ready("left") && exec("left", {"ls", "/own"}).second == "kept\nlost+found\n";
  }));
  const pid_t pid = pid_of("left");
  // As after a kill: nobody cleans up, no handler runs any more, and another one starts in the same
  // directory.
  caches_->stop();
  static auto& abandoned = *new std::pair(std::move(io_), std::move(kubelet_));
  (void)abandoned;
  io_ = std::make_unique<boost::asio::io_context>();
  (void)api_.remove("pods", "default", "left", {0, "", ""});
  start_kubelet();
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  EXPECT_TRUE(line.empty() || dying_status(line)) << line;
  std::ifstream left("/proc/self/mounts");
  for (std::string mount; std::getline(left, mount);)
    EXPECT_EQ(mount.find(state_dir_.string() + "/pods/"), std::string::npos) << mount;
  create_pod("fresh", "exec sleep 1000", volumes, mounts);
  EXPECT_TRUE(run_until([&] { return is_ready("fresh"); }));
  EXPECT_EQ(exec("fresh", {"ls", "/own"}).second, "kept\nlost+found\n");
}

}  // namespace
}  // namespace troupe::sim
