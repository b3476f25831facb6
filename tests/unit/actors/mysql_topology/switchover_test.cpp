// Planned changes of the source: whose order counts, what refuses one, each step and its undoing.
#include <functional>

#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

Servers ordered(std::string name = "db-1") {
  auto servers = Servers::formed();
  servers.topology.wanted = std::move(name);
  return servers;
}

// --- orders --------------------------------------------------------------------------------------

TEST(Order, NamingAnotherSourceBeginsASwitchover) {
  const auto plan = ordered().decide();
  EXPECT_EQ(recorded(plan), "Switchover Close from db-0 to db-1, epoch 2");
  EXPECT_EQ(plan.record->honored, "db-1");
  EXPECT_EQ(plan.record->current, "db-0") << "until the candidate has caught up";
  EXPECT_THAT(asked(plan), IsEmpty());
}

TEST(Order, TheSourceInPlaceOnlyNeedsToBeHonored) {
  auto servers = ordered("db-0");
  servers.record().honored = "db-1";
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 1");
  EXPECT_EQ(plan.record->honored, "db-0");
}

TEST(Order, AnOldManifestAppliedAgainOrdersNothing) {
  auto servers = Servers::formed();
  servers.topology.wanted = servers.record().honored = "db-2";  // db-0 took over from it later
  EXPECT_FALSE(servers.decide().record);
}

TEST(Order, ByAnnotationNeedsNoEdit) {
  auto servers = Servers::formed();
  servers.topology.order_by_note = "db-2";
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Switchover Close from db-0 to db-2, epoch 2");
  EXPECT_EQ(plan.record->honored, "db-0");
  EXPECT_EQ(plan.record->operation->reason, "annotation");
  EXPECT_FALSE(plan.note_done);
}

TEST(Order, AnAnnotationThatIsObeyedIsRemoved) {
  auto servers = Servers::formed();
  servers.topology.order_by_note = "db-0";
  const auto plan = servers.decide();
  EXPECT_TRUE(plan.note_done);
  EXPECT_FALSE(plan.record);
}

TEST(Order, WaitsWhileAMemberIsRebuilt) {
  auto servers = ordered();
  auto& op = servers.begin(OperationType::Rebuild, Step::Clone, "", "db-2");
  op.gtids = gtids("db-2:1").to_string();
  servers[2].has("db-0:1-10 db-2:1");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(plan.notes, IsEmpty());
}

struct Refusal {
  std::string rule;
  std::function<void(Servers&)> because;
};
class OrderRefused : public ::testing::TestWithParam<Refusal> {};

// One that is refused stays pending and says why.
TEST_P(OrderRefused, StaysPendingWithItsGuard) {
  auto servers = ordered();
  GetParam().because(servers);
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(refused_by(plan), Contains(GetParam().rule));
  EXPECT_THAT(plan.doing, HasSubstr("held back"));
  EXPECT_EQ(roles(plan).substr(0, 11), "db-0=Source");
}

INSTANTIATE_TEST_SUITE_P(
    Because, OrderRefused,
    ::testing::Values(
        Refusal{"CandidateNotListed", [](Servers& s) { s.topology.wanted = "db-9"; }},
        Refusal{"CandidateNotListed",
                [](Servers& s) {
                  s.take_out(1);
                  s[1].isolated = true;
                  s[1].is_closed();
                }},
        Refusal{"CandidateUnusable", [](Servers& s) { s[1].is_killed(); }},
        Refusal{"CandidateUnusable", [](Servers& s) { s[1].is_silent(seconds(1)); }},
        Refusal{"CandidateUnusable", [](Servers& s) { s[1].has_lost_its_agent(); }},
        Refusal{"CandidateNotReplicating", [](Servers& s) { s[1].hears_nothing(); }},
        Refusal{"CandidateNotReplicating", [](Servers& s) { s[1].is_closed(); }},
        Refusal{"CandidateJoining", [](Servers& s) { s.take_out(1); }},
        Refusal{"CandidateLags", [](Servers& s) { s[1].seen.replica->seconds_behind = 31; }},
        Refusal{"CandidateLags", [](Servers& s) { s[1].seen.replica->seconds_behind.reset(); }}),
    [](const auto& tested) { return tested.param.rule + std::to_string(tested.index); });

