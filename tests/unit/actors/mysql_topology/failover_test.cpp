// The source is lost: when a replica may take over, which one, and what holds it back.
#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

// --- whether it begins ---------------------------------------------------------------------------

TEST(Failover, BeginsWhenTheAgentSawTheProcessEnd) {
  auto servers = Servers::formed();
  servers[0].is_killed();
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover StopReceivers from db-0, epoch 2");
  EXPECT_THAT(asked(plan), IsEmpty()) << "the record comes first";
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("ended by signal 9"));
}

// Nobody was there to hand its role over while it could.
TEST(Failover, BeginsWhenTheServerWasToldToEnd) {
  auto servers = Servers::formed();
  servers[0].agent.process.state = agent::ProcessState::Stopping;
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover StopReceivers from db-0, epoch 2");
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("was told to end"));
}

TEST(Failover, KeepsTheOldSourceOnRecordUntilAnotherIsChosen) {
  auto servers = Servers::formed();
  servers[0].is_killed();
  EXPECT_EQ(servers.decide().record->current, "db-0");
}

TEST(Failover, WaitsForItsQuorum) {
  auto servers = Servers::formed();
  servers[0].is_killed();
  servers[1].is_killed();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("QuorumMissing", "SourceDead"));
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("1 of 2 needed"));
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("db-1"));
}

struct QuorumCase {
  int members;
  int reachable;
  bool begins;
};
class FailoverQuorum : public ::testing::TestWithParam<QuorumCase> {};

// f + w >= N, with w = floor(N/2).
TEST_P(FailoverQuorum, IsWhatTheAcknowledgementsLeaveOver) {
  const auto& c = GetParam();
  auto servers = Servers::formed(c.members);
  servers[0].is_killed();
  for (int i = 1 + c.reachable; i < c.members; ++i) servers[i].is_killed();
  EXPECT_EQ(bool(servers.decide().record), c.begins);
}

INSTANTIATE_TEST_SUITE_P(
    Members, FailoverQuorum,
    ::testing::Values(QuorumCase{1, 0, false}, QuorumCase{2, 1, true}, QuorumCase{2, 0, false},
                      QuorumCase{3, 2, true}, QuorumCase{3, 1, false}, QuorumCase{4, 2, true},
                      QuorumCase{4, 1, false}, QuorumCase{5, 3, true}, QuorumCase{5, 2, false},
                      QuorumCase{7, 4, true}, QuorumCase{7, 3, false}),
    [](const auto& tested) {
      return std::to_string(tested.param.reachable) + "of" + std::to_string(tested.param.members);
    });

TEST(Failover, IsolatedMembersThatCountNoMoreAreNotWaitedFor) {
  auto servers = Servers::formed();
  servers.take_out(2);
  servers[0].is_killed();
  servers[2].isolated = true;
  servers[2].is_closed();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2")
      << "two members: one stopped replica is enough";
}

TEST(Failover, AMemberThatTheSourceStillCountsRaisesTheQuorum) {
  auto servers = Servers::formed();
  servers[0].is_killed();   // with two replicas attached, when it was last seen
  servers.list.pop_back();  // db-2 was just taken off the list: it may hold what db-1 lacks
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("1 of 2 needed"));
}

TEST(Failover, AcknowledgementsThatTheSourceDidNotWaitForYetDoNotCount) {
  auto servers = Servers::formed(5);
  servers.record().quorum.acks = 1;  // two members were just added: it waited for one until now
  servers[0].is_killed();
  servers[4].is_killed();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("3 of 4 needed"));
}

TEST(Failover, IsNotBegunUnlessEnabled) {
  auto servers = Servers::formed();
  servers.topology.failover.enabled = false;
  servers[0].is_killed();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("FailoverDisabled", "SourceDead"));
}

TEST(Failover, AnOrderIsObeyedAlsoWhenTheSourceIsDead) {
  auto servers = Servers::formed();
  servers.topology.failover.enabled = false;
  servers.topology.wanted = "db-1";
  servers[0].is_killed();
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover StopReceivers from db-0, epoch 2");
  EXPECT_EQ(plan.record->honored, "db-0") << "whether it becomes db-1 is seen when it is done";
}

