// With nothing on record: adopt what is there, form what is new, else say why neither.
#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

// Nothing is recorded, and one rule says why.
void expect_held(const Servers& servers, std::string_view rule, std::string_view why) {
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre(rule));
  EXPECT_THAT(plan.guards.at(0).text, HasSubstr(why));
}

TEST(Discovery, FormsAnEmptyTopologyAroundTheNamedSource) {
  auto servers = Servers::fresh();
  servers.topology.wanted = "db-1";
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Form Promote to db-1, epoch 1");
  EXPECT_EQ(plan.record->current, "db-1");
  EXPECT_EQ(plan.record->honored, "db-1");
}

TEST(Discovery, AsksNothingBeforeItsRecordIsWritten) {
  EXPECT_THAT(asked(Servers::fresh().decide()), IsEmpty());
}

TEST(Discovery, TakesAnEpochAboveAllThatAnyAgentRemembers) {
  auto servers = Servers::fresh();
  servers[0].agent.highest_epoch = Epoch{4};
  servers[2].agent.highest_epoch = Epoch{7};
  EXPECT_EQ(recorded(servers.decide()), "Form Promote to db-0, epoch 8");
}

TEST(Discovery, AdoptsTheMemberThatTakesWritesWhoeverIsNamed) {
  auto servers = Servers::formed();
  servers.record() = {};
  servers.topology.wanted = "db-2";
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_EQ(plan.record->honored, "db-2") << "an old manifest orders nothing";
}

TEST(Discovery, AdoptsTheClosedMemberThatAllOthersFollow) {
  auto servers = Servers::formed();
  servers.record() = {};
  servers[0].is_closed();
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 2");
}

TEST(Discovery, WaitsUntilEveryMemberIsKnown) {
  auto servers = Servers::fresh();
  servers[1].known_to_agent = false;
  servers[2].probed = false;
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  ASSERT_THAT(held_by(plan), ElementsAre("MembersUnknown", "MembersUnknown"));
  EXPECT_THAT(plan.guards[0].text, HasSubstr("db-1's agent"));
  EXPECT_THAT(plan.guards[1].text, HasSubstr("db-2 has not been probed"));
}

TEST(Discovery, WaitsForAMemberWhoseServerIsDownOrSilentOrWithoutPod) {
  auto servers = Servers::fresh();
  servers[0].is_killed();
  servers[1].is_silent(std::chrono::seconds(5));
  servers[2].has_no_pod();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  ASSERT_THAT(held_by(plan), ElementsAre("MembersUnknown", "MembersUnknown", "MembersUnknown"));
  EXPECT_THAT(plan.guards[0].text, HasSubstr("process is backoff"));
  EXPECT_THAT(plan.guards[1].text, HasSubstr("for 5.0s"));
  EXPECT_THAT(plan.guards[2].text, HasSubstr("has no Pod"));
}

TEST(Discovery, DoesNotBelieveAnOldProbe) {
  auto servers = Servers::fresh();
  servers.pass(kStale);
  EXPECT_THAT(held_by(servers.decide()),
              ElementsAre("MembersUnknown", "MembersUnknown", "MembersUnknown"));
}

TEST(Discovery, DoesNotWaitForIsolatedMembers) {
  auto servers = Servers::fresh();
  servers[2].isolated = true;
  servers[2].has_no_pod();
  EXPECT_EQ(recorded(servers.decide()), "Form Promote to db-0, epoch 1");
}

TEST(Discovery, SaysThatAUnitIsMissing) {
  auto servers = Servers::fresh();
  servers[1].has_no_unit();
  expect_held(servers, "MemberMissing", R"(there is no Unit "db-1": take it out)");
  EXPECT_TRUE(servers.decide().forming) << "it may be on its way";
}

TEST(Discovery, SaysThatAccountsAreBeingMadeAndAfterAWhileWhatTheServerSays) {
  auto servers = Servers::fresh();
  servers[1].outcomes.clear();
  servers[1].refuses_password().probe.message = "SELECT command denied";
  expect_held(servers, "MembersUnknown", "db-1 is being given its accounts");
  servers[1].probe.since -= minutes(1);
  expect_held(servers, "MembersUnknown", "SELECT command denied");
}

TEST(Discovery, HoldsASourceThatIsNoMember) {
  auto servers = Servers::fresh();
  servers.topology.wanted = "db-9";
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("SourceNotListed"));
}

TEST(Discovery, HoldsASourceThatLacksTransactionsOfOthers) {
  auto servers = Servers::fresh();
  servers[0].has("db-0:1-5");
  servers[2].has("db-0:1-5 db-2:1-3");
  expect_held(servers, "SourceLacksTransactions", "db-2 has 3 transactions that db-0 lacks");
}

TEST(Discovery, FormsAroundASourceThatHoldsAllThatAnyoneHas) {
  auto servers = Servers::fresh();
  servers[0].has("db-0:1-5 db-2:1-3");
  servers[2].has("db-0:1-5");
  EXPECT_EQ(recorded(servers.decide()), "Form Promote to db-0, epoch 1");
}

