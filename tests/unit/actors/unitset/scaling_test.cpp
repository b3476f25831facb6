// More Units, fewer Units, and the end of the set.
#include "actors/model/names.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "tests/unit/actors/unitset/set_fixture.hpp"

namespace troupe::actors {
namespace {

class UnitSetScaling : public UnitSetTest {
 protected:
  UnitSetScaling() {
    spec(R"({"unitService": {"type": "ClusterIP"}})");
    make_all_ready();
  }
  // A Unit leaves in steps of its own.
  void hold(const std::string& unit) {
    cluster.edit<k8s::Unit>(unit, R"({"metadata": {"finalizers": ["upm.io/pod-delete"]}})");
  }
  void release(const std::string& unit) {
    cluster.edit<k8s::Unit>(unit, R"({"metadata": {"finalizers": null}})");
  }
  void join(const std::string& unit, const std::string& replication) {
    cluster.edit<k8s::Unit>(unit, fmt::format(R"({{"metadata": {{"labels": {{"{}": "{}"}}}}}})",
                                              kOwnerLabel, replication));
  }
  bool is_going(const std::string& unit) {
    return bool(cluster.find<k8s::Unit>(unit)->metadata.deletionTimestamp);
  }
};

TEST_F(UnitSetScaling, UpAddsOrdinalsAndLeavesTheOthersAlone) {
  const auto before = cluster.find<k8s::Unit>("db-1")->metadata.generation;
  spec(R"({"units": 5})");
  set.settle();
  EXPECT_THAT(cluster.names<k8s::Unit>(), ElementsAre("db-0", "db-1", "db-2", "db-3", "db-4"));
  EXPECT_EQ(cluster.find<k8s::Unit>("db-1")->metadata.generation, before);
  EXPECT_EQ(status("units"), "5");
  EXPECT_EQ(status("readyUnits"), "3");
  EXPECT_TRUE(cluster.has<k8s::Service>("db-4-svc"));
  EXPECT_TRUE(cluster.has<k8s::ConfigMap>("db-4-config-value"));
}

TEST_F(UnitSetScaling, DownTakesOneAtATimeFromTheHighestOrdinal) {
  hold("db-2");
  hold("db-1");
  spec(R"({"units": 1})");
  set.settle();
  EXPECT_TRUE(is_going("db-2"));
  EXPECT_FALSE(is_going("db-1"));
  release("db-2");
  set.settle();
  EXPECT_TRUE(is_going("db-1"));
  release("db-1");
  set.settle();
  EXPECT_THAT(cluster.names<k8s::Unit>(), ElementsAre("db-0"));
  EXPECT_EQ(status("units"), "1");
}

TEST_F(UnitSetScaling, DownTellsWhoIsReadyOfThoseThatAreWantedAndWhoLeaves) {
  hold("db-2");
  spec(R"({"units": 2})");
  set.settle();
  EXPECT_EQ(condition("Ready"), "False UnitsLeaving: 2 of 2 Units are ready; db-2 is leaving");
  EXPECT_EQ(status("readyUnits"), "3");
  hold("db-1");
  spec(R"({"units": 1})");
  set.settle();
  EXPECT_EQ(condition("Ready"),
            "False UnitsLeaving: 1 of 1 Units are ready; db-1, db-2 are leaving");
  make_busy("db-0");
  set.settle();
  EXPECT_EQ(condition("Ready"),
            "False UnitsNotReady: 0 of 1 Units are ready; db-1, db-2 are leaving");
  make_ready("db-0");
  for (const auto unit : {"db-2", "db-1"}) {
    release(unit);
    set.settle();
  }
  EXPECT_EQ(condition("Ready"), "True AllUnitsReady: 1 of 1 Units are ready");
}

TEST_F(UnitSetScaling, AUnitThatIsDeletedByHandIsNotReadyAnyMore) {
  hold("db-1");
  cluster.remove<k8s::Unit>("db-1");
  set.settle();
  EXPECT_EQ(condition("Ready"), "False UnitsNotReady: 2 of 3 Units are ready; db-1 is leaving");
}

TEST_F(UnitSetScaling, DownRemovesWhatWasMadeForTheUnitOnceItIsGone) {
  hold("db-2");
  spec(R"({"units": 2})");
  set.settle();
  EXPECT_TRUE(cluster.has<k8s::ConfigMap>("db-2-config-value"));
  release("db-2");
  set.settle();
  EXPECT_FALSE(cluster.has<k8s::ConfigMap>("db-2-config-value"));
  EXPECT_FALSE(cluster.has<k8s::Service>("db-2-svc"));
  EXPECT_TRUE(cluster.has<k8s::Service>("db-1-svc"));
  EXPECT_THAT(cluster.at<k8s::UnitSet>("db", "/metadata/annotations/upm.io~1node-name-map"),
              Not(HasSubstr("db-2")));
}

TEST_F(UnitSetScaling, DownTellsTheUnitFirstWhatBecomesOfItsData) {
  spec(R"({"units": 2, "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}})");
  EXPECT_THAT(keys_of(set.step()), Not(Contains("delete Unit db-2")));
  EXPECT_EQ(cluster.at<k8s::Unit>("db-2", "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted"),
            "Delete");
  EXPECT_EQ(cluster.at<k8s::Unit>("db-1", "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted"),
            "Retain");
  EXPECT_THAT(keys_of(set.step()), Contains("delete Unit db-2"));
}