TEST(Failover, AnOrderNeedsTheQuorumAsWell) {
  auto servers = Servers::formed();
  servers.topology.failover.enabled = false;
  servers.topology.wanted = "db-1";
  servers[0].is_killed();
  servers[2].is_killed();
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("QuorumMissing", "SourceDead"));
}

TEST(Failover, OfAnAsynchronousSourceNeedsPermissionToLose) {
  auto servers = Servers::formed(3, Mode::Async);
  servers[0].is_killed();
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("LossNotAllowed", "SourceDead"));
  servers.topology.failover.allow_loss = true;
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
}

TEST(Failover, OfAnAsynchronousSourceNeedsOneReplica) {
  auto servers = Servers::formed(3, Mode::Async);
  servers.topology.failover.allow_loss = true;
  servers[0].is_killed();
  servers[1].is_killed();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
  servers[2].is_killed();
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("QuorumMissing", "SourceDead"));
}

// --- what counts as death ------------------------------------------------------------------------

TEST(Death, IsThePodThatIsGone) {
  auto servers = Servers::formed();
  servers[0].has_no_pod();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
}

TEST(Death, IsSeenByTwoWitnessesTheAgentsStreamAndTheServersPort) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent();
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("SourceUnusable"));
  servers[0].refuses_connections();
  for (const int replica : {1, 2}) servers[replica].hears_nothing().was_asked_now();
  EXPECT_TRUE(servers.decide().record);
}

TEST(Death, IsNoneByTwoWitnessesWhileAReplicaHearsFromTheSource) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().refuses_connections();
  servers[1].hears_nothing().was_asked_now();
  servers[2].was_asked_now();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("QuorumMissing", "SourceUnreachable"));
  EXPECT_THAT(text_of(plan, "SourceUnreachable"), HasSubstr("db-2 hear from it"));
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("1 of 2 needed replicas"));
}

TEST(Death, ByTwoWitnessesAsksTheReplicasThatMayKnowBetterFirst) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().refuses_connections();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(plan.probe, ::testing::IsSupersetOf({"db-1", "db-2"}));
}

TEST(Death, ByTwoWitnessesNeedsNoWordOfReplicasThatDoNotAnswer) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().refuses_connections();
  servers[1].hears_nothing().was_asked_now();
  servers[2].is_silent(seconds(1));
  servers[2].probe.seen = servers.now - kStale - milliseconds(1);
  EXPECT_TRUE(servers.decide().record);
}

TEST(Death, IsNotABrokenConnectionAlone) {
  auto servers = Servers::formed();
  servers[0].refuses_connections();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("SourceUnusable"));
}

TEST(Death, IsNotSilenceWhileReplicasHearFromTheSource) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().is_silent(seconds(600));
  EXPECT_FALSE(servers.decide().record);
}

TEST(Death, IsNotSilenceThatTooFewReplicasConfirm) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().is_silent(seconds(600));
  servers[1].hears_nothing();
  EXPECT_FALSE(servers.decide().record);
}

TEST(Death, IsSilenceThatAQuorumOfReplicasConfirms) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().is_silent(seconds(3));
  servers[1].hears_nothing();
  servers[2].hears_nothing();
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover StopReceivers from db-0, epoch 2");
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("2 of its replicas hear nothing"));
}

TEST(Death, WaitsTheGraceOfTheSpecificationForASilentSource) {
  auto servers = Servers::formed();
  servers.topology.failover.grace = seconds(5);
  servers[0].has_lost_its_agent().is_silent(seconds(3));
  servers[1].hears_nothing();
  servers[2].hears_nothing();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_LE(plan.wake, servers.now + seconds(2)) << "nothing else would wake it then";
}

TEST(Death, IsNotInferredFromWhatWasSeenLongAgo) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().is_silent(seconds(3));
  servers[1].hears_nothing();
  servers[2].hears_nothing();
  servers[2].probe.seen = servers.now - kStale - milliseconds(1);
  EXPECT_FALSE(servers.decide().record);
}

