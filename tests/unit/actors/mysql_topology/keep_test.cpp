// Nothing is in flight: every member is kept in its role.
#include <functional>

#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

TEST(Keep, AHealthyTopologyIsReadyAndAsksForNothing) {
  const auto plan = Servers::formed().decide();
  EXPECT_TRUE(plan.ready);
  EXPECT_TRUE(plan.writable);
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, IsEmpty());
  EXPECT_THAT(held_by(plan), IsEmpty());
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=Replica");
}

TEST(Keep, AMemberAloneAndAnAsynchronousTopologyAreReadyToo) {
  EXPECT_TRUE(Servers::formed(1).decide().ready);
  EXPECT_TRUE(Servers::formed(2, Mode::Async).decide().ready);
}

TEST(Keep, WakesBeforeItsObservationsGrowStale) {
  const auto servers = Servers::formed();
  EXPECT_LE(servers.decide().wake, servers.now + kStale);
}

// --- the source ----------------------------------------------------------------------------------

TEST(Keep, ASourceThatBootedClosedIsPromotedAndOpenedAgain) {
  auto servers = Servers::formed();
  servers[0].is_closed();
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-0 Promote"));
  EXPECT_EQ(command(plan, "db-0", Verb::Promote)->epoch, Epoch{1});
  EXPECT_FALSE(plan.writable);
  servers[0].did(Verb::Promote, 1);
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Open"));
}

TEST(Keep, ASourceThatCannotBeOpenedIsPromotedAgain) {
  auto servers = Servers::formed();
  servers[0].is_closed().did(Verb::Promote, 1).failed(Verb::Open, 1);
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Promote"));
}

TEST(Keep, ASourceThatWasJustOpenedIsLookedAtAgain) {
  auto servers = Servers::formed();
  servers[0].is_closed().did(Verb::Promote, 1).did(Verb::Open, 1);
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, Contains("db-0"));
}

TEST(Keep, ASourceThatCameBackWithoutItsTransactionsIsNotOpened) {
  auto servers = Servers::formed();
  servers[0].is_closed().has("db-0:1-8");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover StopReceivers from db-0, epoch 2");
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("db-0 came back without"));
}

// Also where one replica only has been seen: others may be on their way back.
TEST(Keep, ASourceThatCameBackWithNothingIsNotOpenedWhereAnybodyHasSomething) {
  auto servers = Servers::formed();
  servers[0].is_closed().has("");
  servers[2].is_killed();
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("QuorumMissing", "SourceDead"));
  EXPECT_THAT(asked(plan), IsEmpty()) << "and takes nobody's data";
}

TEST(Keep, ASourceIsNotPromotedOnWhatReplicasHadBeforeItWent) {
  auto servers = Servers::formed();
  servers[0].is_closed().was_asked_now();
  servers[1].was_asked_now();
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, ElementsAre("db-2"));
  servers[2].was_asked_now();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Promote"));
}

TEST(Keep, ASourceIsOpenedThoughAReplicaHasTransactionsOfItsOwn) {
  auto servers = Servers::formed();
  servers[0].is_closed();
  servers[1].has("db-0:1-10 db-1:1-2");
  auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Rebuild Save to db-1, epoch 2");
  servers.record() = *plan.record;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Promote", "db-1 SaveTransactions"));
}

TEST(Keep, ASourceIsNotOpenedWhenItLacksWhatMayHaveBeenAcknowledgedByAnother) {
  auto servers = Servers::formed();
  servers[0].is_closed();
  servers[1].has("db-0:1-10 db-1:1-2");
  servers[2].has("db-0:1-10 db-1:1-2");
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
}

// What db-2 wrote before it was deposed and nobody counted on; db-1 had it from db-2.
TEST(Keep, ASourceIsOpenedThoughMembersThatNeverFollowedItHaveMore) {
  auto servers = Servers::formed();
  servers[0].is_closed();
  servers[1].is_replica_of(servers[2]).has("db-0:1-10 db-2:1");
  servers[2].is_closed().has("db-0:1-10 db-2:1");
  const auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_EQ(plan.record->operation->type, OperationType::Rebuild);
  servers.record() = *plan.record;
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 Promote"));
}