TEST(Discovery, HoldsWhenSeveralMembersTakeWrites) {
  auto servers = Servers::formed();
  servers.record() = {};
  servers[2].is_source(1, 0);
  expect_held(servers, "SeveralWritable", "db-0, db-2");
}

TEST(Discovery, GivesTheProbesAccountToMembersThatRefuseIt) {
  auto servers = Servers::fresh();
  servers[1].ever_answered = false;
  servers[1].refuses_password();
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 EnsureAccounts"));
  EXPECT_THAT(held_by(plan), ElementsAre("MembersUnknown"));
}

TEST(Discovery, LooksAgainOnceTheAccountIsThere) {
  auto servers = Servers::fresh();
  servers[1].refuses_password().did(Verb::EnsureAccounts, 1);
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, ElementsAre("db-1"));
}

TEST(Discovery, SaysSoWhenThePasswordIsRefusedAllTheSame) {
  auto servers = Servers::fresh();
  servers[1].refuses_password().did(Verb::EnsureAccounts, 1);
  servers[1].probe.tried = servers.now;
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("CredentialsRefused", "MembersUnknown"));
}

// --- Form: promote, attach, open -----------------------------------------------------------------

Servers forming(Mode mode = Mode::SemiSync) {
  auto servers = Servers::fresh();
  servers.topology.mode = mode;
  servers.record() = *servers.decide().record;
  return servers;
}

TEST(Form, PromotesTheSourceAndAttachesTheOthersAtOnce) {
  const auto plan = forming().decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 Follow db-0", "db-2 Follow db-0", "db-0 Promote"));
  const auto promote = command(plan, "db-0", Verb::Promote);
  EXPECT_EQ(promote->acks, 1u);
  EXPECT_TRUE(promote->semi_sync);
  EXPECT_EQ(promote->epoch, Epoch{1});
  EXPECT_EQ(roles(plan), "db-0=None");
}

TEST(Form, OpensOnceItIsPromoted) {
  auto servers = forming();
  servers[0].did(Verb::Promote, 1);
  const auto plan = servers.decide();
  EXPECT_TRUE(command(plan, "db-0", Verb::Open));
  EXPECT_FALSE(command(plan, "db-0", Verb::Promote));
  EXPECT_EQ(command(plan, "db-0", Verb::Open)->acks, 1u);
  EXPECT_EQ(roles(plan), "db-0=Source");
}

TEST(Form, PromotesAgainWhatCannotBeOpened) {
  auto servers = forming();
  servers[0].did(Verb::Promote, 1).failed(Verb::Open, 1, "semi-sync is off: it was restarted");
  const auto plan = servers.decide();
  EXPECT_TRUE(command(plan, "db-0", Verb::Promote));
  EXPECT_FALSE(command(plan, "db-0", Verb::Open));
}

TEST(Form, EndsWhenTheSourceIsOpen) {
  auto servers = forming();
  servers[0].did(Verb::Promote, 1).did(Verb::Open, 1);
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 1");
  EXPECT_EQ(plan.record->last->type, OperationType::Form);
  EXPECT_FALSE(plan.record->last->undone);
}

TEST(Form, StepsOfAnEarlierEpochDoNotCount) {
  auto servers = forming();
  servers.record().epoch = Epoch{2};
  servers[0].did(Verb::Promote, 1).did(Verb::Open, 1);
  EXPECT_TRUE(command(servers.decide(), "db-0", Verb::Promote));
}

TEST(Form, AsynchronousSourcesWaitForNobody) {
  const auto servers = forming(Mode::Async);
  const auto plan = servers.decide();
  EXPECT_EQ(command(plan, "db-0", Verb::Promote)->acks, 0u);
  EXPECT_FALSE(command(plan, "db-0", Verb::Promote)->semi_sync);
  EXPECT_FALSE(command(plan, "db-1", Verb::Follow)->semi_sync);
}

TEST(Form, LeavesAReplicaAloneThatFollowsOrIsAboutTo) {
  auto servers = forming();
  servers[1].is_replica_of(servers[0]);
  servers[2].is_replica_of(servers[0]).hears_nothing();
  for (const int i : {1, 2}) servers[i].seen.semi_sync_replica.enabled = true;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Promote"));
}

TEST(Form, LooksAgainAtAReplicaThatWasJustToldToFollow) {
  auto servers = forming();
  servers[1].did(Verb::Follow, 1).with_peer("db-0");
  const auto plan = servers.decide();
  EXPECT_FALSE(command(plan, "db-1", Verb::Follow));
  EXPECT_THAT(plan.probe, ElementsAre("db-1"));
}

TEST(Form, WaitsForACandidateThatWasTakenOffTheList) {
  auto servers = forming();
  servers.record().operation->candidate = "db-9";
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("CandidateGone"));
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
