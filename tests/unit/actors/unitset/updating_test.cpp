// How a change reaches the Units.
#include "actors/model/names.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "tests/unit/actors/unitset/set_fixture.hpp"

namespace troupe::actors {
namespace {

class UnitSetUpdating : public UnitSetTest {
 protected:
  UnitSetUpdating() {
    install_templates("8.0.42");
    make_all_ready();
  }
  void update() { spec(R"({"version": "8.0.42"})"); }
  std::vector<std::string> updated() {
    std::vector<std::string> out;
    for (const auto& unit : cluster.names<k8s::Unit>())
      if (image_of(unit) == "mysql:8.0.42") out.push_back(unit);
    return out;
  }
};

TEST_F(UnitSetUpdating, RollsFromTheHighestOrdinalAndWaitsForEachToBeReady) {
  update();
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-2"));
  make_busy("db-2");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-2"));
  make_ready("db-2");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1", "db-2"));
  make_ready("db-1");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-0", "db-1", "db-2"));
}

TEST_F(UnitSetUpdating, StatusSaysWhatMovesUntilItServesAgain) {
  EXPECT_EQ(status("unitImageSynced"), "Synced");
  EXPECT_EQ(status("inUpdate"), "false");
  update();
  set.step();
  EXPECT_EQ(status("unitImageSynced"), "Syncing");
  EXPECT_EQ(status("inUpdate"), "db-2");
  make_busy("db-2");
  set.settle();
  EXPECT_EQ(status("inUpdate"), "db-2");
  EXPECT_THAT(condition("Ready"), HasSubstr("2 of 3 Units are ready"));
  for (const auto unit : {"db-2", "db-1", "db-0"}) {
    make_ready(unit);
    set.settle();
  }
  EXPECT_EQ(status("unitImageSynced"), "Synced");
  EXPECT_EQ(status("inUpdate"), "false");
}

TEST_F(UnitSetUpdating, AUnitThatNeverGetsReadyHoldsTheOthersBack) {
  update();
  set.settle();
  make_busy("db-2");
  const auto decision = set.settle();
  EXPECT_THAT(guard_text(decision, "UpdateWaits"),
              HasSubstr("db-1 is updated when no more than 0"));
  cluster.now += std::chrono::hours(5);
  EXPECT_THAT(keys_of(set.decide()), IsEmpty());
  EXPECT_THAT(updated(), ElementsAre("db-2"));
}

TEST_F(UnitSetUpdating, MaxUnavailableUnitsAreUpdatedAtOnce) {
  spec(R"({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}})");
  update();
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1", "db-2"));
}

TEST_F(UnitSetUpdating, AUnitThatIsDownAnywayIsUpdatedBeforeItsTurn) {
  cluster.edit<k8s::Unit>("db-0", R"({"status": {"phase": "Running"}})");
  update();
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-0"));
}

TEST_F(UnitSetUpdating, UnitsBelowThePartitionKeepTheOldVersion) {
  spec(R"({"updateStrategy": {"rollingUpdate": {"partition": 2}}})");
  update();
  set.settle();
  make_ready("db-2");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-2"));
  EXPECT_EQ(status("unitImageSynced"), "NotSynced");
  spec(R"({"updateStrategy": {"rollingUpdate": {"partition": 0}}})");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1", "db-2"));
}

TEST_F(UnitSetUpdating, OnDeleteWaitsForTheUserToDeleteThePod) {
  spec(R"({"updateStrategy": {"type": "OnDelete"}})");
  update();
  set.settle();
  EXPECT_THAT(updated(), IsEmpty());
  cluster.remove<k8s::Pod>("db-1");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1"));
}

TEST_F(UnitSetUpdating, ResourcesGoTheSameWay) {
  spec(R"({"resources": {"limits": {"cpu": "2"}}})");
  set.settle();
  const auto cpu = "/spec/template/spec/containers/0/resources/limits/cpu";
  EXPECT_EQ(cluster.at<k8s::Unit>("db-2", cpu), "2");
  EXPECT_EQ(cluster.at<k8s::Unit>("db-1", cpu), "");
  EXPECT_EQ(status("unitResourceSynced"), "Syncing");
  for (const auto unit : {"db-2", "db-1", "db-0"}) {
    make_ready(unit);
    cluster.edit<k8s::Pod>(unit, R"({"spec": {"containers": [
        {"name": "mysql", "resources": {"limits": {"cpu": "2000m"}}}]}})");
    set.settle();
  }
  EXPECT_EQ(status("unitResourceSynced"), "Synced");
}

