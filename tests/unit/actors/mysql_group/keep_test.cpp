// A group that works, or most of it: who is labelled how, who joins and who leaves.
#include "tests/unit/actors/mysql_group/group.hpp"

namespace troupe::mysql_group::testing {
namespace {

constexpr auto kAll = "db-0=Source db-1=Replica db-2=Replica";

// --- whom to believe -----------------------------------------------------------------------------

TEST(GroupKeep, AMajorityThatIsOnlineIsReadyAndLeftAlone) {
  const auto plan = Group::formed().decide();
  EXPECT_EQ(roles(plan), kAll);
  EXPECT_TRUE(plan.ready);
  EXPECT_TRUE(plan.writable);
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), IsEmpty());
}

TEST(GroupKeep, TheMajoritysViewIsFollowedAndAMemberThatIsCutOffIsNotBelieved) {
  auto group = Group::formed();
  group.seen_by({0}, "g:1", "db-0=PRIMARY db-1=UNREACHABLE db-2=UNREACHABLE");
  group.seen_by({1, 2}, "g:2", "db-1=PRIMARY db-2=ONLINE");
  group[1].seen.read_only = group[1].seen.super_read_only = false;
  const auto plan = group.decide();
  ASSERT_EQ(recorded(plan), "idle: db-1, epoch 2");
  EXPECT_EQ(roles(plan), "db-0=None db-1=Source db-2=Replica");
  ASSERT_TRUE(plan.record.value().last);
  EXPECT_EQ(plan.record.value().last->type, OperationType::Failover);
  EXPECT_EQ(plan.record.value().last->from, "db-0");
  EXPECT_EQ(plan.record.value().last->candidate, "db-1");
}

TEST(GroupKeep, OfTwoMajoritiesTheNewerViewCounts) {
  auto group = Group::formed();  // db-0 was paused, and wakes up with what it saw before
  group.seen_by({1, 2}, "g:2", "db-1=PRIMARY db-2=ONLINE");
  EXPECT_EQ(roles(group.decide()), "db-0=None db-1=Source db-2=Replica");
}

TEST(GroupKeep, ViewsAreCountedAsNumbers) {
  auto group = Group::formed();
  group.seen_by({0}, "g:9", "db-0=PRIMARY db-1=ONLINE db-2=ONLINE");
  group.seen_by({1, 2}, "g:10", "db-1=PRIMARY db-2=ONLINE");
  EXPECT_EQ(recorded(group.decide()), "idle: db-1, epoch 2");
}

TEST(GroupKeep, TwoGroupsAreTouchedByNobody) {
  auto group = Group::formed();
  group.seen_by({2}, "other:7", "db-2=PRIMARY");
  const auto plan = group.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("SeveralGroups"));
  EXPECT_TRUE(plan.roles_stand);
  EXPECT_THAT(asked(plan), IsEmpty());
}

TEST(GroupKeep, AKilledPrimaryIsReachedByNobodyBeforeTheGroupHasNoticed) {
  auto group = Group::formed();
  group[0].is_killed();
  const auto plan = group.decide();
  EXPECT_EQ(roles(plan), "db-0=None db-1=Replica db-2=Replica");
  EXPECT_FALSE(plan.record) << "the group elects";
}

TEST(GroupKeep, APrimaryThatOnlyWeDoNotReachKeepsItsRole) {
  auto group = Group::formed();
  group[0].is_silent(minutes(10)).has_lost_its_agent();
  const auto plan = group.decide();
  EXPECT_EQ(roles(plan), kAll);
  EXPECT_THAT(held_by(plan), Contains("SourceUnusable"));
  EXPECT_FALSE(plan.ready);
}

TEST(GroupKeep, BeforeAnybodyWasLookedAtNobodyLosesItsPlace) {
  auto group = Group::formed();
  for (int i = 0; i < 3; ++i) group[i].probed = false;
  EXPECT_EQ(roles(group.decide()), "db-0=Source");
}

TEST(GroupKeep, WhoSaysThatItSeesNoMajorityServesNobodyAndTheOthersMayBeIt) {
  auto group = Group::formed();
  group.seen_by({0}, "g:9", "db-0=PRIMARY db-1=UNREACHABLE db-2=UNREACHABLE");
  group[1].probed = group[2].probed = false;
  EXPECT_EQ(roles(group.decide()), "db-0=None");
}

TEST(GroupKeep, AnotherGroupsMemberIsNotBelieved) {
  auto group = Group::formed();
  for (int i = 0; i < 3; ++i) group[i].seen.group->group_name = "another";
  EXPECT_FALSE(group.decide().ready);
}