TEST(Death, IsNotInferredFromAnAgentThatIsConnectingStill) {
  auto servers = Servers::formed();
  servers[0].agent.stream = agent::StreamState::Connecting;
  servers[0].refuses_connections();
  EXPECT_FALSE(servers.decide().record);
}

// --- what is said while nobody knows
// --------------------------------------------------------------

TEST(Death, OfASourceThatNoReplicaCanTestifyToIsHeldUpWithWhoIsNotReached) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().is_silent(seconds(24));
  servers[1].is_silent(seconds(41));
  servers[2].is_silent(seconds(40));
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_EQ(text_of(plan, "QuorumMissing"),
            "0 of 2 needed replicas say that they hear nothing from db-0; not reached: db-1 for "
            "41.0s, db-2 for 40.0s; no failover begins");
}

TEST(Death, OfASourceWhoseAgentAloneAnswersIsHeldUpByTheReplicasThatHearFromIt) {
  auto servers = Servers::formed();
  servers[0].is_silent(seconds(24));
  servers[1].is_silent(seconds(41));
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("0 of 2 needed replicas"));
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("it is heard by db-2; not reached: db-1"));
}

TEST(Death, OfASourceThatWasNeverLookedAtIsHeldUpByTheReplicasThatHearIt) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent();
  servers[0].probed = servers[0].ever_answered = false;
  servers[1].hears_nothing();
  EXPECT_THAT(text_of(servers.decide(), "QuorumMissing"), HasSubstr("1 of 2 needed replicas"));
}

TEST(Death, IsNotDoubtedWithinTheGraceNorWhereAllHearTheSource) {
  auto servers = Servers::formed();
  servers[0].has_lost_its_agent().is_silent(seconds(1));
  servers[1].is_silent(seconds(41));
  servers[2].is_silent(seconds(41));
  EXPECT_EQ(text_of(servers.decide(), "QuorumMissing"), "");
  auto heard = Servers::formed();
  heard[0].has_lost_its_agent().is_silent(seconds(24));
  EXPECT_THAT(held_by(heard.decide()), ElementsAre("SourceUnreachable"));
}

// --- stopping the receivers ----------------------------------------------------------------------

Servers stopping(int members = 3) {
  auto servers = Servers::formed(members);
  servers[0].is_killed();
  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  return servers;
}

TEST(Failover, StopsAllReceiversWithTheNewEpoch) {
  const auto plan = stopping().decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 StopReceiver", "db-2 StopReceiver"));
  EXPECT_EQ(command(plan, "db-1", Verb::StopReceiver)->epoch, Epoch{2});
  EXPECT_EQ(roles(plan), "db-0=None");
}

TEST(Failover, ClosesAnOldSourceThatLivesWithoutWaitingForIt) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  const auto plan = servers.decide();
  ASSERT_THAT(asked(plan), Contains("db-0 Close"));
  EXPECT_TRUE(command(plan, "db-0", Verb::Close)->kill_if_blocked);
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-10");
  EXPECT_EQ(recorded(servers.decide()), "Failover Promote from db-0 to db-1, epoch 2");
}

TEST(Failover, WaitsUntilEnoughReplicasStoppedReceiving) {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StopReceiver"));
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("1 of 2 needed"));
}

TEST(Failover, ReceiversStoppedForAnEarlierEpochDoNotCount) {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 1, "db-0:1-10");
  servers[2].did(Verb::StopReceiver, 1, "db-0:1-10");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), ElementsAre("db-1 StopReceiver", "db-2 StopReceiver"));
}

TEST(Failover, RefusalsDoNotCount) {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[2].failed(Verb::StopReceiver, 2);
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("QuorumMissing"));
}

TEST(Failover, AMemberWithoutDataVouchesForNothing) {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[2].has("").did(Verb::StopReceiver, 2);
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record) << "its volume may have been replaced after it acknowledged";
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("db-2 holds no transactions"));
}

// It is not empty any more, and has not yet what it acknowledged.
TEST(Failover, AMemberThatReceivesItsDataAgainVouchesForNothing) {
  auto servers = stopping();
  servers.record().quorum.recovering = {"db-2"};
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[2].has("db-0:1-3").did(Verb::StopReceiver, 2, "db-0:1-3");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("1 of 2 needed"));
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("db-2 does not have all data yet"));
}