TEST(Keep, WhatAClosedSourceLacksShowsWhoeverWasSeenLast) {
  auto servers = Servers::formed();
  servers[0].is_closed().has("db-0:1-8");
  servers[0].seen.seen -= milliseconds(500);
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
}

struct Setting {
  std::string name;
  std::function<void(mysql::SemiSyncSource&)> spoil;
};
class KeepSemiSync : public ::testing::TestWithParam<Setting> {};

TEST_P(KeepSemiSync, IsMendedOnTheSource) {
  auto servers = Servers::formed();
  GetParam().spoil(servers[0].seen.semi_sync_source);
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-0 Promote"));
  EXPECT_FALSE(plan.ready);
}

INSTANTIATE_TEST_SUITE_P(
    Settings, KeepSemiSync,
    ::testing::Values(Setting{"Enabled", [](auto& s) { s.enabled = false; }},
                      Setting{"Acknowledgements", [](auto& s) { s.wait_for_replica_count = 2; }},
                      Setting{"WaitsWithoutReplicas", [](auto& s) { s.wait_no_replica = false; }},
                      Setting{"WaitPoint",
                              [](auto& s) { s.wait_point = mysql::WaitPoint::AfterCommit; }}),
    [](const auto& tested) { return tested.param.name; });

TEST(Keep, SemiSyncIsSwitchedOffOnAnAsynchronousSource) {
  auto servers = Servers::formed();
  servers.topology.mode = Mode::Async;
  const auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_EQ(plan.record->quorum.acks, 0u) << "before anything is acknowledged by less";
  servers.record() = *plan.record;
  EXPECT_THAT(asked(servers.decide()),
              ElementsAre("db-0 Promote", "db-1 Follow db-0", "db-2 Follow db-0"));
}

TEST(Keep, AcknowledgementsFollowTheNumberOfMembers) {
  auto servers = Servers::formed(5);
  EXPECT_EQ(servers.told().acks(), 2u);
  servers[0].seen.semi_sync_source.wait_for_replica_count = 1;
  EXPECT_EQ(command(servers.decide(), "db-0", Verb::Promote)->acks, 2u);
}

TEST(Keep, ASourceWithTooFewReplicasAttachedSaysThatWritesWait) {
  auto servers = Servers::formed();
  servers[0].seen.semi_sync_source.clients = 0;
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.writable);
  EXPECT_FALSE(plan.ready);
  EXPECT_THAT(held_by(plan), ElementsAre("SemiSyncBlocked"));
  EXPECT_THAT(plan.guards[0].text, HasSubstr("0 of 1"));
}

TEST(Keep, ASourceThatDoesNotAnswerKeepsItsRole) {
  auto servers = Servers::formed();
  servers[0].is_silent(seconds(1));
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("SourceUnusable"));
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=Replica");
  EXPECT_LE(plan.wake, servers.now + seconds(1));
}

TEST(Keep, ASourceThatIsNoMemberAnyMoreIsAskedFor) {
  auto servers = Servers::formed();
  servers.record().current = "db-9";
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("SourceNotListed"));
  servers.record().current = "db-0";
  servers[0].isolated = true;
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("SourceNotListed"));
}

TEST(Keep, ADeadSourceThatIsNoMemberAnyMoreIsReplaced) {
  auto servers = Servers::formed();
  servers[0].former = true;
  EXPECT_THAT(text_of(servers.decide(), "SourceNotListed"), HasSubstr("not listed any more"));
  servers[0].is_killed();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
  servers[1].is_killed();
  EXPECT_THAT(held_by(servers.decide()),
              ElementsAre("QuorumMissing", "SourceNotListed", "SourceDead"));
}

