// A member whose data cannot be used any more gets a healthy one's.
#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

// db-0 took over from db-2, which came back with two transactions that nobody else has.
Servers with_errant() {
  auto servers = Servers::formed();
  servers[0].has("db-0:1-10 db-2:1-7");
  servers[1].has("db-0:1-10 db-2:1-7");
  servers[2].is_closed().has("db-2:1-9");
  return servers;
}

Servers rebuilding(Step step) {
  auto servers = with_errant();
  auto& op = servers.begin(OperationType::Rebuild, step, "", "db-2");
  op.gtids = gtids("db-2:8-9").to_string();
  if (step == Step::Clone) servers.record().quorum.recovering = {"db-2"};
  return servers;
}

// Before any of them is thrown away.
TEST(Rebuild, ThatItsDataAreThrownAwayIsWrittenDownWithTheStepThatDoesSo) {
  EXPECT_THAT(with_errant().decide().record->quorum.recovering, IsEmpty());
  auto servers = rebuilding(Step::Save);
  servers[2].did(Verb::SaveTransactions, 2);
  EXPECT_THAT(servers.decide().record->quorum.recovering, ElementsAre("db-2"));

  auto behind = Servers::formed();
  behind[0].seen.gtid_purged = gtids("db-0:1-9");
  behind[2].has("db-0:1-3");
  const auto plan = behind.decide();
  EXPECT_EQ(recorded(plan), "Rebuild Clone to db-2, epoch 2");
  EXPECT_THAT(plan.record->quorum.recovering, ElementsAre("db-2"));
}

TEST(Rebuild, IsNoProofThatTheMemberHasAllAgain) {
  auto servers = rebuilding(Step::Clone);
  servers[2].did(Verb::Clone, 2);
  EXPECT_THAT(servers.decide().record->quorum.recovering, ElementsAre("db-2"));
}

TEST(Rebuild, BeginsBySavingWhatNobodyElseHas) {
  const auto plan = with_errant().decide();
  EXPECT_EQ(recorded(plan), "Rebuild Save to db-2, epoch 2");
  EXPECT_EQ(mysql::GtidSet::parse(plan.record->operation->gtids).value(), gtids("db-2:8-9"));
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("2 transactions that nobody else has"));
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=None");
}

TEST(Rebuild, BeginsAlsoWhileWritesWaitForTheMembersAcknowledgement) {
  auto servers = with_errant();
  servers[0].seen.semi_sync_source.clients = 0;
  EXPECT_EQ(recorded(servers.decide()), "Rebuild Save to db-2, epoch 2");
}

TEST(Rebuild, WaitsForASourceThatCanBeComparedWith) {
  auto servers = with_errant();
  servers[0].is_silent(std::chrono::seconds(1));
  servers[0].probe.seen = servers.now - kStale - std::chrono::milliseconds(1);
  EXPECT_FALSE(servers.decide().record);
}

TEST(Rebuild, BeginsAtOnceWhereOnlyBinlogsAreMissing) {
  auto servers = Servers::formed();
  servers[0].has_purged("db-0:1-8");
  servers[2].is_closed().has("db-0:1-5");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Rebuild Clone to db-2, epoch 2");
  EXPECT_THAT(held_by(plan), ElementsAre("PurgedAtSource"));
}

TEST(Rebuild, SavesFirst) {
  const auto plan = rebuilding(Step::Save).decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 SaveTransactions"));
  EXPECT_EQ(command(plan, "db-2", Verb::SaveTransactions)->gtids, gtids("db-2:8-9"));
}

TEST(Rebuild, ReportsWhatIsGoneAndWhereItWasSaved) {
  auto servers = rebuilding(Step::Save);
  servers[2].did(Verb::SaveTransactions, 2);
  servers[2].outcomes[Verb::SaveTransactions].saved_to = "/data/troupe/saved/x";
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Rebuild Clone to db-2, epoch 2");
  ASSERT_EQ(plan.record->lost.size(), 1u);
  EXPECT_EQ(plan.record->lost[0].member, "db-2");
  EXPECT_EQ(plan.record->lost[0].saved_to, "/data/troupe/saved/x");
  EXPECT_EQ(mysql::GtidSet::parse(plan.record->lost[0].gtids).value(), gtids("db-2:8-9"));
}

TEST(Rebuild, CompletesTheReportOfTheFailoverThatLeftThemBehind) {
  auto servers = rebuilding(Step::Save);
  servers.record().lost = {{.member = "db-2", .epoch = Epoch{1}}};
  servers[2].did(Verb::SaveTransactions, 2);
  const auto plan = servers.decide();
  ASSERT_EQ(plan.record->lost.size(), 1u);
  EXPECT_FALSE(plan.record->lost[0].gtids.empty());
}

TEST(Rebuild, KeepsTheLastReportsOnly) {
  auto servers = rebuilding(Step::Save);
  for (std::uint64_t i = 0; i < kMaxLost; ++i)
    servers.record().lost.push_back({.member = "db-1", .gtids = "x", .epoch = Epoch{i}});
  servers[2].did(Verb::SaveTransactions, 2);
  const auto plan = servers.decide();
  ASSERT_EQ(plan.record->lost.size(), kMaxLost);
  EXPECT_EQ(plan.record->lost.back().member, "db-2");
}