TEST(Order, IsRefusedWhenTooFewWouldAcknowledgeToTheCandidate) {
  auto servers = Servers::formed(5);  // two acknowledgements
  servers.topology.wanted = "db-1";
  for (const int i : {2, 3, 4}) servers[i].is_killed();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(refused_by(plan), Contains("TooFewReplicas"));
}

TEST(Order, ThatWaitsSaysWhyInOneSentence) {
  auto servers = ordered();
  servers[1].seen.replica->seconds_behind = 31;
  const auto plan = servers.decide();
  EXPECT_EQ(plan.order,
            "a switchover to db-1 is ordered and held back; CandidateLags: db-1 is 31 s behind; at "
            "most 30 s are waited for");
  EXPECT_EQ(plan.doing, plan.order);
}

TEST(Order, ForWhoIsNoMemberIsTakenBackAndBeginsNothing) {
  auto servers = Servers::formed();
  servers.topology.failover.enabled = false;
  servers.topology.order_by_note = "nosuch";
  servers[0].is_killed();
  const auto plan = servers.decide();
  EXPECT_TRUE(plan.note_void);
  EXPECT_FALSE(plan.note_done);
  EXPECT_FALSE(plan.record) << "who is named so is nobody to fail over to";
  EXPECT_THAT(held_by(plan), Contains("FailoverDisabled"));
}

TEST(Order, BySpecificationForWhoIsNoMemberStands) {
  const auto plan = ordered("db-9").decide();
  EXPECT_FALSE(plan.note_void);
  EXPECT_THAT(refused_by(plan), ElementsAre("CandidateNotListed"));
}

TEST(Order, ForAnUnknownNameNamesTheCandidatesAndLeavesTheTopologyReady) {
  auto servers = Servers::formed();
  servers.topology.order_by_note = "nosuch";
  const auto plan = servers.decide();
  EXPECT_THAT(refused_by(plan), ElementsAre("OrderWithdrawn"));
  EXPECT_THAT(text_of(plan, "OrderWithdrawn"),
              HasSubstr(R"("nosuch" is no member of this replication: name "db-1" or "db-2")"));
  EXPECT_EQ(plan.order, text_of(plan, "OrderWithdrawn"));
  EXPECT_THAT(held_by(plan), IsEmpty());
  EXPECT_TRUE(plan.ready);
}

TEST(Order, IsRefusedWithoutNamingAnybodyWhoCouldNotTakeOverEither) {
  auto servers = Servers::formed();
  servers.topology.order_by_note = "nosuch";
  servers[1].has_no_unit();
  EXPECT_THAT(text_of(servers.decide(), "OrderWithdrawn"), ::testing::EndsWith(R"(name "db-2")"));
  servers.take_out(2);
  servers[2].isolated = true;
  EXPECT_THAT(text_of(servers.decide(), "OrderWithdrawn"),
              ::testing::EndsWith("no other member can take over now"));
  servers.topology.order_by_note = "db-2";
  EXPECT_THAT(text_of(servers.decide(), "OrderWithdrawn"),
              HasSubstr(R"("db-2" is an isolated member)"));
}

TEST(Order, WaitsUntilACandidateWithTransactionsOfItsOwnIsRebuilt) {
  auto servers = ordered();
  servers[1].has("db-0:1-10 db-1:1");
  EXPECT_EQ(recorded(servers.decide()), "Rebuild Save to db-1, epoch 2");
}

TEST(Order, WaitsForASourceThatCannotBeToldToClose) {
  auto servers = ordered();
  servers[0].has_lost_its_agent();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("SourceUnusable"));
}

TEST(Order, IsNotRetriedForAMinuteAfterItWasGivenUp) {
  auto servers = ordered();
  servers[0].did(Verb::Close, 1).did(Verb::Open, 1);
  servers.record().last = Finished{.text = "db-1 did not catch up"};
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(refused_by(plan), ElementsAre("SwitchoverGivenUp"));
  EXPECT_THAT(plan.refusals[0].text, HasSubstr("did not catch up"));
  servers.pass(minutes(1));
  for (auto& s : servers.list) s.probe.seen = s.seen.seen = servers.now;
  EXPECT_TRUE(servers.decide().record);
}

TEST(Order, OfOneThatIsAboutToEndIsHeld) {
  auto servers = ordered();
  servers[1].departing = {"the Pod of db-1 is being deleted", true};
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(refused_by(plan), ElementsAre("CandidateDeparts"));
  EXPECT_THAT(plan.refusals[0].text, HasSubstr("is being deleted; name \"db-2\""));
}

