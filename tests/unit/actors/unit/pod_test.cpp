// The Pod that a Unit makes: its template, with agent and supervisor put in.
#include "tests/unit/actors/unit/unit_fixture.hpp"

namespace troupe::actors {
namespace {

class UnitPod : public UnitTest {
 protected:
  boost::json::object container(std::string_view list, std::string_view name) {
    const auto spec = cluster.json<k8s::Pod>("db-0").at("spec").as_object();
    const auto* found = find_named(spec.at(list).as_array(), name);
    return found ? *found : boost::json::object();
  }
  std::string env(const boost::json::object& in, std::string_view name) {
    const auto* found = find_named(in.at("env").as_array(), name);
    return found ? text_at(*found, "value") : "";
  }
};

TEST_F(UnitPod, BearsTheUnitsNameLabelsAndOwnership) {
  unit.settle();
  const auto live = cluster.find<k8s::Pod>("db-0");
  EXPECT_EQ(live->metadata.labels.get("app"), "shop");
  EXPECT_EQ(live->spec.hostname, "db-0");
  EXPECT_EQ(k8s::controller_of(live->metadata)->uid, cluster.find<k8s::Unit>("db-0")->metadata.uid);
  EXPECT_EQ(live->metadata.annotations.get("kubectl.kubernetes.io/default-container"), "mysql");
}

TEST_F(UnitPod, BearsTheLabelThatTheOperatorWatchesAlsoWhereTheUnitStandsAlone) {
  cluster.edit<k8s::Unit>("db-0", R"({"metadata": {"labels": null}})");
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.labels.get(kUnitLabel), "db-0");
}

TEST_F(UnitPod, TheSupervisorIsCopiedInAndIsTheDatabasesFirstProcess) {
  unit.settle();
  const auto install = container("initContainers", "troupe-supervise");
  EXPECT_EQ(boost::json::serialize(install.at("command")),
            R"(["troupe-supervise","install","/troupe/bin"])");
  EXPECT_EQ(text_at(install, "image"), "troupe:latest");
  const auto main = container("containers", "mysql");
  EXPECT_EQ(boost::json::serialize(main.at("command")),
            R"(["/troupe/bin/troupe-supervise","run","--socket","/troupe/run/supervise/sock",)"
            R"("--grace","60"])");
  EXPECT_FALSE(main.contains("args"));
  EXPECT_FALSE(container("containers", "exporter").contains("command"));
}

TEST_F(UnitPod, ClientsInTheDatabasesContainerFindItsSocketByThemselves) {
  unit.settle();
  EXPECT_EQ(env(container("containers", "mysql"), "MYSQL_HOME"), "/troupe/run/client");
  EXPECT_FALSE(container("containers", "exporter").contains("env"));
}

TEST_F(UnitPod, AMysqlHomeOfTheTemplateStays) {
  spec(R"({"template": {"spec": {"containers": [{"name": "mysql", "env": [
      {"name": "MYSQL_HOME", "value": "/mine"}]}]}}})");
  unit.settle();
  const auto main = container("containers", "mysql");
  EXPECT_EQ(env(main, "MYSQL_HOME"), "/mine");
  EXPECT_EQ(main.at("env").as_array().size(), 1U);
}

TEST_F(UnitPod, TheAgentIsANativeSidecarThatSeesTheDatabasesVolumes) {
  unit.settle();
  const auto agent = container("initContainers", "unit-agent");
  EXPECT_EQ(text_at(agent, "restartPolicy"), "Always");
  EXPECT_NE(find_named(agent.at("volumeMounts").as_array(), "data"), nullptr);
  EXPECT_NE(find_named(agent.at("volumeMounts").as_array(), "troupe-run"), nullptr);
  EXPECT_EQ(agent.at("securityContext").at("runAsUser"), 1001);
  EXPECT_EQ(agent.at("ports").at(0).at("containerPort"), 2214);
  EXPECT_EQ(env(agent, "ARCH_MODE"), "rpl_semi_sync");
  EXPECT_EQ(env(agent, "UNIT_TYPE"), "mysql");
  EXPECT_EQ(find_named(agent.at("env").as_array(), "TROUPE_POD_IP")
                ->at("valueFrom")
                .at("fieldRef")
                .at("fieldPath"),
            "status.podIP");
  EXPECT_EQ(env(agent, "DATA_MOUNT"), "/DATA");
  EXPECT_EQ(env(agent, "TROUPE_REPORT_HOST"), "db-0.db-headless-svc.prod");
}

