// Volumes, missing objects, and the end of a Unit.
#include "tests/unit/actors/unit/unit_fixture.hpp"

namespace troupe::actors {
namespace {

class UnitClaims : public UnitTest {
 protected:
  std::string request() {
    return cluster.at<k8s::PersistentVolumeClaim>("db-0-data", "/spec/resources/requests/storage");
  }
  void ask_for(std::string_view size) {
    auto claims = boost::json::parse(cluster.at<k8s::Unit>("db-0", "/spec/volumeClaimTemplates"));
    claims.at(0).at("spec").at("resources").at("requests").as_object()["storage"] = size;
    spec(fmt::format(R"({{"volumeClaimTemplates": {}}})", boost::json::serialize(claims)));
  }
};

TEST_F(UnitClaims, AreNamedAfterTheUnitAndBelongToNobody) {
  unit.settle();
  const auto claim = cluster.find<k8s::PersistentVolumeClaim>("db-0-data");
  EXPECT_EQ(claim->spec.storageClassName, "fast");
  EXPECT_EQ(claim->metadata.labels.get("app"), "shop");
  EXPECT_EQ(claim->metadata.labels.get("tier"), "gold");
  EXPECT_TRUE(claim->metadata.ownerReferences.empty());
}

TEST_F(UnitClaims, GrowAndNeverShrink) {
  unit.settle();
  ask_for("2Gi");
  unit.settle();
  EXPECT_EQ(request(), "2Gi");
  ask_for("1Gi");
  unit.settle();
  EXPECT_EQ(request(), "2Gi");
  ask_for("2048Mi");
  EXPECT_THAT(keys_of(unit.step()), Not(Contains(HasSubstr("PersistentVolumeClaim"))));
}

TEST_F(UnitClaims, ThatCannotGrowAreACondition) {
  cluster.put<k8s::StorageClass>("fast", R"({"provisioner": "disks"})", {});
  unit.settle();
  ask_for("2Gi");
  unit.settle();
  EXPECT_EQ(request(), "1Gi");
  EXPECT_THAT(condition("Reconciled"), HasSubstr("VolumeCannotGrow: claim db-0-data cannot grow to "
                                                 "2Gi: StorageClass fast does not allow it"));
}

TEST_F(UnitClaims, OfANewPodAreTheOldOnes) {
  run();
  const auto uid = cluster.find<k8s::PersistentVolumeClaim>("db-0-data")->metadata.uid.str();
  set_image("mysql:8.0.42");
  unit.settle();
  EXPECT_EQ(cluster.find<k8s::PersistentVolumeClaim>("db-0-data")->metadata.uid, uid);
}

TEST_F(UnitClaims, AreListedInTheStatus) {
  unit.settle();
  cluster.edit<k8s::PersistentVolumeClaim>("db-0-data", R"({
      "spec": {"volumeName": "pv-1"},
      "status": {"phase": "Bound", "accessModes": ["ReadWriteOnce"],
                 "capacity": {"storage": "1Gi"}}})");
  unit.settle();
  EXPECT_EQ(status("persistentVolumeClaim"),
            R"([{"name":"db-0-data","volumeName":"pv-1","accessModes":["ReadWriteOnce"],)"
            R"("capacity":{"storage":"1Gi"},"phase":"Bound"}])");
}

// ---- Missing objects ---------------------------------------------------------------------------

class UnitMissing : public UnitTest {
 protected:
  template <class Appear>
  void expect_waits_for(const std::string& rule, const std::string& name, Appear appear) {
    unit.settle();
    EXPECT_FALSE(cluster.has<k8s::Pod>("db-0"));
    EXPECT_THAT(condition("Reconciled"), AllOf(HasSubstr("False " + rule), HasSubstr(name)));
    EXPECT_THAT(cluster.events(), Contains(AllOf(HasSubstr("Warning " + rule), HasSubstr(name))));
    appear();
    unit.settle();
    EXPECT_TRUE(cluster.has<k8s::Pod>("db-0"));
    EXPECT_THAT(condition("Reconciled"), HasSubstr("True"));
  }
};

TEST_F(UnitMissing, ConfigurationTemplate) {
  spec(R"({"configTemplateName": "later"})");
  expect_waits_for("ConfigMapMissing", "prod/later (spec.configTemplateName)",
                   [this] { cluster.put<k8s::ConfigMap>("later"); });
}

TEST_F(UnitMissing, ConfigurationValues) {
  spec(R"({"configValueName": "later"})");
  expect_waits_for("ConfigMapMissing", "prod/later (spec.configValueName)",
                   [this] { cluster.put<k8s::ConfigMap>("later"); });
}

TEST_F(UnitMissing, SharedConfigMap) {
  spec(R"({"sharedConfigName": "later"})");
  expect_waits_for("ConfigMapMissing", "prod/later (spec.sharedConfigName)",
                   [this] { cluster.put<k8s::ConfigMap>("later"); });
}

TEST_F(UnitMissing, SecretThatAVolumeNames) {
  spec(
      R"({"template": {"spec": {"volumes": [{"name": "s", "secret": {"secretName": "later"}}]}}})");
  expect_waits_for("SecretMissing", "Secret prod/later",
                   [this] { cluster.put<k8s::SecretObject>("later"); });
}

TEST_F(UnitMissing, ConfigMapThatTheEnvironmentNames) {
  spec(R"({"template": {"spec": {"containers": [{"name": "mysql", "env": [
      {"name": "X", "valueFrom": {"configMapKeyRef": {"name": "later", "key": "k"}}}]}]}}})");
  expect_waits_for("ConfigMapMissing", "ConfigMap prod/later",
                   [this] { cluster.put<k8s::ConfigMap>("later"); });
}

