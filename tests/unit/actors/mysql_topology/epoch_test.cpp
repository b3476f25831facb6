// An agent that has seen a higher epoch than is on record: it refuses everything until the record
// is raised.
#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

TEST(StaleEpoch, IsRaisedAboveWhatAnyAgentHasSeen) {
  auto servers = Servers::formed();
  servers[1].agent.highest_epoch = Epoch{5};
  servers[2].agent.highest_epoch = Epoch{7};
  servers[2].is_closed();
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 8");
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=None") << "as if nothing were";
  ASSERT_EQ(plan.notes.size(), 1u);
  EXPECT_EQ(plan.notes[0].reason, "EpochRaised");
  EXPECT_EQ(plan.notes[0].text, "db-2 has seen epoch 7, 1 is on record: 8 is the next");
  servers.record() = *plan.record;
  const auto next = servers.decide();
  EXPECT_FALSE(next.record);
  EXPECT_EQ(command(next, "db-2", Verb::Follow)->epoch, Epoch{8});
}

TEST(StaleEpoch, IsNoneWhereTheAgentHasSeenTheRecordsOwn) {
  auto servers = Servers::formed();
  EXPECT_FALSE(servers.decide().record);
}

TEST(StaleEpoch, OfAnIsolatedMemberCountsToo) {
  auto servers = Servers::formed();
  servers[2].isolated = true;
  servers[2].agent.highest_epoch = Epoch{4};
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 5");
}

TEST(StaleEpoch, OfAMemberThatIsAwayOrAnothersDoesNotCount) {
  auto servers = Servers::formed();
  servers[1].agent.highest_epoch = Epoch{4};
  servers[1].has_lost_its_agent();
  EXPECT_FALSE(servers.decide().record);
  servers = Servers::formed();
  servers[2].agent.highest_epoch = Epoch{4};
  servers[2].belongs_to("orders").isolated = true;
  EXPECT_FALSE(servers.decide().record);
}

// --- what no record can go beyond ----------------------------------------------------------------

class ImpossibleEpoch : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ImpossibleEpoch, OfAnAgentIsToldAndCountsForNothing) {
  auto servers = Servers::formed();
  servers[2].agent.highest_epoch = Epoch{GetParam()};
  auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_FALSE(plan.ready);
  EXPECT_THAT(held_by(plan), ElementsAre("EpochOutOfRange"));
  EXPECT_THAT(plan.guards[0].text, HasSubstr(std::to_string(GetParam())));
  EXPECT_THAT(plan.guards[0].text, HasSubstr("write 1 and a newline into troupe/epoch"));
  servers[1].agent.highest_epoch = Epoch{4};
  plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 5") << "others are counted on from";
  EXPECT_THAT(held_by(plan), ElementsAre("EpochOutOfRange"));
}

TEST_P(ImpossibleEpoch, OfAnAgentDoesNotHoldTheOthersUp) {
  auto servers = Servers::formed(5);
  servers[4].agent.highest_epoch = Epoch{GetParam()};
  servers[0].is_killed();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
  auto fresh = Servers::fresh();
  fresh[2].agent.highest_epoch = Epoch{GetParam()};
  EXPECT_EQ(recorded(fresh.decide()), "Form Promote to db-0, epoch 1");
}

TEST_P(ImpossibleEpoch, OnRecordIsNeverFollowedByAnother) {
  auto servers = Servers::formed();
  servers.record().epoch = Epoch{GetParam()};
  servers[0].is_killed();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(plan.notes, IsEmpty());
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(held_by(plan), Contains("EpochsExhausted"));
}

INSTANTIATE_TEST_SUITE_P(Numbers, ImpossibleEpoch,
                         ::testing::Values(kMaxEpoch.value, kMaxEpoch.value + 1,
                                           std::uint64_t{1} << 63, ~std::uint64_t{0}));

TEST(HighestEpoch, OnRecordIsAsGoodAsAnyWhileNoRoleChanges) {
  auto servers = Servers::formed();
  servers.record().epoch = kMaxEpoch;
  for (auto& server : servers.list) server.agent.highest_epoch = kMaxEpoch;
  EXPECT_TRUE(servers.decide().ready);
  servers[2].is_closed();
  EXPECT_EQ(command(servers.decide(), "db-2", Verb::Follow)->epoch, kMaxEpoch);
}

struct InFlight {
  OperationType type;
  Step step;
  std::string candidate;
  std::vector<std::string> asked_again;
};
class StaleEpochInFlight : public ::testing::TestWithParam<InFlight> {};

// Under the new epoch nothing that was answered before counts, as after a restart.
TEST_P(StaleEpochInFlight, KeepsTheOperationAndTakesItsStepAgain) {
  const auto& tested = GetParam();
  auto servers = Servers::formed();
  const auto op =
      servers.begin(tested.type, tested.step, tested.type == OperationType::Rebuild ? "" : "db-0",
                    tested.candidate);
  servers.record().operation->gtids = gtids("db-0:1-10").to_string();
  for (auto& server : servers.list)
    for (const auto verb : {Verb::StopReceiver, Verb::Close, Verb::Drain, Verb::Promote,
                            Verb::Clone, Verb::SaveTransactions})
      server.did(verb, 2, "db-0:1-10");
  if (tested.type == OperationType::Failover) servers[0].is_killed();
  if (tested.type == OperationType::Rebuild) servers[1].is_closed();
  servers[2].agent.highest_epoch = Epoch{6};
  auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_EQ(plan.record->epoch, Epoch{7});
  ASSERT_TRUE(plan.record->operation);
  EXPECT_EQ(*plan.record->operation, *servers.record().operation);
  EXPECT_EQ(plan.record->current, servers.record().current);
  servers.record() = *plan.record;
  plan = servers.decide();
  EXPECT_FALSE(plan.record);
  for (const auto& step : tested.asked_again) EXPECT_THAT(asked(plan), Contains(step));
  for (const auto& c : plan.commands) EXPECT_EQ(c.epoch, Epoch{7});
}

INSTANTIATE_TEST_SUITE_P(
    Operations, StaleEpochInFlight,
    ::testing::Values(InFlight{OperationType::Form, Step::Promote, "db-0", {"db-0 Promote"}},
                      InFlight{OperationType::Failover,
                               Step::StopReceivers,
                               "",
                               {"db-1 StopReceiver", "db-2 StopReceiver"}},
                      InFlight{OperationType::Failover, Step::Promote, "db-1", {"db-1 Promote"}},
                      InFlight{OperationType::Switchover, Step::Close, "db-1", {"db-0 Close"}},
                      InFlight{OperationType::Switchover, Step::CatchUp, "db-1", {"db-1 Drain"}},
                      InFlight{OperationType::Switchover, Step::Promote, "db-1", {"db-1 Promote"}},
                      InFlight{OperationType::Switchover, Step::Reopen, "db-1", {"db-0 Promote"}},
                      InFlight{
                          OperationType::Rebuild, Step::Save, "db-1", {"db-1 SaveTransactions"}},
                      InFlight{OperationType::Rebuild, Step::Clone, "db-1", {"db-1 StopReceiver"}}),
    [](const auto& tested) {
      return std::string(to_string(tested.param.type)) + std::string(to_string(tested.param.step));
    });

}  // namespace
}  // namespace troupe::mysql_topology::testing
