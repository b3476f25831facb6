// What ails members that work: volumes that fill up, clones that do not fit, weak settings.
#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

TEST(Volume, NearlyFullIsATwentiethOrAGiB) {
  struct Case {
    std::uint64_t free_mib, total_mib;
    bool low;
  };
  for (const auto& [free_mib, total_mib, low] :
       {Case{52, 1024, false}, Case{51, 1024, true}, Case{1024, 100 * 1024, false},
        Case{1023, 100 * 1024, true}, Case{0, 0, false}}) {
    auto servers = Servers::formed();
    servers[1].has_volume(free_mib, total_mib);
    const auto plan = servers.decide();
    EXPECT_EQ(!text_of(plan, "VolumeNearlyFull").empty(), low) << free_mib << " of " << total_mib;
    EXPECT_EQ(plan.ready, !low);
  }
}

TEST(Volume, OfAMemberWhoseAgentIsAwayIsNotJudged) {
  auto servers = Servers::formed();
  servers[1].has_volume(0, 1024).has_lost_its_agent();
  EXPECT_EQ(text_of(servers.decide(), "VolumeNearlyFull"), "");
}

TEST(Volume, ThatFillsUpAtTheSourceMovesItsRoleToOneWithRoom) {
  auto servers = Servers::formed();
  servers[0].has_volume(10, 1024);
  servers[1].has_volume(10, 1024);
  servers[2].has_volume(500, 1024);
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Switchover Close from db-0 to db-2, epoch 2");
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("db-0 has 10 MiB of 1024 MiB left"));
}

TEST(Volume, ThatFillsUpEverywhereMovesNothing) {
  auto servers = Servers::formed();
  for (auto& server : servers.list) server.has_volume(10, 1024);
  EXPECT_FALSE(servers.decide().record);
}

TEST(Volume, ThatIsFullSpeaksAgainstACandidate) {
  auto servers = Servers::formed();
  servers[1].has_volume(10, 1024);
  servers.topology.wanted = "db-1";
  EXPECT_THAT(refused_by(servers.decide()), ElementsAre("CandidateVolumeFull"));
}

// A member to be cloned from db-2, which has 3,000 MiB.
Servers cloning() {
  auto servers = Servers::formed();
  servers.begin(OperationType::Rebuild, Step::Clone, "", "db-1");
  servers[0].has_volume(9000, 10000, 3000);
  servers[2].has_volume(9000, 10000, 3000);
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10");
  return servers;
}

TEST(CloneSpace, CountsWhatTheMemberHasItselfAndATwentiethOfGrowth) {
  auto servers = cloning();
  servers[1].has_volume(2000, 10000, 1200);
  const auto plan = servers.decide();
  EXPECT_EQ(command(plan, "db-1", Verb::Clone)->needed_bytes, std::uint64_t{1950} << 20);
}

TEST(CloneSpace, ThatIsMissingHoldsTheCloneAndIsSaid) {
  auto servers = cloning();
  servers[1].has_volume(1949, 10000, 1200);
  const auto plan = servers.decide();
  EXPECT_FALSE(command(plan, "db-1", Verb::Clone));
  EXPECT_THAT(text_of(plan, "CloneNeedsSpace"), HasSubstr("needs 1950 MiB more"));
  EXPECT_THAT(text_of(plan, "CloneNeedsSpace"), HasSubstr("1949 MiB are free"));
}

TEST(CloneSpace, ThatNobodyKnowsHoldsNothing) {
  const auto plan = cloning().decide();
  ASSERT_TRUE(command(plan, "db-1", Verb::Clone));
}

// --- settings ------------------------------------------------------------------------------------

TEST(Settings, ThatSomebodyWeakenedInARunningServerAreToldAndItGoesOn) {
  auto servers = Servers::formed();
  servers[1].seen.durability.sync_binlog = 1;
  EXPECT_TRUE(servers.decide().ready);
  servers[1].seen.durability.sync_binlog = 0;
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.ready);
  EXPECT_THAT(text_of(plan, "SettingWeakened"),
              HasSubstr("db-1: sync_binlog is 0, expected 1: a crash of the node loses"));
  EXPECT_TRUE(plan.writable);
  EXPECT_FALSE(plan.record);
}

TEST(Settings, OfSemiSyncMatterWhereItIsUsed) {
  for (const auto mode : {Mode::SemiSync, Mode::Async}) {
    auto servers = Servers::formed(3, mode);
    servers[0].seen.durability.relay_log_recovery = true;
    EXPECT_EQ(text_of(servers.decide(), "SettingWeakened").empty(), mode == Mode::Async);
  }
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