TEST(Keep, WhoWasNotLookedAtYetOrTooLongAgoStaysBehindItsService) {
  auto servers = Servers::formed();
  servers[1].probed = false;
  servers[2].probed = servers[2].known_to_agent = false;
  EXPECT_EQ(roles(servers.decide()), "db-0=Source");
  servers = Servers::formed();
  servers.now += seconds(10);  // as after a pause of this process
  EXPECT_EQ(roles(servers.decide()), "db-0=Source");
}

TEST(Keep, AReplicaThatDoesNotAnswerOrRunServesNobody) {
  auto servers = Servers::formed();
  servers[1].is_silent(seconds(2));
  servers[2].is_killed().probed = false;
  EXPECT_EQ(roles(servers.decide()), "db-0=Source db-1=None db-2=None");
}

TEST(Keep, AReplicaThatServedNobodyIsNotReachedBecauseTheSourceDies) {
  auto servers = Servers::formed();
  servers[0].is_killed();
  EXPECT_EQ(role_after(servers.decide(), "db-1", Role::None), Role::None);
  EXPECT_EQ(role_after(servers.decide(), "db-1", Role::Replica), Role::Replica);
}

TEST(Keep, OnlyWhoIsNamedAsTheSourceStaysIt) {
  Plan plan;
  EXPECT_EQ(role_after(plan, "db-1", Role::Source), Role::None);
  plan.roles["db-1"] = Role::Source;
  EXPECT_EQ(role_after(plan, "db-1", Role::None), Role::Source);
  plan.roles_stand = true;
  EXPECT_EQ(role_after(plan, "db-1", Role::Replica), Role::Replica);
}

TEST(Keep, WhereTheSourceIsNotListedAllLabelsStand) {
  auto servers = Servers::formed();
  servers[0].former = true;
  EXPECT_TRUE(servers.decide().roles_stand);
  EXPECT_THAT(asked(servers.decide()), IsEmpty());
  servers[0].former = false;
  servers[0].isolated = true;
  EXPECT_TRUE(servers.decide().roles_stand);
  EXPECT_FALSE(Servers::formed().decide().roles_stand);
}

TEST(Keep, AChangedPasswordIsGivenToTheMembers) {
  auto servers = Servers::formed();
  servers[0].refuses_password();
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 EnsureAccounts"));
}

TEST(Keep, EveryMemberIsGivenTheAccountsThatThisProcessHasNotGivenIt) {
  auto servers = Servers::formed();
  servers[1].outcomes.clear();
  servers.take_out(2);
  servers[2].did(Verb::EnsureAccounts, 1).isolated = true;
  servers.topology.accounts = 2;
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ::testing::IsSupersetOf({"db-0 EnsureAccounts", "db-1 EnsureAccounts",
                                                    "db-2 EnsureAccounts"}));
  EXPECT_EQ(command(plan, "db-0", Verb::EnsureAccounts)->accounts, 2u);
  EXPECT_THAT(plan.guards, IsEmpty()) << "nothing is wrong";
}

TEST(Keep, AMemberThatIsBeingClonedIsGivenNoAccounts) {
  auto servers = Servers::formed();
  servers[1].outcomes.clear();
  servers[1].agent.operation = agent::OperationProgress{.kind = "Clone"};
  EXPECT_THAT(asked(servers.decide()), ::testing::Not(Contains("db-1 EnsureAccounts")));
}

TEST(Keep, MembersThatRefuseTheNewPasswordMoveNoRolesAndAreNoWarning) {
  auto servers = Servers::formed();
  servers.topology.accounts = 2;
  for (auto& server : servers.list) server.refuses_password();
  servers.pass(seconds(5));
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan),
              ElementsAre("db-0 EnsureAccounts", "db-1 EnsureAccounts", "db-2 EnsureAccounts"));
  EXPECT_EQ(recorded(plan), "");
  EXPECT_EQ(plan.roles.at("db-0"), Role::Source);
  EXPECT_THAT(held_by(plan), ::testing::Each(std::string(kAccountsPending)));
  servers.pass(seconds(15));
  EXPECT_THAT(held_by(servers.decide()), Contains("SourceUnusable"));
}