// --- who joins -----------------------------------------------------------------------------------

TEST(GroupKeep, AMemberThatIsOutJoins) {
  for (const auto* says : {"OFFLINE", "ERROR"}) {
    auto group = Group::formed();
    group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
    group.is_out(2, says).has("db-0:1-8");
    const auto plan = group.decide();
    const auto c = command(plan, "db-2", Verb::StartGroup);
    ASSERT_TRUE(c) << says;
    EXPECT_FALSE(c->bootstrap);
    EXPECT_EQ(c->group, kGroup);
    EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=None");
    EXPECT_FALSE(plan.ready);
  }
}

TEST(GroupKeep, MembersJoinOneAtATimeAndWhoFailedWaitsForTheOthers) {
  auto group = Group::formed(5);
  group.seen_by({0, 1, 2}, "g:2", "db-0=PRIMARY db-1=ONLINE db-2=ONLINE");
  group.is_out(3);
  group.is_out(4);
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-3 StartGroup"));
  group[3].failed(Verb::StartGroup, 1, "no seed answers");
  group[3].outcomes[Verb::StartGroup].at = group[3].seen.seen - seconds(1);
  const auto plan = group.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-4 StartGroup"));
  EXPECT_THAT(text_of(plan, "JoinFailed"), HasSubstr("no seed answers"));
}

// Whose failure nobody remembers, as the operator was restarted.
TEST(GroupKeep, WhoCountsJoinsBeforeThoseWhoMayNotComeYet) {
  auto group = Group::formed();
  group.seen_by({0}, "g:2", "db-0=PRIMARY");
  for (const int i : {1, 2}) group.is_out(i).has("");
  group.record().quorum.members = {"db-0", "db-2"};
  const auto plan = group.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StartGroup"));
}

TEST(GroupKeep, AGroupThatElectsIsWaitedFor) {
  auto group = Group::formed();
  group.seen_by({0, 1, 2}, "g:2", "db-0=ONLINE db-1=ONLINE db-2=ONLINE");
  const auto plan = group.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("NoPrimary"));
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_FALSE(plan.record);
  EXPECT_FALSE(plan.writable);
}

TEST(GroupKeep, AMemberThatRecoversIsWaitedFor) {
  auto group = Group::formed();
  group.seen_by({0, 1, 2}, "g:2", "db-0=PRIMARY db-1=ONLINE db-2=RECOVERING");
  const auto plan = group.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=None");
  EXPECT_THAT(held_by(plan), ElementsAre("ReplicaAttaching"));
}

TEST(GroupKeep, AMemberThatIsOnlineAndOfflineIsOpened) {
  auto group = Group::formed();
  group[2].seen.offline_mode = true;
  const auto plan = group.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StartGroup"));
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=None");
}

TEST(GroupKeep, APrimaryThatStaysReadOnlyIsOpened) {
  auto group = Group::formed();
  group[0].seen.super_read_only = true;
  const auto plan = group.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-0 StartGroup"));
  EXPECT_FALSE(plan.writable);
}

TEST(GroupKeep, AMemberCutOffThatHasNotNoticedIsLeftAloneUntilItLeaves) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.seen_by({2}, "g:1", "db-0=UNREACHABLE db-1=UNREACHABLE db-2=ONLINE");
  const auto plan = group.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(text_of(plan, "OutsideMajority"), HasSubstr("sees 1 of 3"));
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=None");
}

TEST(GroupKeep, SaysWhatItWaitsForWhereNothingIsHeld) {
  auto group = Group::formed();
  EXPECT_EQ(group.decide().doing, "watching");
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.is_out(2);
  const auto plan = group.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StartGroup"));
  EXPECT_EQ(plan.doing, "waiting for db-2 to do StartGroup");
}

TEST(GroupKeep, AMemberWithTransactionsOfItsOwnIsShownSavedAndRebuilt) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.is_out(2).has("db-0:1-10 db-2:1-3");
  const auto plan = group.decide();
  EXPECT_THAT(text_of(plan, "Errant"), HasSubstr("3 transactions that nobody else has"));
  ASSERT_EQ(recorded(plan), "Rebuild Save to db-2, epoch 2");
  EXPECT_EQ(plan.record.value().operation->gtids, gtids("db-2:1-3").to_string());
}

TEST(GroupKeep, WhatTheGroupHasReceivedAndNotAppliedIsNobodysOwn) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group[1].seen.group->received = gtids("db-0:11-12");
  group.is_out(2).has("db-0:1-12");
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-2 StartGroup"));
}