TEST_F(UnitSetScaling, UpAgainGivesAUnitItsOldPolicyBack) {
  spec(R"({"units": 2, "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}})");
  set.step();
  spec(R"({"units": 3})");
  set.settle();
  EXPECT_EQ(cluster.at<k8s::Unit>("db-2", "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted"),
            "Retain");
  EXPECT_FALSE(is_going("db-2"));
}

TEST_F(UnitSetScaling, WhenDeletedIsEveryUnitsPolicy) {
  spec(R"({"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}})");
  for (const auto unit : {"db-2", "db-1", "db-0"}) {
    set.settle();
    EXPECT_EQ(cluster.at<k8s::Unit>(unit, "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted"),
              "Delete");
    make_ready(unit);
  }
}

TEST_F(UnitSetScaling, AMemberOfAReplicationIsNotTakenAway) {
  cluster.put<k8s::MysqlReplication>("shop");
  join("db-2", "shop");
  spec(R"({"units": 2})");
  set.settle();
  EXPECT_FALSE(is_going("db-2"));
  EXPECT_THAT(condition("Reconciled"),
              HasSubstr("False UnitIsMember: db-2 takes part in MysqlReplication shop: take it"));
  EXPECT_THAT(cluster.events(), Contains(HasSubstr("Warning UnitIsMember")));
  cluster.edit<k8s::Unit>("db-2", R"({"metadata": {"labels": {"troupe.dev/replication": null}}})");
  set.settle();
  EXPECT_FALSE(cluster.has<k8s::Unit>("db-2"));
}

TEST_F(UnitSetScaling, AReplicationThatIsGoneKeepsNobody) {
  join("db-2", "shop");
  spec(R"({"units": 2})");
  set.settle();
  EXPECT_FALSE(cluster.has<k8s::Unit>("db-2"));
}

// ---- The end -----------------------------------------------------------------------------------

TEST_F(UnitSetScaling, TheSetStaysUntilItsUnitsAreGone) {
  for (const auto unit : {"db-0", "db-1", "db-2"}) hold(unit);
  cluster.remove<k8s::UnitSet>("db");
  set.settle();
  EXPECT_TRUE(is_going("db-0"));
  EXPECT_TRUE(is_going("db-2"));
  EXPECT_TRUE(cluster.has<k8s::ConfigMap>("db-config-template"));
  EXPECT_EQ(condition("Ready"),
            "False UnitsLeaving: it is being deleted; db-0, db-1, db-2 are leaving");
  for (const auto unit : {"db-0", "db-1"}) release(unit);
  set.settle();
  EXPECT_TRUE(cluster.has<k8s::UnitSet>("db"));
  EXPECT_EQ(status("units"), "1");
  release("db-2");
  set.settle();
  EXPECT_FALSE(cluster.has<k8s::UnitSet>("db"));
}

TEST_F(UnitSetScaling, NothingIsMadeForASetThatGoes) {
  hold("db-0");
  cluster.remove<k8s::UnitSet>("db");
  set.settle();
  cluster.remove<k8s::Service>("db-headless-svc");
  set.settle();
  EXPECT_FALSE(cluster.has<k8s::Service>("db-headless-svc"));
  EXPECT_THAT(cluster.names<k8s::Unit>(), ElementsAre("db-0"));
}

TEST_F(UnitSetScaling, NoMemberGoesAtTheEndBeforeItsReplication) {
  cluster.put<k8s::MysqlReplication>("shop");
  join("db-0", "shop");
  join("db-1", "shop");
  cluster.remove<k8s::UnitSet>("db");
  set.settle();
  EXPECT_FALSE(is_going("db-0"));
  EXPECT_FALSE(is_going("db-1"));
  EXPECT_FALSE(cluster.has<k8s::Unit>("db-2"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("UnitIsMember: db-0 takes part in"));
  cluster.remove<k8s::MysqlReplication>("shop");
  set.settle();
  EXPECT_FALSE(cluster.has<k8s::UnitSet>("db"));
}

TEST_F(UnitSetScaling, NothingIsDecidedForASetThatIsGone) {
  cluster.edit<k8s::UnitSet>("db", R"({"metadata": {"finalizers": null}})");
  cluster.remove<k8s::UnitSet>("db");
  EXPECT_THAT(keys_of(set.decide()), IsEmpty());
}

}  // namespace
}  // namespace troupe::actors