TEST(Keep, AccountsThatCannotBeGivenAreToldOnceThatIsNoAccident) {
  auto servers = Servers::formed();
  servers[1].failed(Verb::EnsureAccounts, 1, "disk full");
  EXPECT_THAT(held_by(servers.decide()), IsEmpty());
  servers[1].outcomes[Verb::EnsureAccounts].failures = 3;
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 EnsureAccounts"));
  EXPECT_THAT(held_by(plan), ElementsAre("AccountsFailed"));
  EXPECT_FALSE(plan.ready);
  EXPECT_THAT(plan.guards[0].text, HasSubstr("disk full"));
}

// --- changed accounts ----------------------------------------------------------------------------

Servers with_changed_accounts() {
  auto servers = Servers::formed();
  servers.topology.accounts = 2;
  for (auto& server : servers.list) {
    server.did(Verb::EnsureAccounts, 1).outcomes[Verb::EnsureAccounts].accounts = 2;
  }
  return servers;
}

TEST(KeepAccounts, ReplicasAreToldOneAfterTheOther) {
  auto servers = with_changed_accounts();
  const auto first = servers.decide();
  EXPECT_THAT(asked(first), ElementsAre("db-1 Follow db-0"));
  EXPECT_EQ(command(first, "db-1", Verb::Follow)->accounts, 2u);
  EXPECT_TRUE(first.ready);

  servers[1].did(Verb::Follow, 1).with_peer("db-0").outcomes[Verb::Follow].accounts = 2;
  EXPECT_THAT(asked(servers.decide()), IsEmpty()) << "it is looked at first";
  servers[1].seen.seen = servers.now;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Follow db-0"));
}

TEST(KeepAccounts, ReplicasAreToldAfterTheSourceKnowsThemAndWhileAllAcknowledge) {
  auto before_the_source = with_changed_accounts();
  before_the_source[0].outcomes[Verb::EnsureAccounts].accounts = 1;
  EXPECT_THAT(asked(before_the_source.decide()), ElementsAre("db-0 EnsureAccounts"));

  auto one_is_down = with_changed_accounts();
  one_is_down[2].is_killed();
  EXPECT_THAT(asked(one_is_down.decide()), IsEmpty());
}

TEST(KeepAccounts, AnOperatorThatJustStartedDoesNotDisturbReplicasThatWork) {
  auto servers = with_changed_accounts();
  servers.topology.accounts = 1;
  for (auto& server : servers.list) server.outcomes[Verb::EnsureAccounts].accounts = 1;
  EXPECT_THAT(asked(servers.decide()), IsEmpty());
}

TEST(KeepAccounts, AReplicaThatTheSourceRefusesFollowsWithThoseOfNow) {
  auto servers = Servers::formed();
  auto& replica = *servers[1].seen.replica;
  replica.io = mysql::ThreadState::Connecting;
  EXPECT_THAT(asked(servers.decide()), IsEmpty()) << "it will reach it by itself";
  replica.io_error.number = mysql::error_number::kAccessDenied;
  EXPECT_THAT(asked(servers.decide()), Contains("db-1 Follow db-0"));
}

TEST(KeepAccounts, ASourceWhoseReplicaIsSeenRefusedIsGivenThemAgain) {
  auto servers = Servers::formed();
  servers[1].seen.replica->io = mysql::ThreadState::Connecting;
  for (const auto refusal :
       {mysql::error_number::kAccessDenied, mysql::error_number::kAccountLocked}) {
    servers[1].seen.replica->io_error.number = refusal;
    EXPECT_THAT(asked(servers.decide()), Contains("db-0 EnsureAccounts")) << refusal;
  }
  auto& given = servers[0].outcomes[Verb::EnsureAccounts];
  given.at = servers.now - seconds(1);
  EXPECT_THAT(asked(servers.decide()), ::testing::Not(Contains("db-0 EnsureAccounts")))
      << "it may not have tried again since";
  given.at = servers.now - seconds(10);
  servers[1].seen.replica->source_host = "elsewhere";
  EXPECT_THAT(asked(servers.decide()), ::testing::Not(Contains("db-0 EnsureAccounts")))
      << "who knows who refuses it there";
}