TEST(Order, OfOneWhoseHostLeadsElsewhereIsHeld) {
  auto servers = ordered();
  servers[1].host_problem = "the host of db-1 is that of db-2";
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  ASSERT_THAT(refused_by(plan), ElementsAre("HostNotItsOwn"));
  EXPECT_EQ(plan.refusals[0].text, "the host of db-1 is that of db-2; name \"db-2\"");
}

TEST(Order, IsGivenUpWhereTheHostOfTheCandidateIsSpoiltMeanwhile) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Switchover, Step::CatchUp, "db-0", "db-1");
  servers[1].host_problem = "the host of db-1 is that of db-2";
  const auto plan = servers.decide();
  ASSERT_EQ(recorded(plan), "Switchover Reopen from db-0 to db-1, epoch 2");
  EXPECT_EQ(plan.record->operation->reason, "the host of db-1 is that of db-2");
}

TEST(HandOver, IsNotToOneWhoseHostLeadsElsewhere) {
  auto servers = Servers::formed();
  servers[0].departing = {"db-0 is to be replaced"};
  servers[1].host_problem = "the host of db-1 is that of db-2";
  EXPECT_EQ(recorded(servers.decide()), "Switchover Close from db-0 to db-2, epoch 2");
}

// --- a source that is about to end ---------------------------------------------------------------

Servers leaving_source() {
  auto servers = Servers::formed();
  servers[0].departing = {"db-0 is to be replaced"};
  return servers;
}

TEST(HandOver, BeginsWhenTheSourceIsAboutToEndAndSaysWhy) {
  const auto plan = leaving_source().decide();
  EXPECT_EQ(recorded(plan), "Switchover Close from db-0 to db-1, epoch 2");
  EXPECT_EQ(plan.record->honored, "db-0") << "nobody has ordered it";
  EXPECT_EQ(plan.record->operation->reason, "db-0 is to be replaced");
}

TEST(HandOver, IsToTheReplicaThatHasLeastToApplyWhateverLagItTells) {
  auto servers = leaving_source();
  servers[0].departing->soon = true;
  servers[1].has("db-0:1-2");
  servers[2].has("db-0:1-9").seen.replica->seconds_behind = 3;
  EXPECT_EQ(servers[1].seen.replica->seconds_behind, 0u) << "it has yet to receive most of it";
  EXPECT_EQ(recorded(servers.decide()), "Switchover Close from db-0 to db-2, epoch 2");
}

TEST(HandOver, WaitsWhileThereIsTimeUntilReplicasHaveCaughtUp) {
  auto servers = leaving_source();
  servers[1].has("db-0:1-2");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record) << "nobody would acknowledge to db-2 once db-0 is gone";
  EXPECT_EQ(plan.doing, "db-0 is to be replaced; its replicas catch up first; db-1 has 8 to apply");
  servers[0].departing->soon = true;
  EXPECT_EQ(recorded(servers.decide()), "Switchover Close from db-0 to db-2, epoch 2");
}

TEST(HandOver, WaitsForReplicasThatApplySlowlyToo) {
  auto servers = leaving_source();
  servers[1].seen.replica->seconds_behind = 2;
  EXPECT_FALSE(servers.decide().record);
  servers[1].seen.replica->seconds_behind = 1;
  EXPECT_TRUE(servers.decide().record);
}

TEST(HandOver, DoesNotWaitForOneThatIsAway) {
  auto servers = leaving_source();
  servers[1].is_killed();
  EXPECT_EQ(recorded(servers.decide()), "Switchover Close from db-0 to db-2, epoch 2");
}

TEST(HandOver, WaitsForALookAtAReplicaThatIsLaterThanTheOneAtTheSource) {
  auto servers = leaving_source();
  for (int i : {1, 2}) servers[i].seen.seen = servers[i].probe.seen = servers.now - seconds(1);
  EXPECT_FALSE(servers.decide().record) << "what they lack of it is not known";
}

TEST(HandOver, IsNotToOneThatGoesAsWell) {
  auto servers = leaving_source();
  servers[1].departing = {"the Pod of db-1 is being deleted", true};
  EXPECT_EQ(recorded(servers.decide()), "Switchover Close from db-0 to db-2, epoch 2");
}

