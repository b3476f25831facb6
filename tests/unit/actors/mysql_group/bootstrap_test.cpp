// Beginning a group: once, by one member, and only when no group is left.
#include <functional>

#include "tests/unit/actors/mysql_group/group.hpp"

namespace troupe::mysql_group::testing {
namespace {

// --- the first time ------------------------------------------------------------------------------

TEST(GroupDiscover, ServersThatAreClosedAreMadeAGroupUnderANameOnRecord) {
  const auto plan = Group::fresh().decide();
  ASSERT_EQ(recorded(plan), "Bootstrap StopGroup, epoch 1");
  EXPECT_EQ(plan.record.value().group, kGroup);
  EXPECT_EQ(plan.record.value().current, "db-0");
  EXPECT_THAT(plan.record.value().quorum.members, ElementsAre("db-0", "db-1", "db-2"));
  EXPECT_THAT(asked(plan), IsEmpty()) << "it is on record first";
}

TEST(GroupDiscover, NothingIsBegunBeforeAllAreKnown) {
  auto group = Group::fresh();
  group[1].has_no_pod();
  const auto plan = group.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("MembersUnknown"));
  EXPECT_TRUE(plan.forming);
}

TEST(GroupDiscover, AGroupThatExistsIsAdoptedUnderItsName) {
  auto group = Group::formed();
  group.record() = {};
  group.topology.new_group = "another";
  group.seen_by({0, 1, 2}, "g:4", "db-0=ONLINE db-1=ONLINE db-2=PRIMARY");
  const auto plan = group.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_EQ(plan.record.value().current, "db-2");
  EXPECT_EQ(plan.record.value().group, kGroup);
  EXPECT_FALSE(plan.record.value().operation);
}

TEST(GroupDiscover, ServersThatReplicateOtherwiseAreNotTouched) {
  auto group = Group::fresh();
  group[0].is_source(0, 1);
  group[1].is_replica_of(group[0]);
  const auto plan = group.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("ReplicatesAlready", "ReplicatesAlready"));
}

TEST(GroupDiscover, AReplicationFormedInAnotherModeIsNotTouched) {
  auto group = Group::formed();
  group.record().group.clear();
  const auto plan = group.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("ModeChanged"));
  EXPECT_TRUE(plan.roles_stand);
  EXPECT_THAT(asked(plan), IsEmpty());
}

// --- when all have lost it -----------------------------------------------------------------------

TEST(GroupOutage, WhenEveryMemberIsOutTheGroupIsBegunAgain) {
  const auto plan = Group::lost().decide();
  ASSERT_EQ(recorded(plan), "Bootstrap StopGroup from db-0, epoch 2");
  EXPECT_EQ(plan.record.value().group, kGroup);
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_EQ(roles(plan), "db-0=None db-1=None db-2=None");
}

struct Doubt {
  std::string name;
  std::function<void(Group&)> make;
  std::string rule;
};

class GroupOutageDoubt : public ::testing::TestWithParam<Doubt> {};

TEST_P(GroupOutageDoubt, KeepsAGroupFromBeingBegun) {
  auto group = Group::lost();
  GetParam().make(group);
  const auto plan = group.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(held_by(plan), Contains(GetParam().rule));
}

INSTANTIATE_TEST_SUITE_P(
    All, GroupOutageDoubt,
    ::testing::Values(
        Doubt{"ASilentMember", [](Group& g) { g[2].is_silent(minutes(10)); }, "MembersUnknown"},
        Doubt{"AMemberWithoutAPod", [](Group& g) { g[2].has_no_pod(); }, "MembersUnknown"},
        Doubt{"AMemberWithoutItsAgent", [](Group& g) { g[2].has_lost_its_agent(); },
              "MembersUnknown"},
        Doubt{"AMemberThatIsNoMoreListed",
              [](Group& g) { g[2].is_silent(minutes(1)).former = true; }, "MembersUnknown"},
        Doubt{"AMemberThatIsNotToldOfAtAll", [](Group& g) { g.list.pop_back(); }, "MembersUnknown"},
        Doubt{"AMinorityThatHopes",
              [](Group& g) {
                g.seen_by({2}, "g:1", "db-0=UNREACHABLE db-1=UNREACHABLE db-2=ONLINE");
              },
              "NoMajority"},
        Doubt{"AMemberThatRecovers",
              [](Group& g) { g.seen_by({2}, "g:1", "db-0=UNREACHABLE db-2=RECOVERING"); },
              "NoMajority"}),
    [](const auto& tested) { return tested.param.name; });

