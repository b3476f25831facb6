// What the simulations' groups do: as hard on who directs them as real ones.
#include "tests/sim/mysql/group.hpp"

#include "tests/unit/sim_models/model_test.hpp"

namespace troupe::mysql_topology::sim {
namespace {

using mysql::GroupState;

// db-0 has begun a group, and the others have joined it.
class GroupTest : public ModelTest {
 protected:
  void SetUp() override {
    ASSERT_FALSE(begins(0).failed);
    for (const int member : {1, 2}) ASSERT_FALSE(order(member, Verb::StartGroup).failed);
    pass(seconds(1));
  }

  Reply order(int member, Verb verb, bool bootstrap = false) {
    return ModelTest::order(member, {.verb = verb, .bootstrap = bootstrap, .group = "the group"},
                            seconds(30));
  }
  Reply begins(int member) {
    EXPECT_FALSE(order(member, Verb::StopGroup).failed);
    return order(member, Verb::StartGroup, true);
  }

  void isolate(int member) {
    for (int i = 0; i < fleet_.size(); ++i) fleet_.part(member, i, Cut::Both);
  }
  GroupState says(int member) const { return fleet_.observe(member).group->state; }
  bool is_open(int member) const { return !fleet_[member].read_only && !fleet_[member].offline; }
};

TEST_F(GroupTest, OnlyThePrimaryTakesWrites) {
  EXPECT_GT(acknowledged_in(seconds(1)), 0u);
  EXPECT_TRUE(is_open(0));
  EXPECT_FALSE(is_open(1) || is_open(2));
  EXPECT_FALSE(fleet_.violation());
}

TEST_F(GroupTest, APrimaryCutOffAcknowledgesNothingAndLeavesBeforeAnotherIsElected) {
  isolate(0);
  pass(milliseconds(100));
  EXPECT_EQ(acknowledged_in(seconds(14)), 0u);
  EXPECT_EQ(says(0), GroupState::Online) << "it says so all the same";
  EXPECT_EQ(fleet_.observe(0).group->peers[1].state, GroupState::Unreachable);
  EXPECT_EQ(acknowledged_in(seconds(4)), 0u);
  EXPECT_EQ(says(0), GroupState::Error);
  EXPECT_FALSE(is_open(1));
  EXPECT_GT(acknowledged_in(seconds(6)), 0u);
  EXPECT_TRUE(is_open(1)) << "the lowest UUID";
  EXPECT_TRUE(fleet_[0].offline);
  EXPECT_FALSE(fleet_.violation());
}

TEST_F(GroupTest, WhatNoMajorityReceivedIsGoneWithItsPrimary) {
  isolate(0);
  pass(milliseconds(100));
  fleet_.write(0);
  fleet_.kill(0, seconds(1));
  pass(seconds(25));
  fleet_.heal();
  EXPECT_FALSE(order(0, Verb::StartGroup).failed) << "it has nothing that the others lack";
}

TEST_F(GroupTest, WhoeverBeginsAGroupBeginsOneWhoeverElseHasOne) {
  ASSERT_FALSE(begins(2).failed);
  pass(seconds(1));
  ASSERT_TRUE(fleet_.violation());
  EXPECT_EQ(fleet_.violation()->of, Invariant::OneGroup);
}

TEST_F(GroupTest, AGroupIsBegunRightAfterLeavingOnly) {
  ASSERT_FALSE(order(2, Verb::StopGroup).failed);
  fleet_.kill(2, milliseconds(100));
  pass(seconds(1));
  EXPECT_EQ(order(2, Verb::StartGroup, true).failed->code, Code::Conflict);
}

TEST_F(GroupTest, AMemberThatDiedIsTakenInOnceTheOthersHaveMissedIt) {
  fleet_.kill(2, milliseconds(100));
  pass(seconds(1));
  EXPECT_TRUE(order(2, Verb::StartGroup).failed);
  pass(seconds(22));
  EXPECT_FALSE(order(2, Verb::StartGroup).failed);
}

TEST_F(GroupTest, AJoinerWithTransactionsOfItsOwnIsRefused) {
  ASSERT_FALSE(order(2, Verb::StopGroup).failed);
  fleet_.write_by_hand(2);
  EXPECT_TRUE(order(2, Verb::StartGroup).failed);
}

TEST_F(GroupTest, WhatNoDonorsBinaryLogsHaveIsNotRecovered) {
  ASSERT_FALSE(order(2, Verb::StopGroup).failed);
  pass(seconds(1));
  fleet_[0].purged = fleet_[0].executed;
  fleet_[1].purged = fleet_[1].executed;
  EXPECT_TRUE(order(2, Verb::StartGroup).failed);
}

TEST_F(GroupTest, AnOrderedPrimaryOpensOnceTheOldOneIsDrained) {
  ASSERT_FALSE(order(1, Verb::SetGroupPrimary).failed);
  EXPECT_GT(acknowledged_in(seconds(1)), 0u);
  EXPECT_TRUE(is_open(1));
  EXPECT_FALSE(is_open(0));
  EXPECT_FALSE(fleet_.violation());
}

}  // namespace
}  // namespace troupe::mysql_topology::sim