TEST_F(UnitSetUpdating, AnEditedTemplateOfTheSameVersionIsAnUpdate) {
  cluster.edit<k8s::PodTemplate>("mysql-community-8.0.41",
                                 R"({"template": {"spec": {"priorityClassName": "high"}}})",
                                 kOperatorNs);
  set.settle();
  EXPECT_EQ(cluster.at<k8s::Unit>("db-2", "/spec/template/spec/priorityClassName"), "high");
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/priorityClassName"), "");
}

// ---- Units that take part in a replication -----------------------------------------------------

class UnitSetOfMembers : public UnitSetUpdating {
 protected:
  UnitSetOfMembers() {
    is_replication(R"({"status": {"currentSource": "db-0"}})");
    for (const auto unit : {"db-0", "db-1", "db-2"}) {
      cluster.edit<k8s::Unit>(
          unit, fmt::format(R"({{"metadata": {{"labels": {{"{}": "shop"}}}}}})", kOwnerLabel));
      has_role(unit, unit == std::string_view("db-0") ? "false" : "true");
    }
    set.settle();
  }
  // Of all three, but for what the patch says.
  void is_replication(std::string_view patch) {
    cluster.put<k8s::MysqlReplication>("shop", R"({"spec": {
        "source": {"name": "db-0"}, "replica": [{"name": "db-1"}, {"name": "db-2"}]}})");
    cluster.edit<k8s::MysqlReplication>("shop", patch);
  }
  void has_role(std::string_view unit, std::string_view readonly) {
    boost::json::object labels{{kReplicationLabel, "shop"}, {kReadonlyLabel, readonly}};
    cluster.edit<k8s::Pod>(
        unit, boost::json::serialize(boost::json::object{{"metadata", {{"labels", labels}}}}));
  }
  void lose_role(std::string_view unit) {
    cluster.edit<k8s::Pod>(
        unit, fmt::format(R"({{"metadata": {{"labels": {{"{}": null}}}}}})", kReadonlyLabel));
  }
  // A new Pod, whose database runs and follows nobody yet.
  void replace(const std::string& unit) {
    make_busy(unit);
    set.settle();
    make_ready(unit);
  }
};

TEST_F(UnitSetOfMembers, WaitsUntilTheReplicationHasTakenEachBack) {
  update();
  set.settle();
  replace("db-2");
  EXPECT_THAT(guard_text(set.settle(), "UpdateWaits"),
              HasSubstr("db-1 is updated when no more than 0 other Units are away: db-2 has no "
                        "role in MysqlReplication shop yet"));
  EXPECT_THAT(updated(), ElementsAre("db-2"));
  has_role("db-2", "true");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1", "db-2"));
}

TEST_F(UnitSetOfMembers, TakesTheSourceLast) {
  is_replication(R"({"status": {"currentSource": "db-2"}})");
  update();
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1"));
  replace("db-1");
  has_role("db-1", "true");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-0", "db-1"));
  replace("db-0");
  has_role("db-0", "true");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-0", "db-1", "db-2"));
}

TEST_F(UnitSetOfMembers, TakesOneWithoutARoleWhileAllOthersHaveTheirs) {
  lose_role("db-1");
  update();
  EXPECT_THAT(guard_text(set.settle(), "UpdateWaits"), HasSubstr("db-2 is updated when"));
  EXPECT_THAT(updated(), ElementsAre("db-1"));
}

TEST_F(UnitSetOfMembers, TakesNobodyWhileTwoHaveNoRole) {
  lose_role("db-0");
  lose_role("db-1");
  update();
  set.settle();
  EXPECT_THAT(updated(), IsEmpty()) << "a role is on its way from one to the other";
}

TEST_F(UnitSetOfMembers, WaitsForNoRoleOfOneThatIsIsolated) {
  is_replication(R"({"spec": {"replica": [{"name": "db-1"}, {"name": "db-2", "isolated": true}]},
                     "status": {"currentSource": "db-0"}})");
  update();
  set.settle();
  replace("db-2");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1", "db-2"));
}

TEST_F(UnitSetOfMembers, WaitsForNoRoleFromAReplicationThatIsNotFormedYet) {
  is_replication("{}");
  update();
  set.settle();
  replace("db-2");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1", "db-2"));
}

TEST_F(UnitSetOfMembers, WaitsForNoRoleFromAReplicationThatIsGone) {
  cluster.remove<k8s::MysqlReplication>("shop");
  update();
  set.settle();
  replace("db-2");
  set.settle();
  EXPECT_THAT(updated(), ElementsAre("db-1", "db-2"));
}