TEST(GroupOutage, AMemberWhosePodIsGoneIsGivenUpOnlyWhereLossIsAllowed) {
  auto group = Group::lost();
  group[2].has_no_pod();
  group.topology.failover.allow_loss = true;
  EXPECT_EQ(recorded(group.decide()), "Bootstrap StopGroup from db-0, epoch 2");
  group[2].pod = true;
  EXPECT_FALSE(group.decide().record) << "a Pod may have a server that is in a group";
}

// --- step by step --------------------------------------------------------------------------------

Group stopping(int count = 3) {
  auto group = Group::lost(count);
  group.begin(OperationType::Bootstrap, Step::StopGroup, "db-0", "");
  return group;
}

TEST(GroupBootstrap, FirstEveryMemberLeavesAndTheOneThatHasEverythingIsChosen) {
  auto group = stopping();
  EXPECT_THAT(asked(group.decide()),
              ElementsAre("db-0 StopGroup", "db-1 StopGroup", "db-2 StopGroup"));
  group.has_stopped(0, "db-0:1-10");
  group.has_stopped(1, "db-0:1-9", "db-0:10-12");
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-2 StopGroup"));
  EXPECT_FALSE(group.decide().record) << "db-2 may have more";
  group.has_stopped(2, "db-0:1-11");
  const auto plan = group.decide();
  ASSERT_EQ(recorded(plan), "Bootstrap Bootstrap from db-0 to db-1, epoch 3")
      << "a StopGroup that comes again takes nobody out of the new group";
  EXPECT_EQ(plan.record.value().current, "db-1");
  EXPECT_THAT(plan.record.value().quorum.members, ElementsAre("db-0", "db-1", "db-2"));
}

TEST(GroupBootstrap, AmongEqualsTheSpecificationsSourceIsChosen) {
  auto group = stopping();
  group.topology.wanted = "db-2";
  for (int i = 0; i < 3; ++i) group.has_stopped(i, "db-0:1-10");
  EXPECT_EQ(recorded(group.decide()), "Bootstrap Bootstrap from db-0 to db-2, epoch 3");
}

TEST(GroupBootstrap, WhoHasDivergedIsShownAndNobodyIsChosen) {
  auto group = stopping();
  group.has_stopped(0, "db-0:1-10 db-1:1");
  group.has_stopped(1, "db-0:1-11");
  group.has_stopped(2, "db-0:1-10");
  const auto plan = group.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("Diverged"));
}

TEST(GroupBootstrap, AMajorityThatLostItsDataIsNotPassedOver) {
  auto group = stopping();
  group.has_stopped(0, "");
  group.has_stopped(1, "");
  group.has_stopped(2, "db-0:1-10");
  EXPECT_THAT(held_by(group.decide()), ElementsAre("DataMissing"));
  group.has_stopped(1, "db-0:1-10");
  EXPECT_EQ(recorded(group.decide()), "Bootstrap Bootstrap from db-0 to db-1, epoch 3")
      << "one empty member is no majority";
}

TEST(GroupBootstrap, WhoHoldsNothingCountsNoMoreUntilItJoins) {
  auto group = stopping();
  group.record().operation->from.clear();  // the first time
  for (int i = 0; i < 3; ++i) group.has_stopped(i, "");
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-0"));
  group.has_stopped(2, "db-2:1");
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-2"));
}

// Or nobody would be on record, and after its death all would be asked who never had anything.
TEST(GroupBootstrap, WhoBeginsItCountsThoughAnotherWasChosenBefore) {
  auto group = stopping();
  group.record().operation->from.clear();
  group.record().quorum.members = {"db-0"};
  group.topology.wanted = "db-2";
  for (int i = 0; i < 3; ++i) group.has_stopped(i, "");
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-2"));
}

TEST(GroupBootstrap, NorDoesAMemberThatIsNotListedAndHoldsNothing) {
  auto group = stopping();
  group[1].isolated = true;
  group[2].former = true;
  group.record().quorum.leaving = {"db-2"};
  group.has_stopped(0, "db-0:1-10");
  group.has_stopped(1, "");
  group.has_stopped(2, "");
  group.record().operation->from.clear();
  const auto plan = group.decide();
  EXPECT_THAT(plan.record.value().quorum.members, ElementsAre("db-0"));
  EXPECT_THAT(plan.record.value().quorum.leaving, IsEmpty());
}