TEST(KeepAccounts, ASourceThatTurnsThemAwayIsGivenThemAgain) {
  auto servers = Servers::formed();
  servers[1].seen.replica->io = mysql::ThreadState::Connecting;
  servers[1].seen.replica->io_error.number = mysql::error_number::kAccessDenied;
  servers[1].failed(Verb::Follow, 1).with_peer("db-0").outcomes[Verb::Follow].error.code =
      Code::Denied;
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 EnsureAccounts"));
  servers[0].did(Verb::EnsureAccounts, 1).outcomes[Verb::EnsureAccounts].at = servers.now;
  EXPECT_THAT(asked(servers.decide()), ::testing::Not(Contains("db-0 EnsureAccounts")));
}

// --- replicas ------------------------------------------------------------------------------------

struct Ailment {
  std::string name;
  std::function<void(Servers&)> spoil;
};
class KeepReplica : public ::testing::TestWithParam<Ailment> {};

TEST_P(KeepReplica, IsMendedByFollowingAgain) {
  auto servers = Servers::formed();
  GetParam().spoil(servers);
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 Follow db-0"));
  EXPECT_TRUE(command(plan, "db-1", Verb::Follow)->semi_sync);
  EXPECT_EQ(command(plan, "db-1", Verb::Follow)->epoch, Epoch{1});
  EXPECT_FALSE(plan.ready);
}

INSTANTIATE_TEST_SUITE_P(
    Ailments, KeepReplica,
    ::testing::Values(
        Ailment{"Restarted", [](Servers& s) { s[1].is_closed(); }},
        Ailment{"Offline", [](Servers& s) { s[1].seen.offline_mode = true; }},
        Ailment{"FollowsAnother", [](Servers& s) { s[1].seen.replica->source_host = "db-2.db"; }},
        Ailment{"FollowsAnotherPort", [](Servers& s) { s[1].seen.replica->source_port = 3307; }},
        Ailment{"ReceiverStopped",
                [](Servers& s) { s[1].seen.replica->io = mysql::ThreadState::Off; }},
        Ailment{"ApplierStopped",
                [](Servers& s) { s[1].seen.replica->sql = mysql::ThreadState::Off; }},
        Ailment{"DoesNotAcknowledge",
                [](Servers& s) { s[1].seen.semi_sync_replica.enabled = false; }},
        Ailment{"WaitsForAcknowledgementsItself",
                [](Servers& s) { s[1].seen.semi_sync_source.enabled = true; }}),
    [](const auto& tested) { return tested.param.name; });

TEST(Keep, AReplicaAppliesWhatItReceivedBeforeItFollowsASourceThatHasPurgedIt) {
  auto servers = Servers::formed();
  servers[0].has_purged("db-0:1-8");
  servers[1].has("db-0:1-6", "db-0:1-9").seen.replica->io = mysql::ThreadState::Off;
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 Drain"));
  EXPECT_EQ(command(plan, "db-1", Verb::Drain)->gtids, gtids("db-0:1-8"));
}

TEST(Keep, AReplicaThatIsConnectingIsLeftToIt) {
  auto servers = Servers::formed();
  servers[1].hears_nothing();
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_FALSE(plan.ready);
  EXPECT_EQ(roles(plan), "db-0=Source db-1=None db-2=Replica");
}

// --- whose host is another server's --------------------------------------------------------------

