// What the simulations' groups do: as hard on who directs them as real ones.
#include "tests/sim/mysql/group.hpp"

#include <gtest/gtest.h>

namespace troupe::mysql_topology::sim {
namespace {

using mysql::GroupState;
using std::chrono::milliseconds;
using std::chrono::seconds;

// db-0 has begun a group, and the others have joined it.
class GroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(begins(0).failed);
    for (const int member : {1, 2}) ASSERT_FALSE(order(member, Verb::StartGroup).failed);
    pass(seconds(1));
  }

  Reply order(int member, Verb verb, bool bootstrap = false) {
    std::optional<Reply> answer;
    fleet_.command(member, {.command = {.member = fleet_[member].name,
                                        .verb = verb,
                                        .epoch = Epoch{1},
                                        .bootstrap = bootstrap,
                                        .group = "the group"},
                            .deadline = timeline_.now() + seconds(30),
                            .answer = [&answer](const Reply& reply) { answer = reply; }});
    while (!answer && timeline_.step()) {
    }
    return answer.value_or(Reply{.failed = Error{Code::Timeout, "the simulation has ended"}});
  }
  Reply begins(int member) {
    EXPECT_FALSE(order(member, Verb::StopGroup).failed);
    return order(member, Verb::StartGroup, true);
  }

  // Clients write all the time meanwhile.
  void pass(Duration time) {
    const auto end = timeline_.now() + time;
    for (auto next = timeline_.now(); timeline_.now() < end && timeline_.step();) {
      fleet_.check_writers();
      if (timeline_.now() < next) continue;
      fleet_.write_somewhere();
      next = timeline_.now() + milliseconds(5);
    }
  }
  std::size_t acknowledged_in(Duration time) {
    const auto before = fleet_.acknowledged_writes();
    pass(time);
    return fleet_.acknowledged_writes() - before;
  }
  void isolate(int member) {
    for (int i = 0; i < fleet_.size(); ++i) fleet_.part(member, i, Cut::Both);
  }
  GroupState says(int member) const { return fleet_.observe(member).group->state; }
  bool is_open(int member) const { return !fleet_[member].read_only && !fleet_[member].offline; }

  Timeline timeline_{1, false};
  Fleet fleet_{timeline_, Rules(), 3};
};

TEST_F(GroupTest, OnlyThePrimaryTakesWrites) {
  EXPECT_GT(acknowledged_in(seconds(1)), 0u);
  EXPECT_TRUE(is_open(0));
  EXPECT_FALSE(is_open(1) || is_open(2));
  EXPECT_FALSE(fleet_.violation());
}

TEST_F(GroupTest, APrimaryCutOffAcknowledgesNothingAndAnotherIsElectedAfterTenSeconds) {
  isolate(0);
  pass(milliseconds(100));
  EXPECT_EQ(acknowledged_in(seconds(9)), 0u);
  EXPECT_EQ(says(0), GroupState::Online) << "it says so all the same";
  EXPECT_EQ(fleet_.observe(0).group->peers[1].state, GroupState::Unreachable);
  EXPECT_GT(acknowledged_in(seconds(3)), 0u);
  EXPECT_TRUE(is_open(1)) << "the lowest UUID";
  pass(seconds(5));
  EXPECT_EQ(says(0), GroupState::Error);
  EXPECT_TRUE(fleet_[0].offline);
  EXPECT_FALSE(fleet_.violation());
}

TEST_F(GroupTest, WhatNoMajorityReceivedIsGoneWithItsPrimary) {
  isolate(0);
  pass(milliseconds(100));
  fleet_.write(0);
  fleet_.kill(0, seconds(1));
  pass(seconds(15));
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
  pass(seconds(12));
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