TEST_F(UnitMissing, WhatIsOptionalIsNotWaitedFor) {
  spec(R"({"template": {"spec": {"volumes": [
      {"name": "s", "secret": {"secretName": "never", "optional": true}}]}}})");
  unit.settle();
  EXPECT_TRUE(cluster.has<k8s::Pod>("db-0"));
}

TEST_F(UnitMissing, StorageClassWhileItsVolumeIsNotBound) {
  cluster.remove<k8s::StorageClass>("fast", {});
  unit.settle();
  EXPECT_THAT(condition("Reconciled"),
              HasSubstr("StorageClassMissing: StorageClass fast (claim db-0-data)"));
  EXPECT_THAT(cluster.events(), Contains(HasSubstr("Warning StorageClassMissing")));
  cluster.edit<k8s::PersistentVolumeClaim>("db-0-data", R"({"status": {"phase": "Bound"}})");
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("True"));
}

// ---- The end -----------------------------------------------------------------------------------

class UnitEnd : public UnitTest {
 protected:
  UnitEnd() { run(); }
  void make_source() {
    cluster.edit<k8s::Pod>(
        "db-0", fmt::format(R"({{"metadata": {{"labels": {{"{}": "false", "{}": "shop"}}}}}})",
                            kReadonlyLabel, kReplicationLabel));
  }
};

TEST_F(UnitEnd, StopsTheDatabaseThenRemovesThePodThenGoes) {
  cluster.remove<k8s::Unit>("db-0");
  EXPECT_THAT(keys_of(unit.step()), Contains("stop"));
  EXPECT_TRUE(cluster.has<k8s::Pod>("db-0"));
  EXPECT_THAT(keys_of(unit.step()), Contains("delete Pod"));
  EXPECT_TRUE(cluster.has<k8s::Unit>("db-0"));
  EXPECT_THAT(keys_of(unit.step()), ElementsAre("remove finalizer"));
  EXPECT_FALSE(cluster.has<k8s::Unit>("db-0"));
  EXPECT_TRUE(cluster.has<k8s::PersistentVolumeClaim>("db-0-data"));
}

TEST_F(UnitEnd, DeletesItsDataWhereThePolicySaysSo) {
  spec(R"({"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}})");
  cluster.remove<k8s::Unit>("db-0");
  unit.settle();
  EXPECT_FALSE(cluster.has<k8s::PersistentVolumeClaim>("db-0-data"));
  EXPECT_FALSE(cluster.has<k8s::Unit>("db-0"));
}

TEST_F(UnitEnd, ASourceStaysAndSaysWhatToDo) {
  make_source();
  cluster.remove<k8s::Unit>("db-0");
  unit.settle();
  EXPECT_TRUE(cluster.has<k8s::Pod>("db-0"));
  EXPECT_THAT(condition("Reconciled"),
              HasSubstr("UnitIsSource: db-0 is the source of replication shop: switch over"));
  EXPECT_THAT(cluster.events(), Contains(HasSubstr("Warning UnitIsSource")));
}

TEST_F(UnitEnd, ForcedRemovesAPodThatItsNodeHasNotLetGo) {
  make_source();
  annotate("upm.io/force-delete", "true");
  cluster.edit<k8s::Pod>("db-0", R"({"metadata": {"finalizers": ["kubelet"]}})");
  cluster.remove<k8s::Pod>("db-0");
  cluster.remove<k8s::Unit>("db-0");
  const auto decision = unit.decide();
  ASSERT_FALSE(decision.effects.empty());
  const auto& gone = std::get<Delete>(decision.effects.front().action);
  EXPECT_EQ(gone.object.name, "db-0");
  EXPECT_EQ(gone.grace_seconds, 0);
  EXPECT_THAT(cluster.asked(), Not(Contains("StopProcess")));
}

TEST_F(UnitEnd, APodWhoseAgentIsAwayIsNotWaitedFor) {
  cluster.agent_of_pod("db-0").stream = agent::StreamState::Lost;
  cluster.remove<k8s::Unit>("db-0");
  unit.settle();
  EXPECT_FALSE(cluster.has<k8s::Unit>("db-0"));
}

TEST_F(UnitEnd, NothingIsWrittenWhileAllIsWell) { EXPECT_THAT(keys_of(unit.decide()), IsEmpty()); }

}  // namespace
}  // namespace troupe::actors