TEST_F(UnitPod, TheCertificateIsMountedAndNamesTheUnit) {
  const auto decision = unit.step();
  const IssueCertificate* issued = nullptr;
  for (const auto& e : decision.effects)
    if (const auto* c = std::get_if<IssueCertificate>(&e.action)) issued = c;
  ASSERT_NE(issued, nullptr);
  EXPECT_EQ(issued->secret.name, "db-0-tls");
  EXPECT_THAT(
      issued->dns_names,
      ElementsAre("db-0.prod.agent.troupe", "db-0", "localhost", "db-0.db-headless-svc.prod",
                  "db-0.db-headless-svc.prod.svc", "db-0.db-headless-svc.prod.svc.cluster.local"));
  EXPECT_FALSE(cluster.has<k8s::Pod>("db-0")) << "it would wait for its volume";
  unit.settle();
  EXPECT_THAT(pod("/spec/volumes"), HasSubstr(R"("secretName":"db-0-tls")"));
}

TEST_F(UnitPod, TheCertificateIsRenewedWhenItIsDueAndNobodyElseWakesTheUnit) {
  unit.settle();
  const auto due = unit.decide().wake;
  EXPECT_EQ(due, cluster.now + std::chrono::hours(24 * 60));
  cluster.now = due;
  EXPECT_THAT(keys_of(unit.decide()), Contains("certificate"));
}

TEST_F(UnitPod, SecretsOfTheDatabasesEnvironmentStayWithTheDatabase) {
  cluster.put<k8s::SecretObject>("root");
  spec(R"({"template": {"spec": {"containers": [{"name": "mysql", "env": [
      {"name": "MYSQL_ROOT_PASSWORD",
       "valueFrom": {"secretKeyRef": {"name": "root", "key": "p"}}}]}]}}})");
  unit.settle();
  EXPECT_NE(
      find_named(container("containers", "mysql").at("env").as_array(), "MYSQL_ROOT_PASSWORD"),
      nullptr);
  EXPECT_EQ(find_named(container("initContainers", "unit-agent").at("env").as_array(),
                       "MYSQL_ROOT_PASSWORD"),
            nullptr);
}

TEST_F(UnitPod, ATemplateWithAnAgentOfItsOwnKeepsIt) {
  spec(R"({"template": {"spec": {"initContainers": [
      {"name": "unit-agent", "image": "mine:1", "restartPolicy": "Always"}]}}})");
  unit.settle();
  EXPECT_EQ(text_at(container("initContainers", "unit-agent"), "image"), "mine:1");
  EXPECT_FALSE(container("containers", "mysql").contains("command"));
}

TEST_F(UnitPod, TheDatabaseIsTheContainerThatAnAnnotationNamesElseTheFirst) {
  annotate("kubectl.kubernetes.io/default-container", "exporter");
  unit.settle();
  EXPECT_TRUE(container("containers", "exporter").contains("command"));
  EXPECT_FALSE(container("containers", "mysql").contains("command"));
}

TEST_F(UnitPod, ATemplateWithoutThatContainerIsACondition) {
  annotate("kubectl.kubernetes.io/default-container", "postgresql");
  unit.settle();
  EXPECT_THAT(condition("Reconciled"),
              HasSubstr("MainContainerMissing: spec.template has no container named postgresql"));
  EXPECT_FALSE(cluster.has<k8s::Pod>("db-0"));
}

