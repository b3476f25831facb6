// Who opens a database: nobody else does it for a Unit that stands alone.
#include <algorithm>

#include "tests/unit/actors/unit/unit_fixture.hpp"

namespace troupe::actors {
namespace {

using ::testing::AllOf;
using ::testing::StartsWith;

class UnitOpen : public UnitTest {
 protected:
  UnitOpen() { cluster.edit<k8s::Unit>("db-0", R"({"metadata": {"ownerReferences": null}})"); }

  agent::AgentObservation& agent() { return cluster.agent_of_pod("db-0"); }
  auto opened() const {
    const auto& asked = cluster.asked();
    return std::count(asked.begin(), asked.end(), "OpenForWrites");
  }
  void label(std::string_view owner) {
    const boost::json::object patch{{"metadata", {{"labels", {{kOwnerLabel, owner}}}}}};
    cluster.edit<k8s::Unit>("db-0", boost::json::serialize(patch));
  }
  // It gets accounts, whose passwords we make up.
  void want_accounts() {
    spec(R"({"template": {"spec": {"containers": [{"name": "mysql", "env": [
        {"name": "ADM_USER", "value": "root"}]}]}}})");
  }
  // What opening it would end with, until it is let through.
  void refuse_to_open(const Error& why) {
    cluster.admission = [why](const Effect& e) -> std::optional<Error> {
      if (e.key.starts_with("open ")) return why;
      return std::nullopt;
    };
  }
};

TEST_F(UnitOpen, AUnitThatStandsAloneIsOpenedOnceItServes) {
  run();
  EXPECT_THAT(cluster.asked(),
              ElementsAre("Render", "EnsureInitialised", "StartProcess", "OpenForWrites"));
  const auto& open = std::get<agent::OpenForWrites>(cluster.actions.back());
  EXPECT_EQ(open.acks, 0U);
  EXPECT_FALSE(open.semi_sync);
  EXPECT_THAT(condition("Ready"), "True PodReady: it serves");
  EXPECT_THAT(keys_of(unit.decide()), IsEmpty()) << "and not a second time";
}

TEST_F(UnitOpen, AnyReplicationsEpochGoesBeforeThatOfItsOrder) {
  run();
  agent().process.pid += 1;
  const auto d = unit.decide();
  const auto open = std::find_if(d.effects.begin(), d.effects.end(),
                                 [](const Effect& e) { return e.key.starts_with("open "); });
  ASSERT_NE(open, d.effects.end());
  EXPECT_EQ(std::get<AskAgent>(open->action).epoch, agent::Epoch{});
}

TEST_F(UnitOpen, AccountsComeFirst) {
  want_accounts();
  run();
  EXPECT_THAT(cluster.asked(), ElementsAre("Render", "EnsureInitialised", "StartProcess",
                                           "EnsureAccounts", "OpenForWrites"));
}

TEST_F(UnitOpen, StaysClosedWhileItsAccountsAreNotEnsured) {
  want_accounts();
  cluster.admission = [](const Effect& e) -> std::optional<Error> {
    if (e.key.starts_with("accounts ")) return error(Code::Retry, "busy");
    return std::nullopt;
  };
  run();
  EXPECT_EQ(opened(), 0);
  EXPECT_EQ(status("phase"), "Running");
  EXPECT_THAT(condition("Ready"), StartsWith("False Opening"));
}

TEST_F(UnitOpen, AMemberOfAUnitSetIsLeftToOthers) {
  cluster.edit<k8s::Unit>("db-0", R"({"metadata": {"ownerReferences": [
      {"apiVersion": "v1", "kind": "UnitSet", "name": "db", "uid": "1", "controller": true}]}})");
  run();
  EXPECT_EQ(opened(), 0);
  EXPECT_THAT(condition("Ready"), "True PodReady: it serves");
}

TEST_F(UnitOpen, AMemberOfAReplicationIsLeftToIt) {
  label("replication");
  run();
  EXPECT_EQ(opened(), 0);
  EXPECT_THAT(condition("Ready"), "True PodReady: it serves");
}