TEST(GroupKeep, WhoWasSeenAfterTheGroupIsJudgedWhenTheGroupIsSeenAgain) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.is_out(2).has("db-0:1-12").seen.seen += milliseconds(20);
  const auto plan = group.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, ElementsAre("db-0"));
}

TEST(GroupKeep, AMemberThatLacksWhatAllHavePurgedIsRebuilt) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group[1].has_purged("db-0:1-5");
  group.is_out(2).has("db-0:1-3");
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-2 StartGroup")) << "db-0 can tell it";
  group[0].has_purged("db-0:1-4");
  EXPECT_EQ(recorded(group.decide()), "Rebuild Clone to db-2, epoch 2");
}

TEST(GroupKeep, AMemberOpenedOutsideTheGroupIsClosed) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.is_out(2).seen.super_read_only = false;
  const auto plan = group.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("ReplicaWritable"));
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StopGroup"));
}

// --- who is a member -----------------------------------------------------------------------------

TEST(GroupKeep, ANewMemberIsOnRecordBeforeItJoins) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.is_out(2);
  group.record().quorum.members = {"db-0", "db-1"};
  const auto plan = group.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record.value().quorum.members, ElementsAre("db-0", "db-1", "db-2"));
  EXPECT_THAT(asked(plan), IsEmpty());
}

TEST(GroupKeep, WhoFailedToJoinAndHoldsNothingMakesRoomForTheNext) {
  auto group = Group::formed();
  group.seen_by({0}, "g:2", "db-0=PRIMARY");
  for (const int i : {1, 2}) group.is_out(i).has("");
  group.record().quorum.members = {"db-0"};
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-0", "db-1"));
  group.record().quorum.members = {"db-0", "db-1"};
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-1 StartGroup"));
  group[1].failed(Verb::StartGroup, 1, "no member of the group answers");
  auto plan = group.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2") << "an order to join that is late is refused";
  EXPECT_THAT(plan.record.value().quorum.leaving, ElementsAre("db-1"));
  group.record() = plan.record.value();
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-1 StopGroup"));
  group.has_stopped(1, "");
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-0", "db-2"));
  EXPECT_THAT(group.decide().record.value().quorum.leaving, IsEmpty());
}

// Two that hold nothing would outvote the one that does, if it died now.
TEST(GroupKeep, NobodyComesToCountWhileTheOneBeforeHoldsNothing) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=RECOVERING");
  group[1].has("");
  group.is_out(2).has("");
  group.record().quorum.members = {"db-0", "db-1"};
  EXPECT_FALSE(group.decide().record);
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-0", "db-1", "db-2"))
      << "it has what there is, also where nothing was written yet";
}

TEST(GroupKeep, OneComesToCountWhileAnotherIsAwayIfAMajorityHoldsWhatThereIs) {
  auto group = Group::formed(4);
  group.seen_by({0, 2}, "g:2", "db-0=PRIMARY db-2=ONLINE");
  group[1].is_killed();
  group.is_out(3).has("");
  group.record().quorum.members = {"db-0", "db-1", "db-2"};
  EXPECT_THAT(group.decide().record.value().quorum.members,
              ElementsAre("db-0", "db-1", "db-2", "db-3"));
}

// To the others it is ONLINE until they miss it.
TEST(GroupKeep, NobodyComesToCountWhileOneHasLostItsVolumeAndIsNotMissedYet) {
  auto group = Group::formed();
  group.seen_by({0}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  for (const int i : {1, 2}) group.is_out(i).has("");
  group[1].failed(Verb::StartGroup, 1, "the group has not missed it yet");
  group.record().quorum.members = {"db-0", "db-1"};
  EXPECT_FALSE(group.decide().record);
}

TEST(GroupKeep, AMemberThatIsSeenInTheGroupCounts) {
  auto group = Group::formed();
  group.record().quorum.members = {"db-0", "db-1"};
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-0", "db-1", "db-2"));
}

TEST(GroupKeep, AnIsolatedMemberLeavesInAnEpochOfItsOwnAndCountsUntilItHas) {
  auto group = Group::formed();
  group[2].isolated = true;
  auto plan = group.decide();
  ASSERT_EQ(recorded(plan), "idle: db-0, epoch 2")
      << "no order to join that is late is obeyed then";
  EXPECT_THAT(plan.record.value().quorum.leaving, ElementsAre("db-2"));
  group.record() = plan.record.value();
  plan = group.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StopGroup"));
  EXPECT_FALSE(plan.record);
  group.is_out(2);
  group.has_stopped(2, "db-0:1-10");
  plan = group.decide();
  EXPECT_FALSE(plan.record) << "the others still see it";
  EXPECT_THAT(asked(plan), IsEmpty()) << "it has obeyed";
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  plan = group.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record.value().quorum.members, ElementsAre("db-0", "db-1"));
  EXPECT_THAT(plan.record.value().quorum.leaving, IsEmpty());
}