TEST(HandOver, IsToNobodyWhereAllGo) {
  auto servers = leaving_source();
  servers[1].departing = {"the Pod of db-1 is being deleted", true};
  servers[2].departing = {"the Pod of db-2 is being deleted", true};
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(plan.doing, HasSubstr("db-0 is to be replaced, and nobody can take its role over"));
  EXPECT_THAT(plan.doing, HasSubstr("the Pod of db-2 is being deleted"));
}

TEST(HandOver, DoesNotWaitForAnOrderThatIsHeldBack) {
  auto servers = leaving_source();
  servers.topology.order_by_note = "db-9";
  EXPECT_EQ(recorded(servers.decide()), "Switchover Close from db-0 to db-1, epoch 2");
}

TEST(HandOver, IsNotBegunWhereNobodyCouldAcknowledgeThen) {
  auto servers = Servers::formed(2);
  servers[0].departing = {"db-0 is to be replaced"};
  servers[1].is_killed();
  EXPECT_FALSE(servers.decide().record);
}

TEST(HandOver, IsLeftToPeopleWhereFailoverIs) {
  auto servers = leaving_source();
  servers.topology.failover.enabled = false;
  EXPECT_FALSE(servers.decide().record);
}

// --- the steps -----------------------------------------------------------------------------------

Servers under_way(Step step) {
  auto servers = ordered();
  auto& op = servers.begin(OperationType::Switchover, step, "db-0", "db-1");
  if (step == Step::CatchUp) op.gtids = gtids("db-0:1-10").to_string();
  if (step != Step::Close) servers[0].seen.offline_mode = servers[0].seen.super_read_only = true;
  if (step == Step::CatchUp || step == Step::Promote) servers[0].seen.read_only = true;
  return servers;
}

TEST(Switchover, ClosesTheSourceFirstAndNeverByForce) {
  const auto plan = under_way(Step::Close).decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-0 Close"));
  EXPECT_FALSE(command(plan, "db-0", Verb::Close)->kill_if_blocked);
  EXPECT_EQ(command(plan, "db-0", Verb::Close)->epoch, Epoch{2});
  EXPECT_EQ(roles(plan), "db-0=None") << "no writer is sent there";
}

TEST(Switchover, RemembersWhatTheClosedSourceHad) {
  auto servers = under_way(Step::Close);
  servers[0].did(Verb::Close, 2, "db-0:1-17");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Switchover CatchUp from db-0 to db-1, epoch 2");
  EXPECT_EQ(mysql::GtidSet::parse(plan.record->operation->gtids).value(), gtids("db-0:1-17"));
}

TEST(Switchover, IsGivenUpWhenTheSourceCannotBeClosed) {
  auto servers = under_way(Step::Close);
  servers[0].failed(Verb::Close, 2, "2 commits still wait");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Switchover Reopen from db-0 to db-1, epoch 2");
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("2 commits still wait"));
}

TEST(Switchover, IsGivenUpWhenTheSourceDiedOverIt) {
  auto servers = under_way(Step::Close);
  servers[0].did(Verb::Close, 2);
  servers[0].outcomes[Verb::Close].killed = true;  // what it had last is not known
  EXPECT_EQ(recorded(servers.decide()), "Switchover Reopen from db-0 to db-1, epoch 2");
}

TEST(Switchover, ClosesAgainAfterARestart) {
  EXPECT_THAT(asked(under_way(Step::Close).decide()), ElementsAre("db-0 Close"));
}

TEST(Switchover, LetsTheCandidateCatchUp) {
  const auto plan = under_way(Step::CatchUp).decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 Drain"));
  EXPECT_EQ(command(plan, "db-1", Verb::Drain)->gtids, gtids("db-0:1-10"));
}

TEST(Switchover, MakesTheCandidateTheSourceOnRecordBeforeItIsPromoted) {
  auto servers = under_way(Step::CatchUp);
  servers[1].did(Verb::Drain, 2, "db-0:1-10");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Switchover Promote from db-0 to db-1, epoch 2");
  EXPECT_EQ(plan.record->current, "db-1");
  EXPECT_THAT(asked(plan), IsEmpty());
}

TEST(Switchover, IsGivenUpWhenTheCandidateDoesNotCatchUp) {
  auto servers = under_way(Step::CatchUp);
  servers[1].failed(Verb::Drain, 2, "timeout");
  EXPECT_EQ(recorded(servers.decide()), "Switchover Reopen from db-0 to db-1, epoch 2");
}