TEST_F(UnitPod, TheTemplatesGracePeriodIsTheSupervisors) {
  spec(R"({"template": {"spec": {"terminationGracePeriodSeconds": 300}}})");
  unit.settle();
  EXPECT_EQ(pod("/spec/terminationGracePeriodSeconds"), "300");
  EXPECT_THAT(boost::json::serialize(container("containers", "mysql").at("command")),
              HasSubstr(R"("--grace","300")"));
}

// ---- Replacing it ------------------------------------------------------------------------------

TEST_F(UnitPod, AChangedTemplateStopsTheDatabaseFirstAndThenReplacesThePod) {
  run();
  set_image("mysql:8.0.42");
  unit.step();
  unit.step();
  EXPECT_EQ(cluster.asked().back(), "StopProcess");
  EXPECT_EQ(status("task"), "TemplateChanged");
  EXPECT_EQ(status("phase"), "") << "absent while the Pod is replaced";
  unit.settle();
  EXPECT_THAT(pod("/spec/containers/0/image"), "mysql:8.0.42");
}

TEST_F(UnitPod, TheReasonOfAReplacementStandsUntilTheNewPodServes) {
  run();
  set_image("mysql:8.0.42");
  unit.settle();
  cluster.run_pod("db-0", "node-1", false);
  unit.settle();
  EXPECT_EQ(status("phase"), "Running");
  EXPECT_EQ(status("task"), "TemplateChanged");
  cluster.run_pod("db-0");
  unit.settle();
  EXPECT_EQ(status("phase"), "Ready");
  EXPECT_EQ(status("task"), "");
}

TEST_F(UnitPod, AnotherOperatorLeavesAPodThatRunsAsItIsAndSaysSo) {
  run();
  const auto made = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  const auto agent = container("initContainers", "unit-agent");
  EXPECT_EQ(condition("PodOutdated"), "");
  cluster.upgrade_operator("troupe:next");
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.uid, made);
  EXPECT_EQ(container("initContainers", "unit-agent"), agent);
  EXPECT_THAT(condition("PodOutdated"), HasSubstr("made by an earlier operator"));
  EXPECT_EQ(status("phase"), "Ready");
  EXPECT_THAT(unit.decide().effects, IsEmpty());

  cluster.edit<k8s::Unit>("db-0", R"({"metadata": {"labels": {"app": "market"}}})");
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.labels.get("app"), "market");
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.uid, made);

  set_image("mysql:8.0.42");
  unit.settle();
  EXPECT_NE(cluster.find<k8s::Pod>("db-0")->metadata.uid, made);
  EXPECT_EQ(text_at(container("initContainers", "unit-agent"), "image"), "troupe:next");
  EXPECT_EQ(condition("PodOutdated"), "");
}

TEST_F(UnitPod, APodFromBeforeUnitsHadAHashIsTakenAsItIs) {
  run();
  const auto made = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  cluster.edit<k8s::Pod>("db-0", R"({"metadata": {"annotations": {
      "troupe.dev/unit-hash": null, "troupe.dev/template-hash": "1"}}})");
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.uid, made);
  EXPECT_THAT(condition("PodOutdated"), HasSubstr("made by an earlier operator"));
  set_image("mysql:8.0.42");
  unit.settle();
  EXPECT_NE(cluster.find<k8s::Pod>("db-0")->metadata.uid, made) << "from now on it has one";
}

TEST_F(UnitPod, LabelsChangeOnThePodThatRuns) {
  run();
  const auto uid = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  cluster.edit<k8s::Unit>("db-0", R"({"metadata": {"labels": {"app": "market"}}})");
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.labels.get("app"), "market");
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.uid, uid);
}

TEST_F(UnitPod, TheLabelOfTheUnitsOwnerIsNotThePods) {
  cluster.edit<k8s::Unit>("db-0", R"({"metadata": {"labels": {"troupe.dev/replication": "db"}}})");
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.labels.get(kOwnerLabel), "");
  EXPECT_EQ(cluster.find<k8s::PersistentVolumeClaim>("db-0-data")->metadata.labels.get(kOwnerLabel),
            "");
}