TEST(GroupKeep, WhoWasToLeaveAndIsAMemberAgainStays) {
  auto group = Group::formed();
  group.record().quorum.leaving = {"db-2"};
  const auto plan = group.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record.value().quorum.members, ElementsAre("db-0", "db-1", "db-2"));
  EXPECT_THAT(plan.record.value().quorum.leaving, IsEmpty());
}

TEST(GroupKeep, AMemberWithoutAPodCountsAsLongAsItsUnitMayBringItBack) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.record().quorum.leaving = {"db-2"};
  group[2].former = true;
  group[2].has_no_pod();
  EXPECT_FALSE(group.decide().record);
  group[2].has_no_unit();
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-0", "db-1"));
}

// It was taken by another replication in the middle of joining.
TEST(GroupKeep, AnothersMemberCountsAsLongAsItIsSeenInTheGroup) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE db-2=RECOVERING");
  group.seen_by({2}, "g:2", "db-0=PRIMARY db-1=ONLINE db-2=RECOVERING");
  group[2].former = true;
  group[2].elsewhere = group[2].seen;
  group[2].belongs_to("orders");
  EXPECT_FALSE(group.decide().record);
  group.seen_by({0, 1}, "g:3", "db-0=PRIMARY db-1=ONLINE");
  EXPECT_FALSE(group.decide().record) << "its own word counts, too";
  group[2].elsewhere.group->state = mysql::GroupState::Offline;
  EXPECT_THAT(group.decide().record.value().quorum.members, ElementsAre("db-0", "db-1"));
}

TEST(GroupKeep, AStrangerInTheGroupIsTold) {
  auto group = Group::formed();
  group.seen_by({0, 1, 2}, "g:2", "db-0=PRIMARY db-1=ONLINE db-2=ONLINE db-7=ONLINE");
  EXPECT_THAT(text_of(group.decide(), "StrangerInGroup"), HasSubstr("db-7.db:3306"));
}

// --- rebuilding ----------------------------------------------------------------------------------

TEST(GroupRebuild, LeavesTheGroupThenClonesFromASecondary) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.is_out(2).has("db-0:1-10 db-2:1-3");
  group.begin(OperationType::Rebuild, Step::Clone, "", "db-2").gtids =
      gtids("db-2:1-3").to_string();
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-2 StopGroup"));
  group.has_stopped(2, "db-0:1-10 db-2:1-3");
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-2 Clone db-1"));
}

TEST(GroupRebuild, ADonorHasAllThatWasAcknowledgedThere) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.begin(OperationType::Rebuild, Step::Clone, "", "db-2");
  group.is_out(2).has("db-0:1-10");
  group.has_stopped(2, "db-0:1-10");
  group[1].has("db-0:1-9");
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-2 Clone db-0"));
  group[0].has("db-0:1-9");
  EXPECT_THAT(held_by(group.decide()), Contains("NoDonor"));
}

// One that would end and begin again for ever is none.
TEST(GroupRebuild, EndsWithoutACloneOnlyWhereTheMemberCanJoin) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.begin(OperationType::Rebuild, Step::Clone, "", "db-2");
  group[0].has_purged("db-0:1-4");
  group[1].has_purged("db-0:1-5");
  group.is_out(2).has("db-0:1-3");
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-2 StopGroup"));
  group[1].has_purged("db-0:1-3");
  EXPECT_EQ(recorded(group.decide()), "idle: db-0, epoch 2");
}

TEST(GroupRebuild, AMemberWhoseCloneWasCutShortIsClonedThoughItsServerDoesNotRun) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group[2].is_killed().agent.data = agent::DataState::ClonePartial;
  EXPECT_EQ(recorded(group.decide()), "Rebuild Clone to db-2, epoch 2");
}

TEST(GroupRebuild, EndsWhenTheDataIsThere) {
  auto group = Group::formed();
  group.seen_by({0, 1}, "g:2", "db-0=PRIMARY db-1=ONLINE");
  group.begin(OperationType::Rebuild, Step::Clone, "", "db-2");
  group.is_out(2);
  group[2].did(Verb::Clone, 2, "db-0:1-10");
  EXPECT_EQ(recorded(group.decide()), "idle: db-0, epoch 2");
}

}  // namespace
}  // namespace troupe::mysql_group::testing