TEST(Failover, IsNotBegunOnTheWordOfAMemberThatReceivesItsDataAgain) {
  auto servers = Servers::formed();
  servers.record().quorum.recovering = {"db-2"};
  servers[0].is_killed();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("1 of 2 needed"));
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("db-2 does not have all data yet"));
}

TEST(Failover, WithinATopologyThatWasNeverWrittenToAnybodyVouches) {
  auto servers = stopping();
  for (auto& s : servers.list) s.has("");
  servers[1].did(Verb::StopReceiver, 2);
  servers[2].did(Verb::StopReceiver, 2);
  EXPECT_EQ(recorded(servers.decide()), "Failover Promote from db-0 to db-1, epoch 2");
}

// The look at the source is from before it had its first write, and db-2 is a new server since
// then.
TEST(Failover, WhoWasReplacedSinceTheSourceWasSeenEmptyVouchesForNothing) {
  auto servers = stopping();
  for (auto& s : servers.list) s.has("");
  servers[1].did(Verb::StopReceiver, 2);
  servers[2].did(Verb::StopReceiver, 2);
  servers[2].seen.known_since = servers[0].seen.seen + milliseconds(1);
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("db-2 holds no transactions"));
}

TEST(Failover, WaitsAMomentForTheRestOnceTheQuorumStands) {
  auto servers = stopping(5);
  for (int i = 1; i < 4; ++i) servers[i].did(Verb::StopReceiver, 2, "db-0:1-10");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_LT(plan.wake, servers.now + seconds(1));
  servers.now = plan.wake;
  EXPECT_EQ(recorded(servers.decide()), "Failover Promote from db-0 to db-1, epoch 2");
}

// --- choosing ------------------------------------------------------------------------------------

TEST(Failover, ChoosesOneThatIsAboutToEndOnlyForWhatItAloneHas) {
  auto servers = stopping();
  servers[1].departing = {"db-1 is to be replaced"};
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-12");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-12");
  EXPECT_EQ(servers.decide().record->current, "db-2");
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-13");
  EXPECT_EQ(servers.decide().record->current, "db-1");
}

TEST(Failover, ChoosesOneWhoseHostLeadsElsewhereForNothing) {
  auto servers = stopping();
  servers[1].host_problem = "the host of db-1 is that of db-2";
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-12");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-12");
  EXPECT_EQ(servers.decide().record->current, "db-2");
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-13");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record) << "db-2 lacks what may have been acknowledged, db-1 has no way back";
  EXPECT_THAT(held_by(plan), ElementsAre("HostNotItsOwn"));
  EXPECT_EQ(
      text_of(plan, "HostNotItsOwn"),
      "only db-1 has everything, and nobody could follow it: the host of db-1 is that of db-2");
  servers[1].host_problem.clear();
  EXPECT_EQ(servers.decide().record->current, "db-1");
}

TEST(Failover, ToOneWhoseHostLeadsElsewhereIsHeldThoughAPersonHasChosenIt) {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-12 db-1:1");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-12 db-2:1");
  servers.topology.recover_on = "db-1";
  EXPECT_EQ(servers.decide().record->current, "db-1");
  servers[1].host_problem = "the host of db-1 is that of db-2";
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "HostNotItsOwn"), HasSubstr("nobody could follow it"));
}

TEST(Failover, WithoutAcknowledgementsIsToWhoHasEverythingWhateverItsHost) {
  auto servers = Servers::formed(3, Mode::Async);
  servers.topology.failover.allow_loss = true;
  servers[0].is_killed();
  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-13");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-12");
  servers[1].host_problem = "the host of db-1 is that of db-2";
  EXPECT_EQ(recorded(servers.decide()), "Failover Promote from db-0 to db-1, epoch 2")
      << "writes go on without replicas";
}