TEST_F(UnitPod, LabelsThatOthersPutOnThePodStay) {
  run();
  cluster.edit<k8s::Pod>("db-0", R"({"metadata": {"labels": {"role": "source"}}})");
  cluster.edit<k8s::Unit>("db-0", R"({"metadata": {"labels": {"app": "market"}}})");
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.labels.get("role"), "source");
}

TEST_F(UnitPod, AFailedPodIsMadeAgainAfterTheThreshold) {
  run();
  const auto uid = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  cluster.edit<k8s::Pod>("db-0", R"({"status": {"phase": "Failed", "conditions": null}})");
  cluster.agent_of_pod("db-0").stream = agent::StreamState::Lost;
  const auto decision = unit.settle();
  EXPECT_EQ(decision.wake, cluster.now + std::chrono::seconds(60));
  EXPECT_EQ(status("phase"), "Failed");
  EXPECT_THAT(condition("Reconciled"), HasSubstr("PodFailed: the Pod has ended (Failed): it is "
                                                 "made again after 60 s"));
  cluster.now += std::chrono::seconds(60);
  unit.settle();
  EXPECT_NE(cluster.find<k8s::Pod>("db-0")->metadata.uid, uid);
}

TEST_F(UnitPod, APodThatItsNodeCannotTakeIsMadeAgainAtOnce) {
  run();
  const auto uid = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  cluster.agent_of_pod("db-0").stream = agent::StreamState::Lost;
  cluster.edit<k8s::Pod>(
      "db-0", R"({"status": {"phase": "Failed", "reason": "NodeAffinity", "conditions": null}})");
  unit.settle();
  EXPECT_NE(cluster.find<k8s::Pod>("db-0")->metadata.uid, uid);
}

TEST_F(UnitPod, ALabelThatSomebodyRemovedIsPutBack) {
  spec(R"({"template": {"metadata": {"labels": {"unitset.name": "db"}}}})");
  unit.settle();
  cluster.edit<k8s::Pod>("db-0", R"({"metadata": {"labels": {"unitset.name": null}}})");
  ASSERT_EQ(pod("/metadata/labels/unitset.name"), "");
  unit.settle();
  EXPECT_EQ(pod("/metadata/labels/unitset.name"), "db");
  EXPECT_THAT(keys_of(unit.decide()), IsEmpty());
}

TEST_F(UnitPod, AFailedPodStaysWhereRecoveryIsOff) {
  spec(R"({"failedPodRecoveryPolicy": {"enabled": false}})");
  run();
  const auto uid = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  cluster.edit<k8s::Pod>("db-0", R"({"status": {"phase": "Failed", "conditions": null}})");
  cluster.now += std::chrono::hours(1);
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.uid, uid);
  EXPECT_THAT(condition("Reconciled"), HasSubstr("failedPodRecoveryPolicy is off"));
}

// ---- The node ----------------------------------------------------------------------------------

class UnitBinding : public UnitPod {
 protected:
  UnitBinding() { spec(R"({"unbindNode": false})"); }
  std::string noted() {
    return cluster.at<k8s::Unit>("db-0", "/metadata/annotations/last.unit.belong.node");
  }
  std::string selector() {
    return cluster.at<k8s::Unit>("db-0",
                                 "/spec/template/spec/nodeSelector/kubernetes.io~1hostname");
  }
};

TEST_F(UnitBinding, TheFirstNodeIsNotedAndThePodIsNotReplacedForIt) {
  unit.settle();
  EXPECT_EQ(noted(), "");
  const auto uid = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  cluster.run_pod("db-0", "node-7");
  unit.settle();
  EXPECT_EQ(noted(), "node-7");
  EXPECT_EQ(selector(), "node-7");
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.uid, uid);
  EXPECT_EQ(pod("/spec/nodeSelector"), "") << "a Pod's specification cannot change";
}