TEST(FromAnother, AReplicaIsNoReplicaOfTheSourceThoughItFollowsItsAddress) {
  auto servers = Servers::formed(3, Mode::Async);
  servers[1].receives_from("db-9");
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("ReplicatesFromAnother"));
  EXPECT_EQ(plan.guards[0].text,
            "db-1 replicates from server 00000000-0000-0000-0000-000000000009 at db-0.db:3306, "
            "which is not db-0 (00000000-0000-0000-0000-000000000000): spec.source.host names "
            "another server");
  EXPECT_FALSE(plan.ready);
  EXPECT_EQ(roles(plan), "db-0=Source db-1=None db-2=Replica");
  EXPECT_THAT(asked(plan), IsEmpty()) << "to follow that address once more changes nothing";
}

TEST(FromAnother, IsNotRebuiltForWhatItGotThere) {
  auto servers = Servers::formed();
  servers[1].receives_from("db-9").has("db-0:1-10 db-9:1-3");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("ReplicatesFromAnother"));
}

TEST(FromAnother, ThatIsAMemberIsNamedAndWhereTheHostStands) {
  auto servers = Servers::formed();
  servers[1].receives_from("db-2");
  servers.topology.wanted = servers.record().honored = "db-2";
  EXPECT_THAT(text_of(servers.decide(), "ReplicatesFromAnother"),
              ::testing::AllOf(HasSubstr("replicates from db-2 (0000"),
                               HasSubstr("the host of db-0 in spec.replica names another")));
}

TEST(FromAnother, IsNotSaidOfOneThatIsNotConnectedOrWhoseSourceWasNeverSeen) {
  auto servers = Servers::formed();
  servers[1].receives_from("db-9").hears_nothing();
  EXPECT_THAT(held_by(servers.decide()), ::testing::Not(Contains("ReplicatesFromAnother")));
  servers[1].is_replica_of(servers[0]).has("db-0:1-10").receives_from("db-9");
  servers[0].ever_answered = false;
  EXPECT_THAT(held_by(servers.decide()), ::testing::Not(Contains("ReplicatesFromAnother")));
}

TEST(FromAnother, CannotBecomeTheSource) {
  auto servers = Servers::formed();
  servers[1].receives_from("db-9");
  servers.topology.order_by_note = "db-1";
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "CandidateNotReplicating"), HasSubstr("names another server"));
}

TEST(FromAnother, IsNotTheOneThatAPromotionWaitsFor) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Failover, Step::Promote, "db-0", "db-1");
  servers[0].has_no_pod();
  servers[1].did(Verb::Promote, 2).failed(Verb::Open, 2);
  servers[2].is_replica_of(servers[1]).has("db-0:1-10").receives_from("db-9");
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ::testing::Not(Contains("db-2 Follow db-1")));
  EXPECT_THAT(held_by(plan), Contains("ReplicatesFromAnother"));
  EXPECT_THAT(text_of(plan, "ReplicasNotAttached"), HasSubstr("db-2 replicates from server"));
}

// --- who does not follow yet ---------------------------------------------------------------------

TEST(Attaching, AReplicaWithABacklogSaysHowMuchIsLeft) {
  auto servers = Servers::formed();
  servers[1].has("db-0:1-3", "db-0:1-9").seen.replica->io = mysql::ThreadState::Off;
  const auto plan = servers.decide();
  EXPECT_EQ(text_of(plan, "ReplicaAttaching"),
            "db-1 applies what it has received before it follows db-0: 6 transactions left");
  servers[1].has("db-0:1-8", "db-0:1-9");
  EXPECT_THAT(text_of(servers.decide(), "ReplicaAttaching"), HasSubstr(": 1 transaction left"));
  EXPECT_TRUE(is_course_of_things(plan.guards[0].rule));
}

TEST(Attaching, AReplicaThatJustBootedDoesNotFollowYet) {
  auto servers = Servers::formed();
  servers[1].is_closed();
  EXPECT_EQ(text_of(servers.decide(), "ReplicaAttaching"), "db-1 does not follow db-0 yet");
}

TEST(Attaching, AnErrorOfTheSourceBeforeIsNone) {
  auto servers = Servers::formed();
  auto& replica = *servers[1].hears_nothing().seen.replica;
  replica.io_error = {2003, "Can't connect"};
  replica.source_host = "db-9.db";
  EXPECT_EQ(text_of(servers.decide(), "ReplicaAttaching"),
            "db-1 does not follow db-0 at db-0.db:3306 yet: it follows db-9.db:3306");
}