TEST(Failover, ChoosesWhoHasReceivedMostExecutedOrNot) {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-12", "db-0:1-12");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-9", "db-0:1-14");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover Promote from db-0 to db-2, epoch 2");
  EXPECT_EQ(plan.record->current, "db-2");
}

TEST(Failover, ChoosesNobodyWhenEachHasWhatAnotherLacks) {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-12");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-10 db-2:1-1");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("Diverged"));
  EXPECT_THAT(text_of(plan, "Diverged"), HasSubstr("db-1 alone has"));
  EXPECT_THAT(text_of(plan, "Diverged"), HasSubstr("db-2 alone has"));
}

Servers diverged() {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-12");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-10 db-2:1-1");
  return servers;
}

TEST(Divergence, IsDecidedByThePersonWhoNamesTheOneThatIsRight) {
  auto servers = diverged();
  servers.topology.recover_on = "db-2";
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover Promote from db-0 to db-2, epoch 2");
  EXPECT_FALSE(plan.choice_over) << "until that is on record";
  ASSERT_EQ(plan.record->lost.size(), 1u);
  EXPECT_EQ(plan.record->lost[0].member, "db-1");
  EXPECT_EQ(plan.record->lost[0].gtids, gtids("db-0:11-12").to_string());
  EXPECT_EQ(plan.record->lost[0].epoch, Epoch{2});
  servers.record() = *plan.record;
  EXPECT_TRUE(servers.decide().choice_over);
}

TEST(Divergence, IsNotDecidedByAChoiceThatIsNoneOfThem) {
  auto servers = diverged();
  servers.topology.recover_on = "db-0";
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "Diverged"), HasSubstr("\"db-0\", by the annotation"));
}

TEST(Divergence, ThatIsNoneNeedsNoChoice) {
  auto servers = Servers::formed();
  servers.topology.recover_on = "db-1";
  EXPECT_TRUE(servers.decide().choice_over) << "it would decide a later one unseen";
}

// --- giving up -----------------------------------------------------------------------------------

Servers source_is_back(const Duration since_stop) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  servers[0].did(Verb::Close, 2, "db-0:1-10");
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[1].outcomes[Verb::StopReceiver].at = servers.now - since_stop;
  servers[2].is_killed();
  return servers;
}

TEST(Failover, WaitsTenSecondsForItsQuorumWhileTheSourceLives) {
  const auto servers = source_is_back(seconds(9));
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("QuorumMissing"));
  EXPECT_LE(plan.wake, servers.now + seconds(1));
}

TEST(Failover, IsGivenUpWhenTheSourceLivesAndNoQuorumComesTogether) {
  const auto plan = source_is_back(seconds(10)).decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_TRUE(plan.record->last->undone);
}

TEST(Failover, IsGivenUpWhenTheSourceLivesAndTheReplicasHaveDiverged) {
  auto servers = source_is_back(seconds(10));
  servers[2] = Server(2, servers.now);
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-9 db-2:1");
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 2");
}

TEST(Failover, IsNeverGivenUpForASourceThatIsDead) {
  auto servers = stopping();
  servers[2].is_killed();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[1].outcomes[Verb::StopReceiver].at = servers.now - seconds(600);
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("QuorumMissing"));
}

TEST(Failover, WaitsForASourceThatWasTakenOffTheList) {
  auto servers = stopping();
  servers.record().operation->from = "db-9";
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("SourceNotListed"));
}

// --- installing the new source -------------------------------------------------------------------

Servers promoting() {
  auto servers = Servers::formed();
  servers[0].is_killed();
  servers[1].has("db-0:1-10", "db-0:1-12");
  servers.begin(OperationType::Failover, Step::Promote, "db-0", "db-1");
  return servers;
}

TEST(Failover, PromotesTheCandidateAndPointsTheOthersAtIt) {
  const auto plan = promoting().decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 Follow db-1", "db-1 Promote"));
  EXPECT_EQ(roles(plan), "db-0=None db-1=None");
}

TEST(Failover, ResumesAfterARestartFromPromoteWithoutStoppingAnybodyAgain) {
  // Nothing is remembered of what was asked: only the record is there.
  EXPECT_THAT(asked(promoting().decide()), ElementsAre("db-2 Follow db-1", "db-1 Promote"));
}