// Its server does not start, so it is in no group and comes into none.
TEST(GroupBootstrap, AMemberWhoseCloneWasCutShortHoldsNobodyUp) {
  auto group = Group::lost();
  group[2].is_killed().agent.data = agent::DataState::ClonePartial;
  EXPECT_EQ(recorded(group.decide()), "Bootstrap StopGroup from db-0, epoch 2");
  group = stopping();
  group[2].is_killed().agent.data = agent::DataState::ClonePartial;
  group.has_stopped(0, "db-0:1-10");
  group.has_stopped(1, "db-0:1-10");
  group[2].agent.highest_epoch = Epoch{1};
  const auto plan = group.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StopGroup")) << "so that it refuses what is older";
  group[2].agent.highest_epoch = group.record().epoch;
  EXPECT_EQ(recorded(group.decide()), "Bootstrap Bootstrap from db-0 to db-0, epoch 3");
}

// It was the only one in the group that it had begun.
TEST(GroupBootstrap, AMemberThatWasAloneInItsGroupBeginsItAgain) {
  auto group = stopping();
  group.record().quorum.members = {"db-0"};
  group.has_stopped(0, "db-0:1-10");
  group.has_stopped(1, "");
  group.has_stopped(2, "");
  EXPECT_EQ(recorded(group.decide()), "Bootstrap Bootstrap from db-0 to db-0, epoch 3");
}

TEST(GroupBootstrap, WhatOnlyAMemberOfThePastHasIsNotPassedOver) {
  auto group = stopping();
  group[2].former = true;
  group.has_stopped(0, "db-0:1-10");
  group.has_stopped(1, "db-0:1-10");
  group.has_stopped(2, "db-0:1-11");
  EXPECT_THAT(held_by(group.decide()), ElementsAre("HeldByFormerMember"));
}

Group beginning() {
  auto group = Group::lost();
  group.begin(OperationType::Bootstrap, Step::Bootstrap, "db-0", "db-1");
  group.record().current = "db-1";
  return group;
}

TEST(GroupBootstrap, OnlyTheOneThatIsOnRecordBeginsTheGroup) {
  const auto plan = beginning().decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 StartGroup"));
  const auto c = command(plan, "db-1", Verb::StartGroup);
  EXPECT_TRUE(c->bootstrap);
  EXPECT_EQ(c->group, kGroup);
  EXPECT_EQ(c->epoch, Epoch{2});
}

TEST(GroupBootstrap, ACandidateThatIsAwayIsWaitedFor) {
  auto group = beginning();
  group[1].is_killed();
  const auto plan = group.decide();
  EXPECT_THAT(asked(plan), IsEmpty()) << "it may have begun the group";
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("CandidateUnusable"));
}

TEST(GroupBootstrap, ARefusalAsksAllAgainInTheNextEpoch) {
  auto group = beginning();
  group[1].failed(Verb::StartGroup, 2, "only right after a StopGroup");
  EXPECT_THAT(held_by(group.decide()), ElementsAre("BootstrapFailed"));
  group[1].outcomes[Verb::StartGroup].error.code = Code::Conflict;
  const auto plan = group.decide();
  ASSERT_EQ(recorded(plan), "Bootstrap StopGroup from db-0, epoch 3");
  EXPECT_TRUE(plan.record.value().operation->candidate.empty());
}

TEST(GroupBootstrap, EndsWhenTheCandidateIsOnline) {
  auto group = beginning();
  group[1].did(Verb::StartGroup, 2, "db-0:1-10");
  EXPECT_EQ(recorded(group.decide()), "idle: db-1, epoch 3")
      << "an order to begin it that comes again is refused by who has left since";
}

TEST(GroupBootstrap, IsGivenUpWhereThereIsAGroup) {
  auto group = Group::formed();
  group.begin(OperationType::Bootstrap, Step::Bootstrap, "db-0", "db-1");
  const auto plan = group.decide();
  ASSERT_EQ(recorded(plan), "idle: db-0, epoch 3");
  EXPECT_TRUE(plan.record.value().last->undone);
}

}  // namespace
}  // namespace troupe::mysql_group::testing
