// Members whose Units belong to another replication, or to nobody yet: what is done without them.
#include <functional>

#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

// The last one has been taken by "orders"; as long as it may hold something alone, it counts.
Servers robbed(int count = 3) {
  auto servers = Servers::formed(count);
  servers[count - 1].belongs_to("orders").elsewhere.seen -= seconds(1);
  // It was seen before its replicas, and without the one that is gone.
  servers[0].seen.seen -= milliseconds(10);
  servers[0].seen.semi_sync_source.clients = static_cast<std::uint32_t>(count - 2);
  return servers;
}

Servers left_out(int count = 3) {
  auto servers = robbed(count);
  servers.take_out(count - 1);
  return servers;
}

// --- what is not formed yet ----------------------------------------------------------------------

TEST(Owner, OfOneMemberHoldsTheFormationOfTheRest) {
  auto servers = Servers::fresh();
  servers[1].belongs_to("orders");
  servers[2].refuses_password();
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("MemberOfAnother"));
  EXPECT_EQ(plan.guards[0].text,
            R"(Unit "db-1" belongs to MysqlReplication "orders": take it out of one of the two, )"
            "or delete the other");
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_FALSE(plan.forming) << "waiting alone does not help";
}

TEST(Owner, OfAnIsolatedMemberHoldsNothing) {
  auto servers = Servers::fresh();
  servers[2].belongs_to("orders").isolated = true;
  EXPECT_EQ(recorded(servers.decide()), "Form Promote to db-0, epoch 1");
}

TEST(Owner, IsWaitedForWhereTheUnitBelongsToNobody) {
  auto servers = Servers::fresh();
  servers[1].is_unclaimed();
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("MemberUnclaimed"));
  EXPECT_TRUE(plan.forming);
}

// --- what is formed ------------------------------------------------------------------------------

TEST(Owner, OfAReplicaIsNamedAndTheOthersGoOn) {
  const auto plan = left_out().decide();
  EXPECT_THAT(held_by(plan), ElementsAre("MemberOfAnother"));
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, IsEmpty());
  EXPECT_TRUE(plan.writable);
  EXPECT_FALSE(plan.ready);
}

TEST(Owner, OfTheSourceHoldsEverythingStill) {
  auto servers = Servers::formed();
  servers[0].belongs_to("orders");
  servers[1].is_closed();
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("MemberOfAnother"));
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_FALSE(plan.record);
  EXPECT_EQ(roles(plan), "db-0=None");
}

TEST(Owner, OfTheSourceHoldsAnOperationInFlight) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  servers[0].belongs_to("orders");
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_FALSE(plan.record);
}

TEST(Owner, IsNotCommandedEvenIfItIsIsolated) {
  auto servers = Servers::formed();
  servers[2].belongs_to("orders").isolated = true;
  EXPECT_THAT(asked(servers.decide()), IsEmpty());
}

TEST(Owner, OfACandidateRefusesTheOrder) {
  auto servers = left_out();
  servers.topology.order_by_note = "db-2";
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(refused_by(plan), ElementsAre("MemberOfAnother"));
}

TEST(Owner, OfACandidateGivesTheSwitchoverUp) {
  for (const auto step : {Step::Close, Step::CatchUp}) {
    auto servers = Servers::formed();
    servers.begin(OperationType::Switchover, step, "db-0", "db-2");
    servers[2].belongs_to("orders");
    EXPECT_EQ(recorded(servers.decide()), "Switchover Reopen from db-0 to db-2, epoch 2");
  }
}

TEST(Owner, OfAMemberToRebuildEndsThat) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Rebuild, Step::Clone, "", "db-2");
  servers[2].belongs_to("orders");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_TRUE(plan.record->last->undone);
}

TEST(Owner, MissingForAMomentMeansThatNobodyIsCommandedAndNothingElseChanges) {
  auto servers = Servers::formed();
  for (auto& server : servers.list) server.is_unclaimed();
  servers[1].is_closed();
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_FALSE(plan.record);
}

// --- the quorum without it -----------------------------------------------------------------------

TEST(Owner, TakesAMemberOutOfTheQuorumOnceOthersHoldWhatTheSourceHas) {
  const auto plan = robbed().decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.members, ElementsAre("db-0", "db-1"));
  EXPECT_EQ(plan.record->epoch, Epoch{1});
}

struct Doubt {
  std::string name;
  std::function<void(Servers&)> raise;
};
class StillCounts : public ::testing::TestWithParam<Doubt> {};