TEST(Failover, DoesNotAttachAFallenSourceWithTransactionsOfItsOwn) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);  // it came back at once, closed
  servers[0].has("db-0:1-13");
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 Follow db-1", "db-1 Promote"));
  EXPECT_THAT(held_by(plan), ElementsAre("HasMoreThanSource"));
}

TEST(Failover, AttachesAFallenSourceThatHasNothingOfItsOwn) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[0].has("db-0:1-11");
  EXPECT_THAT(asked(servers.decide()),
              ElementsAre("db-0 Follow db-1", "db-2 Follow db-1", "db-1 Promote"));
}

TEST(Failover, AttachesAFallenSourceInAnyCaseWhenNobodyElseCouldAcknowledge) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[0].has("db-0:1-13");
  servers[2].is_killed();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Follow db-1", "db-1 Promote"));
}

TEST(Failover, AttachesItAlsoWhenTheOnlyOtherLacksWhatTheCandidateHasPurged) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[0].has("db-0:1-13");
  servers[1].has_purged("db-0:1-10");
  servers[2].has("db-0:1-8");
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-0 Follow db-1", "db-1 Promote"));
  EXPECT_THAT(held_by(plan), ElementsAre("HasMoreThanSource", "PurgedAtSource"));
}

// Otherwise it would wait for the candidate, and the candidate for it.
TEST(Failover, ClonesTheOnlyOneLeftWhereItLacksWhatTheCandidateHasPurged) {
  auto servers = promoting();
  servers[1].has_purged("db-0:1-10");
  servers[2].has("db-0:1-8");
  auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.recovering, ElementsAre("db-2"));
  servers.record() = *plan.record;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 StopReceiver", "db-1 Promote"));
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-8");
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Clone db-1", "db-1 Promote"));
  servers[2].agent.operation = agent::OperationProgress{.kind = "Clone"};
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-1 Promote"));
}

TEST(Failover, AttachesItAgainWhenItWasRestartedSince) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[0].has("db-0:1-13").did(Verb::Follow, 2).with_peer("db-1");
  servers[0].outcomes[Verb::Follow].at = servers[0].seen.seen - seconds(1);
  servers[2].is_killed();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Follow db-1", "db-1 Promote"));
}

// Empty or not: only a look can tell.
TEST(Failover, AttachesNobodyWhoseDataWereNotLookedAt) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[0].probed = false;
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 Follow db-1", "db-1 Promote"));
  EXPECT_THAT(plan.probe, Contains("db-0"));
}

TEST(Failover, ACandidateThatLostItsVolumeIsReplacedAndNotOpened) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[0].has("db-0:1-13");
  servers[1] = Server(1, servers.now);
  servers[1].has("");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover StopReceivers from db-1, epoch 3");
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("db-1 has no data any more"));
}

TEST(Failover, WhoIsChosenIsOnRecordByItsServersUuid) {
  auto servers = stopping();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-9");
  const auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_EQ(plan.record->operation->candidate_uuid, mysql::to_string(uuid_of("db-1")));
}

// What the old source had was acknowledged by nobody: nobody had anything when it was chosen.
TEST(Failover, ACandidateThatHadNoDataIsOpenedThoughTheOldSourceComesBackWithSome) {
  auto servers = promoting();
  for (auto& s : servers.list) s.has("");
  servers[0] = Server(0, servers.now);
  servers[0].has("db-0:1-3");
  servers.record().operation->candidate_uuid = mysql::to_string(uuid_of("db-1"));
  EXPECT_TRUE(command(servers.decide(), "db-1", Verb::Promote));
  servers.record().operation->candidate_uuid = mysql::to_string(uuid_of("db-9"));
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-1, epoch 3")
      << "it is another server by now";
}

TEST(Failover, ACandidateThatHadNoDataLikeEverybodyIsOpened) {
  auto servers = promoting();
  for (auto& s : servers.list) s.has("");
  servers[0].is_killed();
  EXPECT_THAT(asked(servers.decide()), Contains("db-1 Promote"));
}