TEST(Switchover, IsGivenUpWhenItsRecordCannotBeRead) {
  auto servers = under_way(Step::CatchUp);
  servers.record().operation->gtids = "nonsense";
  EXPECT_EQ(recorded(servers.decide()), "Switchover Reopen from db-0 to db-1, epoch 2");
}

TEST(Switchover, IsGivenUpWhenTheCandidateDies) {
  for (const auto step : {Step::Close, Step::CatchUp}) {
    auto servers = under_way(step);
    servers[1].is_killed();
    EXPECT_EQ(recorded(servers.decide()), "Switchover Reopen from db-0 to db-1, epoch 2");
  }
}

TEST(Switchover, IsGivenUpWhenTheCandidateIsTakenOffTheList) {
  auto servers = under_way(Step::Close);
  servers.record().operation->candidate = "db-9";
  EXPECT_EQ(recorded(servers.decide()), "Switchover Reopen from db-0 to db-9, epoch 2");
}

TEST(Switchover, WaitsForASourceThatWasTakenOffTheList) {
  auto servers = under_way(Step::Close);
  servers.record().operation->from = "db-9";
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("SourceNotListed"));
}

TEST(Switchover, GoesOnWhileTheOldSourceEnds) {
  for (const auto step : {Step::Close, Step::CatchUp}) {
    auto servers = under_way(step);
    servers[0].agent.process.state = agent::ProcessState::Stopping;
    EXPECT_EQ(recorded(servers.decide()), "");
  }
}

TEST(Switchover, BecomesAFailoverWhenTheSourceDies) {
  for (const auto step : {Step::Close, Step::CatchUp, Step::Reopen}) {
    auto servers = under_way(step);
    servers[0].is_killed();
    EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 3")
        << to_string(step);
  }
}

TEST(Switchover, GoesOnCatchingUpFromADeadSourceThatNobodyMayReplace) {
  auto servers = under_way(Step::CatchUp);
  servers.topology.failover.enabled = false;
  servers.topology.wanted = servers.record().honored = "db-1";
  servers[0].is_killed();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-1 Drain"));
}

TEST(Switchover, PointsTheOldSourceAtTheNewOneToo) {
  auto servers = under_way(Step::Promote);
  servers[0].has("db-0:1-10");
  EXPECT_THAT(asked(servers.decide()),
              ElementsAre("db-0 Follow db-1", "db-2 Follow db-1", "db-1 Promote"));
}

TEST(Switchover, EndsWithTheCandidateOpen) {
  auto servers = under_way(Step::Promote);
  servers[1].did(Verb::Promote, 2, "db-0:1-10").did(Verb::Open, 2, "db-0:1-10");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-1, epoch 2");
  EXPECT_EQ(plan.record->last->type, OperationType::Switchover);
}

// --- hosts that were wrong
// ------------------------------------------------------------------------

TEST(Switchover, AReplicaThatFollowedTheCandidateElsewhereIsAskedAgain) {
  auto servers = under_way(Step::Promote);
  servers[0].did(Verb::Follow, 2).with_peer("db-1", "nowhere.example:3306");
  servers[2].did(Verb::Follow, 2).with_peer("db-1", "db-1.db:3306");
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-0 Follow db-1", "db-1 Promote"));
  ASSERT_TRUE(command(plan, "db-0", Verb::Follow));
  EXPECT_EQ(command(plan, "db-0", Verb::Follow)->address, "db-1.db:3306");
  EXPECT_THAT(plan.probe, Contains("db-2"));
}

TEST(Switchover, AnOrderUnderWayAtAnAddressThatWasMendedIsOvertaken) {
  auto servers = under_way(Step::Promote);
  servers[1].host = "nowhere.example";
  servers[0].is_asked_to_follow(servers[1], 2);
  EXPECT_FALSE(servers.decide().record) << "nothing else is known yet";
  servers[1].host = "db-1.db";
  const auto plan = servers.decide();
  ASSERT_EQ(recorded(plan), "Switchover Promote from db-0 to db-1, epoch 3");
  EXPECT_EQ(plan.record->current, "db-1") << "there is no way back";
  EXPECT_THAT(asked(plan), IsEmpty());
  servers.record() = *plan.record;
  EXPECT_FALSE(servers.decide().record) << "once is enough";
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 Follow db-1"));
}