TEST_F(UnitOpen, AFormerMemberStaysClosedAndSaysWhoOpensIt) {
  unit.settle();
  cluster.run_pod("db-0");
  agent().highest_epoch = {7};
  unit.settle();
  EXPECT_EQ(opened(), 0);
  EXPECT_EQ(status("phase"), "Running");
  EXPECT_THAT(condition("Ready"),
              AllOf(StartsWith("False FormerMember"), HasSubstr("until a MysqlReplication")));
}

TEST_F(UnitOpen, OneThatAReplicationClaimedAndGaveBackIsNotOpenedAgain) {
  run();
  agent().highest_epoch = {1};
  agent().process.pid += 1;
  unit.settle();
  EXPECT_EQ(opened(), 1);
  EXPECT_THAT(condition("Ready"), StartsWith("False FormerMember"));
}

TEST_F(UnitOpen, NothingIsOpenedThatDoesNotServe) {
  run();
  for (const auto state : {agent::ProcessState::Starting, agent::ProcessState::Backoff,
                           agent::ProcessState::Stopping, agent::ProcessState::Unknown}) {
    agent().process.state = state;
    agent().process.pid += 1;
    unit.settle();
    EXPECT_EQ(opened(), 1) << agent::to_string(state);
    EXPECT_EQ(status("phase"), "Running") << agent::to_string(state);
  }
}

TEST_F(UnitOpen, NothingIsOpenedWhoseContainerEnds) {
  unit.settle();
  cluster.run_pod("db-0");
  agent().process.terminating = true;
  unit.settle();
  EXPECT_EQ(opened(), 0);
}

TEST_F(UnitOpen, EachProcessIsOpenedAndItIsNotReadyBefore) {
  run();
  agent().process.pid += 1;
  EXPECT_THAT(keys_of(unit.step()), Contains(StartsWith("open ")));
  EXPECT_THAT(condition("Ready"), StartsWith("False Opening"));
  EXPECT_EQ(status("phase"), "Running");
  unit.settle();
  EXPECT_EQ(opened(), 2);
  agent().process.started = WallTime(std::chrono::seconds(5));  // the same pid, which is 1 again
  unit.settle();
  EXPECT_EQ(opened(), 3);
  agent().container_id = "another";
  unit.settle();
  EXPECT_EQ(opened(), 4);
  EXPECT_THAT(condition("Ready"), "True PodReady: it serves");
}

TEST_F(UnitOpen, OneThatWasStoppedOnOrderIsOpenedAgainEvenIfItNeverStopped) {
  run();
  spec(R"({"startup": false})");
  unit.decide();
  spec(R"({"startup": true})");
  unit.settle();
  EXPECT_EQ(opened(), 2);
}

TEST_F(UnitOpen, AFailureIsToldAndTriedAgain) {
  refuse_to_open(error(Code::Invalid, "the member still replicates"));
  run();
  EXPECT_THAT(condition("Ready"),
              AllOf(StartsWith("False Opening"), HasSubstr("the member still replicates")));
  cluster.admission = nullptr;
  unit.settle();
  EXPECT_EQ(opened(), 1);
  EXPECT_THAT(condition("Ready"), "True PodReady: it serves");
}

TEST_F(UnitOpen, ANewOperatorOpensItAgainWithoutTouchingTheStatus) {
  run();
  unit.memory = {};
  EXPECT_THAT(keys_of(unit.step()), ElementsAre(StartsWith("render ")));
  EXPECT_THAT(keys_of(unit.step()), ElementsAre(StartsWith("open ")));
  EXPECT_THAT(keys_of(unit.decide()), IsEmpty());
}

TEST_F(UnitOpen, WhatANewOperatorCannotOpenIsReadyNoMore) {
  run();
  unit.memory = {};
  refuse_to_open(error(Code::Timeout, "no answer"));
  unit.step();
  unit.step();
  unit.step();
  EXPECT_THAT(condition("Ready"), AllOf(StartsWith("False Opening"), HasSubstr("no answer")));
}

}  // namespace
}  // namespace troupe::actors