TEST(Failover, ClosesAFallenSourceThatIsFoundOpen) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[0].is_source(1, 0).has("db-0:1-10");
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 Close"));
}

TEST(Failover, LeavesAReplicaAloneThatHasMoreThanTheCandidate) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[0].has("db-0:1-10");
  servers[2].has("db-0:1-13");
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-0 Follow db-1", "db-1 Promote"));
  EXPECT_THAT(held_by(plan), ElementsAre("HasMoreThanSource"));
}

TEST(Failover, ACandidateThatRefusesItsReplicasIsGivenTheAccountsAgain) {
  auto servers = promoting();
  servers[1].did(Verb::Promote, 2);
  servers[2].is_replica_of(servers[1]).hears_nothing();
  servers[2].seen.replica->io_error.number = mysql::error_number::kAccessDenied;
  EXPECT_THAT(asked(servers.decide()), Contains("db-1 EnsureAccounts")) << "as it was seen";
  servers[2].is_closed().failed(Verb::Follow, 2).with_peer("db-1");
  EXPECT_THAT(asked(servers.decide()), ::testing::Not(Contains("db-1 EnsureAccounts")));
  servers[2].outcomes[Verb::Follow].error.code = Code::Denied;
  EXPECT_THAT(asked(servers.decide()), Contains("db-1 EnsureAccounts")) << "as its agent says";
}

TEST(Failover, SaysHowMuchItsCandidateHasToApply) {
  auto servers = promoting();
  servers[1].agent.operation =
      agent::OperationProgress{.kind = "Promote", .stage = "applying 4711 transactions"};
  const auto plan = servers.decide();
  EXPECT_THAT(text_of(plan, kCandidateApplies), HasSubstr("db-1 is not opened before"));
  EXPECT_THAT(text_of(plan, kCandidateApplies), HasSubstr("applying 4711 transactions"));
}

TEST(Failover, SaysWhyItsCandidateCannotBePromoted) {
  auto servers = promoting();
  servers[1].failed(Verb::Promote, 2, "the applier has stopped: error 1062");
  const auto plan = servers.decide();
  EXPECT_THAT(text_of(plan, "CandidateNotPromoted"), HasSubstr("error 1062"));
  EXPECT_THAT(asked(plan), Contains("db-1 Promote")) << "somebody may have mended it";
}

TEST(Failover, EndsWithTheCandidateOpen) {
  auto servers = promoting();
  servers[1].did(Verb::Promote, 2, "db-0:1-12").did(Verb::Open, 2, "db-0:1-12");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-1, epoch 2");
  EXPECT_EQ(plan.record->last->from, "db-0");
}

TEST(Failover, BeginsAnotherWhenTheCandidateDies) {
  auto servers = promoting();
  servers[0] = Server(0, servers.now);
  servers[1].is_killed();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-1, epoch 3");
}

TEST(Failover, WaitsForACandidateThatDiedWhileThereIsNoQuorumForAnother) {
  auto servers = promoting();
  servers[1].is_killed();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("QuorumMissing", "SourceDead"));
}

TEST(Failover, ReportsWhatAnAsynchronousTopologyGoesOnWithout) {
  auto servers = promoting();
  servers.topology.mode = Mode::Async;
  servers.topology.failover.allow_loss = true;
  servers[0].has("db-0:1-15");
  servers[1].did(Verb::Promote, 2, "db-0:1-12").did(Verb::Open, 2, "db-0:1-12");
  const auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  ASSERT_EQ(plan.record->lost.size(), 1u);
  EXPECT_EQ(plan.record->lost[0].member, "db-0");
  EXPECT_EQ(mysql::GtidSet::parse(plan.record->lost[0].gtids).value(), gtids("db-0:13-15"));
  EXPECT_EQ(plan.record->lost[0].epoch, Epoch{2});
}

TEST(Failover, OfASemiSynchronousTopologyLosesNothing) {
  auto servers = promoting();
  servers[1].did(Verb::Promote, 2, "db-0:1-12").did(Verb::Open, 2, "db-0:1-12");
  EXPECT_THAT(servers.decide().record->lost, IsEmpty());
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