TEST(Switchover, AnOrderThatWasAnsweredNeedsNoOvertaking) {
  auto servers = under_way(Step::Promote);
  servers[1].host = "nowhere.example";
  servers[0].is_asked_to_follow(servers[1], 2);
  servers[1].host = "db-1.db";
  servers[0].failed(Verb::Follow, 2).with_peer("db-1", "nowhere.example:3306");
  servers[0].outcomes[Verb::Follow].at = servers.now;
  EXPECT_FALSE(servers.decide().record);
}

TEST(Switchover, ACandidateThatGetsNoReplicasSaysWhoIsMissingAndWhy) {
  auto servers = under_way(Step::Promote);
  servers[1].is_closed().did(Verb::Promote, 2);
  for (const int i : {0, 2}) {
    servers[i].is_replica_of(servers[1]).hears_nothing();
    servers[i].seen.semi_sync_replica.enabled = true;
  }
  servers[0].seen.replica->io_error = {2005, "Unknown MySQL server host 'nowhere.example'"};
  const auto young = servers.decide();
  EXPECT_THAT(held_by(young), IsEmpty()) << "replicas take a moment";
  EXPECT_LE(young.wake, servers.now + seconds(3));
  servers[1].outcomes[Verb::Promote].at -= seconds(3);
  const auto plan = servers.decide();
  EXPECT_EQ(
      text_of(plan, "ReplicasNotAttached"),
      "0 of 1 replicas that db-1 needs are attached; db-0: error 2005: Unknown MySQL server "
      "host 'nowhere.example'; db-2 does not replicate from db-1: receiver connecting, applier on");
  EXPECT_THAT(asked(plan), Contains("db-1 Open")) << "they may come yet";
}

TEST(Switchover, ACandidateThatCouldNotBeOpenedGoesOnSayingWhoIsMissing) {
  auto servers = under_way(Step::Promote);
  servers[1].is_closed().did(Verb::Promote, 2).failed(Verb::Open, 2);
  EXPECT_THAT(held_by(servers.decide()), Contains("ReplicasNotAttached"));
  servers[1].seen.semi_sync_source.clients = 1;
  EXPECT_THAT(held_by(servers.decide()), IsEmpty());
}

// --- undoing -------------------------------------------------------------------------------------

TEST(Switchover, GivenUpOpensTheOldSourceAgain) {
  auto servers = under_way(Step::Reopen);
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Promote"));
  servers[0].did(Verb::Promote, 2);
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Open"));
  servers[0].did(Verb::Open, 2);
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_TRUE(plan.record->last->undone);
}

TEST(Switchover, GivenUpAttachesReplicasThatWereRestartedMeanwhile) {
  auto servers = under_way(Step::Reopen);
  servers[2].is_closed();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Follow db-0", "db-0 Promote"));
}

// A member that just began to count; commits may be waiting for it alone.
TEST(Switchover, GivenUpMakesReplicasAcknowledgeThatOnlyFollow) {
  auto servers = under_way(Step::Reopen);
  servers[2].seen.semi_sync_replica.enabled = false;
  const auto plan = servers.decide();
  const auto follow = command(plan, "db-2", Verb::Follow);
  ASSERT_TRUE(follow);
  EXPECT_TRUE(follow->semi_sync);
}

TEST(Switchover, GivenUpAttachesOneThatHasMoreWhereTheOthersDoNotAcknowledge) {
  auto servers = under_way(Step::Reopen);
  servers[1].seen.replica.reset();
  servers[1].has("db-0:1-11");
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Promote"));
  servers[2].is_killed();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-1 Follow db-0", "db-0 Promote"));
}

TEST(Switchover, GivenUpAttachesOneThatHasMoreWhereTheSourceStillWaitsForSomebody) {
  auto servers = under_way(Step::Reopen);
  servers.record().quorum = {.members = {"db-0", "db-1"}, .acks = 0, .waits_for = 0};
  servers[1].seen.semi_sync_replica.enabled = false;
  servers[1].has("db-0:1-11", "db-0:1-11");
  servers[2].is_killed();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-1 Follow db-0", "db-0 Promote"));
}

TEST(Switchover, GivenUpPromotesTheOldSourceAgainIfItCannotBeOpened) {
  auto servers = under_way(Step::Reopen);
  servers[0].did(Verb::Promote, 2).failed(Verb::Open, 2);
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Promote"));
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