TEST(Attaching, AReceiverThatFailsIsNamedWithItsError) {
  auto servers = Servers::formed();
  servers[1].hears_nothing().seen.replica->io_error = {2005, "Unknown MySQL server host"};
  const auto plan = servers.decide();
  EXPECT_EQ(text_of(plan, "ReplicaNotAttached"), "db-1: error 2005: Unknown MySQL server host");
  EXPECT_FALSE(is_course_of_things(plan.guards[0].rule)) << "it does not pass by itself";
}

TEST(Keep, AReplicaThatTakesWritesIsClosedFirst) {
  auto servers = Servers::formed();
  servers[1].seen.read_only = servers[1].seen.super_read_only = false;
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 Close"));
  EXPECT_TRUE(command(plan, "db-1", Verb::Close)->kill_if_blocked);
  EXPECT_THAT(held_by(plan), ElementsAre("ReplicaWritable"));
  EXPECT_EQ(roles(plan), "db-0=Source db-1=None db-2=Replica");
}

TEST(Keep, AReplicaThatPrivilegedUsersCanWriteToIsClosedToo) {
  auto servers = Servers::formed();
  servers[1].seen.super_read_only = false;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-1 Close"));
}

TEST(Keep, AFormerSourceWhoseCommitsHangIsClosedBeforeItFollows) {
  auto servers = Servers::formed();
  servers[1].is_closed();
  servers[1].seen.semi_sync_source.enabled = true;
  servers[1].seen.semi_sync_source.wait_sessions = 3;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-1 Close"));
}

TEST(Keep, AMemberThatWasJustClosedIsLookedAtAgain) {
  auto servers = Servers::formed();
  servers[1].seen.read_only = servers[1].seen.super_read_only = false;
  servers[1].did(Verb::Close, 1);
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, ElementsAre("db-1"));
}

TEST(Keep, AReplicaThatIsAwayIsNamed) {
  auto servers = Servers::formed();
  servers[1].is_killed();
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("ReplicaUnusable"));
  EXPECT_FALSE(plan.ready);
  EXPECT_TRUE(plan.writable) << "the other one acknowledges";
  EXPECT_EQ(roles(plan), "db-0=Source db-1=None db-2=Replica");
}

TEST(Keep, AReplicaWhoseAgentIsAwayGoesOnServingReads) {
  auto servers = Servers::formed();
  servers[1].has_lost_its_agent();
  EXPECT_EQ(roles(servers.decide()), "db-0=Source db-1=Replica db-2=Replica");
}

TEST(Keep, AReplicaWithoutAUnitIsSaidToBeMissing) {
  auto servers = Servers::formed();
  servers[1].has_no_unit();
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("MemberMissing"));
  EXPECT_FALSE(plan.ready);
}

TEST(Keep, AnApplierThatStoppedWithAnErrorIsForPeople) {
  auto servers = Servers::formed();
  servers[1].seen.replica->sql = mysql::ThreadState::Off;
  servers[1].seen.replica->sql_error = {1062, "Duplicate entry"};
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(held_by(plan), ElementsAre("ApplierStopped"));
  EXPECT_THAT(plan.guards[0].text, HasSubstr("1062"));
}

TEST(Keep, AMemberThatWasSeenAfterTheSourceIsNotJudgedYet) {
  auto servers = Servers::formed();
  servers[1].is_closed();
  servers[1].seen.seen += milliseconds(50);
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, ElementsAre("db-0"));
}

TEST(Keep, NorIsOneThatHadNotAnsweredWhenTheSourceWasAsked) {
  auto servers = Servers::formed();
  servers[1].has("db-0:1-10 db-1:1-2").seen.took = milliseconds(200);
  servers[0].seen.seen += milliseconds(100);
  auto plan = servers.decide();
  EXPECT_FALSE(plan.record) << "what it has may have reached the source since";
  servers[0].seen.seen += milliseconds(100);
  plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Rebuild Save to db-1, epoch 2");
}