TEST_P(StillCounts, AMemberThatMayHoldSomethingAlone) {
  auto servers = robbed();
  GetParam().raise(servers);
  const auto plan = servers.decide();
  EXPECT_TRUE(!plan.record || plan.record->quorum == servers.record().quorum);
  EXPECT_EQ(servers.told().quorum(), 2);
}

INSTANTIATE_TEST_SUITE_P(
    Because, StillCounts,
    ::testing::Values(
        Doubt{"AnotherReplicaLags", [](Servers& s) { s[1].has("db-0:1-9", "db-0:1-9"); }},
        Doubt{"AnotherReplicaIsAway", [](Servers& s) { s[1].is_killed(); }},
        Doubt{"AnotherReplicaWasSeenBeforeTheSource",
              [](Servers& s) { s[1].seen.seen -= milliseconds(20); }},
        Doubt{"SomebodyElseIsAttached", [](Servers& s) { s[0].seen.semi_sync_source.clients = 2; }},
        Doubt{"ItFollowsTheSourceStill",
              [](Servers& s) { s[2].elsewhere.replica = s[2].seen.replica; }},
        Doubt{"ItWasSeenApartAfterTheSourceWasLookedAt",
              [](Servers& s) { s[2].elsewhere.seen = s[0].seen.seen + milliseconds(1); }},
        Doubt{"ItsOwnerDoesNotReachIt",
              [](Servers& s) { s[2].probe.reachability = mysql::Reachability::Timeout; }},
        Doubt{"TheSourceIsSilent", [](Servers& s) { s[0].is_silent(seconds(1)); }}),
    [](const auto& tested) { return tested.param.name; });

TEST(Owner, OfOneThatCountsNoMoreLetsTheOthersFailOver) {
  auto servers = left_out();
  EXPECT_EQ(servers.told().quorum(), 1);
  servers[0].is_killed();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
}

TEST(Owner, OfOneThatStillCountsHoldsAFailoverBack) {
  auto servers = robbed();
  servers[0].is_killed();
  EXPECT_THAT(held_by(servers.decide()), ElementsAre("QuorumMissing", "SourceDead"));
}

TEST(Owner, OfAMemberThatComesBackCountsAgainBeforeItAcknowledges) {
  auto servers = left_out();
  servers[2] = Servers::formed()[2];
  servers[2].seen.seen -= milliseconds(20);
  auto plan = servers.decide();
  ASSERT_TRUE(command(plan, "db-2", Verb::Follow));
  EXPECT_FALSE(command(plan, "db-2", Verb::Follow)->semi_sync);
  servers[2].seen.semi_sync_replica.enabled = false;
  servers[2].seen.seen = servers.now;
  plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.members, ElementsAre("db-0", "db-1", "db-2"));
  servers.record() = *plan.record;
  servers[0].seen.seen = servers.now;
  EXPECT_TRUE(command(servers.decide(), "db-2", Verb::Follow)->semi_sync);
}

// --- copied volumes ------------------------------------------------------------------------------

Servers with_twins(int one, int other) {
  auto servers = Servers::formed();
  servers[one].agent.server_uuid = servers[other].agent.server_uuid = "a-uuid";
  return servers;
}

TEST(Twin, OfTheSourceIsNeverToldAnythingAndTheOthersGoOn) {
  auto servers = with_twins(0, 2);
  servers[2].seen.replica.reset();
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("SameServerUuid"));
  EXPECT_THAT(plan.guards[0].text,
              ::testing::HasSubstr("db-2 has the server UUID of db-0 (a-uuid), as a volume has "
                                   "that was copied with its auto.cnf: remove that file"));
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=None");
}

TEST(Twin, IsTheOneThatIsNotTheSourceWhateverTheNames) {
  auto servers = with_twins(0, 2);
  servers.record().current = "db-2";
  const auto told = servers.told();
  EXPECT_EQ(told.members[0].twin_of, "db-2");
  EXPECT_EQ(told.members[2].twin_of, "");
}

TEST(Twin, OfAReplicaIsNoCandidateForASwitchover) {
  auto servers = with_twins(1, 2);
  servers[2].seen.replica.reset();
  servers.topology.order_by_note = "db-2";
  const auto plan = servers.decide();
  EXPECT_THAT(refused_by(plan), ElementsAre("SameServerUuid"));
}

TEST(Twin, HoldsWhatIsNotFormedYet) {
  auto servers = Servers::fresh();
  servers[1].agent.server_uuid = servers[2].agent.server_uuid = "a-uuid";
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("SameServerUuid"));
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