TEST(Rebuild, HasNothingToSaveOfDataThatWasReplacedMeanwhile) {
  auto servers = rebuilding(Step::Save);
  servers[2].has("").failed(Verb::SaveTransactions, 2, "not in the binary logs here");
  servers[2].outcomes[Verb::SaveTransactions].error.code = Code::NotFound;
  EXPECT_EQ(recorded(servers.decide()), "Rebuild Clone to db-2, epoch 2");
}

// Of data that was cloned, the binary logs do not tell.
TEST(Rebuild, WhatAnotherMemberHasSavedNeedsNotBeSavedAgain) {
  auto servers = rebuilding(Step::Save);
  servers[2].failed(Verb::SaveTransactions, 2, "not in the binary logs here");
  servers[2].outcomes[Verb::SaveTransactions].error.code = Code::NotFound;
  auto& lost = servers.record().lost;
  lost.push_back({.member = "db-1", .gtids = gtids("db-2:8").to_string(), .saved_to = "/save/1"});
  EXPECT_THAT(held_by(servers.decide()), Contains("CannotSave"));
  lost.push_back({.member = "db-1", .gtids = gtids("db-2:7-9").to_string()});
  EXPECT_THAT(held_by(servers.decide()), Contains("CannotSave"));
  lost.back().saved_to = "/save/2";
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Rebuild Clone to db-2, epoch 2");
  EXPECT_EQ(plan.record->lost.size(), 2u);
}

TEST(Rebuild, StopsTheMembersReceiverBeforeItsDataIsReplaced) {
  auto servers = rebuilding(Step::Clone);
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 StopReceiver"));
}

TEST(Rebuild, ClonesFromAReplicaRatherThanFromTheSource) {
  auto servers = rebuilding(Step::Clone);
  servers[2].did(Verb::StopReceiver, 2, "db-2:1-9");
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Clone db-1"));
  servers[1].is_killed();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Clone db-0"));
}

TEST(Rebuild, ClonesFromTheReplicaThatIsLeastBehind) {
  auto servers = Servers::formed(4);
  servers.begin(OperationType::Rebuild, Step::Clone, "", "db-3");
  servers.record().operation->gtids = gtids("db-3:1").to_string();
  servers[3].has("db-0:1-10 db-3:1").did(Verb::StopReceiver, 2, "db-0:1-10 db-3:1");
  servers[1].seen.replica->seconds_behind = 9;
  servers[2].seen.replica->seconds_behind = 3;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-3 Clone db-2"));
}

// What it acknowledged once must still be on it afterwards: a quorum counts on that.
TEST(Rebuild, ClonesFromADonorThatHasAllThatTheMemberVouchedFor) {
  auto servers = rebuilding(Step::Clone);
  servers[1].has("db-0:1-10 db-2:1-6", "db-2:1-7");
  servers[2].did(Verb::StopReceiver, 2, "db-2:1-9");
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Clone db-0"));
}

TEST(Rebuild, ClonesFromNobodyWhoHasTransactionsOfItsOwn) {
  auto servers = rebuilding(Step::Clone);
  servers[1].has("db-0:1-10 db-2:1-8");
  servers[2].did(Verb::StopReceiver, 2, "db-2:1-9");
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Clone db-0"));
}

TEST(Rebuild, WaitsForACloneThatIsUnderWay) {
  auto servers = rebuilding(Step::Clone);
  servers[2].agent.operation = agent::OperationProgress{.kind = "Clone"};
  EXPECT_THAT(asked(servers.decide()), IsEmpty());
}

// CLONE empties the server first and opens it for its own writes.
TEST(Rebuild, IsNotOverWhenTheDataIsGoneAndTheCloneStillUnderWay) {
  auto servers = rebuilding(Step::Clone);
  servers[2].has("");
  servers[2].seen.super_read_only = false;
  servers[2].agent.operation = agent::OperationProgress{.kind = "Clone"};
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), IsEmpty());
}

TEST(Rebuild, ACloneThatNobodyRemembersIsAwaitedAndNotClosed) {
  auto servers = Servers::formed();
  servers[2].has("");
  servers[2].seen.super_read_only = false;
  servers[2].agent.operation = agent::OperationProgress{.kind = "Clone"};
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ::testing::Not(Contains("db-2 Close")));
  EXPECT_EQ(recorded(plan), "Rebuild Clone to db-2, epoch 2");
}

TEST(Rebuild, SaysSoWhenTransactionsCannotBeSaved) {
  auto servers = rebuilding(Step::Save);
  servers[2].failed(Verb::SaveTransactions, 2, "x is not in the binary logs here");
  servers[2].outcomes[Verb::SaveTransactions].error.code = Code::NotFound;
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record) << "they are still there";
  EXPECT_THAT(held_by(plan), Contains("CannotSave"));
  EXPECT_THAT(asked(plan), ElementsAre("db-2 SaveTransactions"));
}