TEST(Keep, YoungTransactionsOfTheSourceAreNoErrantOnes) {
  auto servers = Servers::formed();
  servers[1].has("db-0:1-12", "db-0:1-12");  // it had them before the source was asked
  EXPECT_TRUE(servers.decide().ready);
}

TEST(Keep, IsolatedMembersReceiveNothing) {
  auto servers = Servers::formed();
  servers.take_out(2);
  servers[2].isolated = true;
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StopReceiver"));
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=None");
}

TEST(Keep, IsolatedMembersThatReceiveNothingAreLeftAlone) {
  auto servers = Servers::formed();
  servers.take_out(2);
  servers[2].isolated = true;
  servers[2].is_closed();
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_TRUE(plan.ready);
}

TEST(Keep, AMemberWhoseCloneWasCutShortIsClonedAgain) {
  auto servers = Servers::formed();
  servers[2].is_closed().has("").agent.data = agent::DataState::ClonePartial;
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Rebuild Clone to db-2, epoch 2");
  EXPECT_THAT(held_by(plan), ElementsAre("ClonePartial"));
}

// --- what has closed itself ----------------------------------------------------------------------

TEST(Fenced, ASourceIsNamedFirstAndOpenedAgainByOrder) {
  auto servers = Servers::formed();
  servers[2].is_killed();
  servers[0].is_closed().agent.fenced =
      agent::FencedStatus{.since = WallTime(seconds(1769860800)), .reason = "no operator for 31 s"};
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("MemberFenced", "ReplicaUnusable"));
  EXPECT_EQ(plan.guards[0].text,
            "db-0 has closed itself at 2026-01-31T12:00:00Z: no operator for 31 s; it is opened "
            "again when its replicas are back");
  EXPECT_THAT(asked(plan), ElementsAre("db-0 Promote"));
  EXPECT_FALSE(plan.ready);
  servers[0].did(Verb::Promote, 1);
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Open"));
}

TEST(Fenced, ASourceThatLacksWhatItsReplicasHaveIsNotOpened) {
  auto servers = Servers::formed();
  servers[0].is_closed().has("db-0:1-8").agent.fenced = agent::FencedStatus{};
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
}

TEST(Fenced, AFormerSourceFollowsOnlyOnceNothingOfItIsErrant) {
  auto servers = Servers::formed();
  servers[1].is_closed().agent.fenced = agent::FencedStatus{.reason = "a reason"};
  auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("MemberFenced", "ReplicaAttaching"));
  EXPECT_THAT(plan.guards[0].text, HasSubstr("opened again when it follows the source"));
  EXPECT_THAT(asked(plan), ElementsAre("db-1 Follow db-0"));
  servers[1].has("db-0:1-10 db-1:1-2");
  EXPECT_EQ(recorded(servers.decide()), "Rebuild Save to db-1, epoch 2");
}

TEST(Fenced, NothingIsSaidOfAMemberWhoseAgentIsAwayOrAnothers) {
  auto servers = Servers::formed();
  servers[1].agent.fenced = agent::FencedStatus{};
  servers[1].has_lost_its_agent();
  EXPECT_THAT(held_by(servers.decide()), ::testing::Not(Contains("MemberFenced")));
}

TEST(Keep, SaysThatTheHostOfAMemberLeadsElsewhereBeforeAnybodyFollowsItThere) {
  auto servers = Servers::formed();
  ASSERT_TRUE(servers.decide().ready);
  servers[2].host_problem = "the host of db-2 is that of db-1";
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("HostNotItsOwn"));
  EXPECT_EQ(text_of(plan, "HostNotItsOwn"), "the host of db-2 is that of db-1");
  EXPECT_FALSE(plan.ready);
  EXPECT_TRUE(plan.writable);
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=Replica");
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