TEST_F(UnitBinding, TheNextPodGoesToTheSameNode) {
  unit.settle();
  cluster.run_pod("db-0", "node-7");
  unit.settle();
  cluster.remove<k8s::Pod>("db-0");
  unit.settle();
  EXPECT_EQ(pod("/spec/nodeSelector/kubernetes.io~1hostname"), "node-7");
  cluster.run_pod("db-0", "node-7");
  cluster.edit<k8s::Unit>("db-0", R"({"metadata": {"labels": {"app": "market"}}})");
  unit.settle();
  EXPECT_EQ(pod("/spec/nodeSelector/kubernetes.io~1hostname"), "node-7");
}

TEST_F(UnitBinding, ANodeIsSelectedByItsHostnameLabel) {
  cluster.put<k8s::Node>("node-7",
                         R"({"metadata": {"labels": {"kubernetes.io/hostname": "seven"}}})", {});
  unit.settle();
  cluster.run_pod("db-0", "node-7");
  unit.settle();
  EXPECT_EQ(noted(), "node-7");
  EXPECT_EQ(selector(), "seven");
}

TEST_F(UnitBinding, UnbindingFreesTheUnitWithoutReplacingItsPod) {
  unit.settle();
  cluster.run_pod("db-0", "node-7");
  unit.settle();
  cluster.remove<k8s::Pod>("db-0");
  unit.settle();
  cluster.run_pod("db-0", "node-7");
  unit.settle();
  const auto uid = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  spec(R"({"unbindNode": true})");
  unit.settle();
  EXPECT_EQ(noted(), "");
  EXPECT_EQ(selector(), "");
  EXPECT_EQ(cluster.find<k8s::Pod>("db-0")->metadata.uid, uid);
}

TEST_F(UnitBinding, ATemplateThatNamesANodeIsNotBoundASecondTime) {
  spec(R"({"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": "node-3"}}}})");
  unit.settle();
  cluster.run_pod("db-0", "node-3");
  unit.settle();
  EXPECT_EQ(noted(), "");
  EXPECT_EQ(pod("/spec/nodeSelector/kubernetes.io~1hostname"), "node-3");
}

TEST_F(UnitBinding, ANodeThatIsGoneIsACondition) {
  unit.settle();
  cluster.run_pod("db-0", "node-7");
  unit.settle();
  cluster.remove<k8s::Pod>("db-0");
  cluster.remove<k8s::Node>("node-7", {});
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("NodeMissing: node node-7"));
}

TEST_F(UnitPod, WithoutANodeIsTheUnitsTrouble) {
  unit.settle();
  cluster.edit<k8s::Pod>("db-0", R"({"status": {"conditions": [
      {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
       "message": "0/1 nodes are available: 1 Insufficient memory."}]}})");
  unit.settle();
  EXPECT_EQ(condition("Reconciled"),
            "False PodUnscheduled: its Pod has no node: Unschedulable: 0/1 nodes are available: 1 "
            "Insufficient memory.");
  cluster.run_pod("db-0");
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), testing::StartsWith("True"));
}

TEST_F(UnitPod, WithAContainerThatCannotStartIsTheUnitsTrouble) {
  unit.settle();
  cluster.edit<k8s::Pod>("db-0", R"({"status": {"containerStatuses": [
      {"name": "exporter", "state": {"waiting": {"reason": "ContainerCreating"}}},
      {"name": "mysql", "state": {"waiting": {"reason": "CreateContainerConfigError",
                                              "message": "configmap \"x\" not found"}}}]}})");
  unit.settle();
  EXPECT_EQ(condition("Reconciled"),
            "False ContainerWaits: container mysql cannot start: CreateContainerConfigError: "
            "configmap \"x\" not found");
}

TEST_F(UnitPod, OnItsWayToRunIsNoTrouble) {
  unit.settle();
  cluster.edit<k8s::Pod>("db-0", R"({"status": {
      "conditions": [{"type": "PodScheduled", "status": "True"}],
      "initContainerStatuses": [
        {"name": "unit-agent", "state": {"waiting": {"reason": "PodInitializing"}}}]}})");
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), testing::StartsWith("True"));
}

}  // namespace
}  // namespace troupe::actors