TEST(Rebuild, NeedsNoDonorForWhatTheMemberOnlyReceivedFromAFallenSource) {
  auto servers = rebuilding(Step::Clone);
  servers[2].did(Verb::StopReceiver, 2, "db-2:1-9", "db-1:1-3");
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Clone db-1"));
}

TEST(Rebuild, NeedsNoDonorForWhatItsSourceWaitsForOnceNoneOfItsAcknowledgementsCanArrive) {
  auto servers = rebuilding(Step::Clone);
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-11 db-2:1-9");
  servers[2].outcomes[Verb::StopReceiver].at = servers[0].seen.seen - seconds(1);
  auto& side = servers[0].seen.semi_sync_source;
  side.clients = 0;
  EXPECT_THAT(asked(servers.decide()), Contains("db-2 Clone db-1"));
  side.wait_for_replica_count = 2;
  EXPECT_THAT(held_by(servers.decide()), Contains("NoDonor")) << "one of two may have been its own";
}

TEST(Rebuild, WaitsForADonor) {
  auto servers = rebuilding(Step::Clone);
  // It has acknowledged a transaction that its source has not committed yet.
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-11 db-2:1-9");
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(held_by(plan), Contains("NoDonor"));
}

TEST(Rebuild, WaitsForASourceThatWasNeverSeen) {
  auto servers = rebuilding(Step::Clone);
  servers[2].did(Verb::StopReceiver, 2, "db-2:1-9");
  servers[0].probed = false;  // the operator has just started
  EXPECT_THAT(asked(servers.decide()), IsEmpty());
}

TEST(Rebuild, HasNothingToSaveOfHalfAClone) {
  auto servers = rebuilding(Step::Save);
  servers[2].is_killed().agent.data = agent::DataState::ClonePartial;
  EXPECT_EQ(recorded(servers.decide()), "Rebuild Clone to db-2, epoch 2");
}

TEST(Rebuild, IsNotBegunOnWhatWasSeenBeforeTheLastStep) {
  auto servers = with_errant();
  servers[2].did(Verb::Clone, 1, "db-0:1-10 db-2:1-7");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(plan.probe, ElementsAre("db-2"));
}

TEST(Rebuild, IsNotBegunAgainForACloneThatItsAgentWasSeenToMakeBeforeItWasDone) {
  auto servers = Servers::formed();
  servers[2].did(Verb::Clone, 1, "db-0:1-10");
  const auto done = servers[2].outcomes[Verb::Clone].at;
  servers[2].agent.seen = done - milliseconds(1);
  servers[2].agent.operation = agent::OperationProgress{.id = "1", .kind = "Clone"};
  EXPECT_FALSE(servers.decide().record);
  servers[2].agent.seen = done + milliseconds(1);  // it is another one
  EXPECT_EQ(recorded(servers.decide()), "Rebuild Clone to db-2, epoch 2");
}

TEST(Rebuild, ClonesAgainWhatHasNoServerToAsk) {
  auto servers = rebuilding(Step::Clone);
  servers[2].is_killed().agent.data = agent::DataState::ClonePartial;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Clone db-1"));
}

TEST(Rebuild, EndsForAMemberThatWasGivenOtherDataMeanwhile) {
  auto servers = rebuilding(Step::Clone);
  servers[2].has("db-0:1-10");  // by a clone that an earlier operator had asked for
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 2");
}

TEST(Rebuild, WaitsForTheAgentOfTheMember) {
  auto servers = rebuilding(Step::Clone);
  servers[2].has_lost_its_agent();
  EXPECT_THAT(held_by(servers.decide()), Contains("CandidateUnusable"));
}

TEST(Rebuild, EndsWhenTheMemberHasItsNewData) {
  auto servers = rebuilding(Step::Clone);
  servers[2].did(Verb::StopReceiver, 2, "db-2:1-9").did(Verb::Clone, 2, "db-0:1-10");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_EQ(plan.record->last->type, OperationType::Rebuild);
}

TEST(Rebuild, KeepsTheOthersInTheirRolesMeanwhile) {
  auto servers = rebuilding(Step::Clone);
  servers[2].did(Verb::StopReceiver, 2, "db-2:1-9");
  servers[1].seen.super_read_only = false;
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), Contains("db-1 Close"));
  EXPECT_THAT(asked(plan), Contains("db-2 Clone db-0"));
  EXPECT_FALSE(plan.ready);
}

TEST(Rebuild, GivesWayToTheFailoverOfADeadSource) {
  auto servers = Servers::formed(4);
  servers.begin(OperationType::Rebuild, Step::Clone, "", "db-3");
  servers[0].is_killed();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 3");
}

TEST(Rebuild, AMemberWithoutWholeDataVouchesForNothingInAFailover) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  servers[0].is_killed();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-10");
  servers[2].agent.data = agent::DataState::ClonePartial;
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "QuorumMissing"), HasSubstr("db-2's clone is not complete"));
}

TEST(Rebuild, EndsForAMemberThatWasTakenOffTheList) {
  auto servers = rebuilding(Step::Clone);
  servers.list.pop_back();
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_TRUE(plan.record->last->undone);
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