// ---- Configuration -----------------------------------------------------------------------------

class UnitSetConfiguration : public UnitSetUpdating {
 protected:
  std::string values(const std::string& unit) {
    return cluster.at<k8s::ConfigMap>(unit + "-config-value", "/data/mysql");
  }
};

TEST_F(UnitSetConfiguration, TheTemplateFollowsTheVersion) {
  update();
  set.settle();
  EXPECT_EQ(cluster.at<k8s::ConfigMap>("db-config-template", "/data/mysql"),
            "# template of 8.0.42\n");
}

TEST_F(UnitSetConfiguration, ValuesAreTheUsersWhileTheVersionStays) {
  cluster.edit<k8s::ConfigMap>("db-1-config-value",
                               R"({"data": {"mysql": "mysqld: {max_connections: 7}"}})");
  set.settle();
  EXPECT_EQ(values("db-1"), "mysqld: {max_connections: 7}");
}

TEST_F(UnitSetConfiguration, ValuesThatNobodyTouchedAreReplacedByTheNewVersions) {
  update();
  set.settle();
  EXPECT_EQ(values("db-0"), "mysqld:\n  made_for: \"8.0.42\"\n");
}

TEST_F(UnitSetConfiguration, EditedValuesAreLaidOverTheNewVersions) {
  cluster.edit<k8s::ConfigMap>(
      "mysql-community-8.0.42-config-value",
      R"({"data": {"mysql": "mysqld:\n  made_for: \"8.0.42\"\n  new_key: 1\n", "extra": "x"}})",
      kOperatorNs);
  cluster.edit<k8s::ConfigMap>(
      "db-1-config-value",
      R"({"data": {"mysql": "mysqld:\n  made_for: me\n  mine: 2\n", "notes": "keep"}})");
  update();
  set.settle();
  EXPECT_EQ(values("db-1"), "mysqld:\n  made_for: me\n  new_key: 1\n  mine: 2\n");
  EXPECT_EQ(cluster.at<k8s::ConfigMap>("db-1-config-value", "/data/notes"), "keep");
  EXPECT_EQ(cluster.at<k8s::ConfigMap>("db-1-config-value", "/data/extra"), "x");
}

TEST_F(UnitSetConfiguration, ValuesThatAreNoYamlAreLeftToTheUser) {
  cluster.edit<k8s::ConfigMap>("db-1-config-value", R"({"data": {"mysql": "a: b: c: ["}})");
  update();
  set.settle();
  EXPECT_EQ(values("db-1"), "a: b: c: [");
}

TEST_F(UnitSetConfiguration, ValuesThatWereDeletedAreMadeAgain) {
  cluster.remove<k8s::ConfigMap>("db-1-config-value");
  set.settle();
  EXPECT_EQ(values("db-1"), "mysqld:\n  made_for: \"8.0.41\"\n");
}

// ---- Volumes -----------------------------------------------------------------------------------

class UnitSetVolumes : public UnitSetTest {
 protected:
  UnitSetVolumes() {
    spec(R"({"storages": [{"name": "data", "mountPath": "/D", "size": "1Gi"}]})");
    make_all_ready();
    for (const auto unit : {"db-0", "db-1", "db-2"}) capacity(unit, "1Gi");
    set.settle();
  }
  void capacity(const std::string& unit, std::string_view size) {
    cluster.edit<k8s::Unit>(unit, fmt::format(R"({{"status": {{"persistentVolumeClaim": [
        {{"name": "{}-data", "capacity": {{"storage": "{}"}}}}]}}}})",
                                              unit, size));
  }
};

TEST_F(UnitSetVolumes, GrowInEveryUnitAndAreSyncedOnceTheyHaveGrown) {
  EXPECT_EQ(status("unitPVCSynced"), "Synced");
  spec(R"({"storages": [{"name": "data", "mountPath": "/D", "size": "2Gi"}]})");
  for (const auto unit : {"db-2", "db-1", "db-0"}) {
    set.settle();
    EXPECT_EQ(
        cluster.at<k8s::Unit>(unit, "/spec/volumeClaimTemplates/0/spec/resources/requests/storage"),
        "2Gi");
    EXPECT_EQ(status("unitPVCSynced"), "Syncing");
    make_ready(unit);
  }
  // What is rounded up is large enough, however it is written.
  for (const auto unit : {"db-0", "db-1", "db-2"}) capacity(unit, "3072Mi");
  set.settle();
  EXPECT_EQ(status("unitPVCSynced"), "Synced");
}

}  // namespace
}  // namespace troupe::actors
