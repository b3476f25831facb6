// Acceptance behaviours on real servers, named by their ids in docs/acceptance.md: volumes that
// fill up. Each volume here is a file system of its own.
#include "tests/e2e/mysql_acceptance.hpp"
#include "tests/oracle/fault_soak.hpp"

namespace troupe::e2e {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class MysqlVolumes : public MysqlAcceptance {
 public:
  static void SetUpTestSuite() { bring_up({}, "ext4"); }
};

// Less than a twentieth is left, and the server can still be closed.
TEST_F(MysqlVolumes, A22ASourceWhoseVolumeFillsUpHandsItsRoleToOneWithRoom) {
  const auto full = source();
  const auto before = epoch();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  fill_volume(full, 64 * kMiB);
  ASSERT_TRUE(is_replaced(full));
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(says("VolumeNearlyFull"));
  EXPECT_NE(last_operation().find("\"type\":\"Switchover\""), std::string::npos);
  EXPECT_EQ(epoch(), before + 1) << "nobody took it for dead";
  heal();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(full));
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlVolumes, A23AReplicaWhoseVolumeIsFullHoldsNobodyUpAndComesBackOnceThereIsRoom) {
  const auto full = replica();
  const auto before = epoch();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto from = std::chrono::steady_clock::now();
  fill_volume(full, 0);
  EXPECT_TRUE(says("VolumeNearlyFull"));
  ASSERT_TRUE(load.flows(2000)) << "the other one acknowledges";
  EXPECT_LT(load.writers().longest_gap(from, std::chrono::steady_clock::now()), seconds(5));
  heal();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(full));
  EXPECT_EQ(epoch(), before);
  EXPECT_TRUE(load.nothing_lost());
}

// One of ./dev soak faults (docs/simulation.md), so that it goes on working.
TEST_F(MysqlVolumes, AfterAScheduleOfFaultsNothingIsLostAndEverythingIsWhole) {
  const oracle::OperatorControl control{.kill =
                                            [] {
                                              cluster().kill_operator();
                                              return !HasFatalFailure();
                                            },
                                        .start =
                                            [] {
                                              cluster().start_operator();
                                              return !HasFatalFailure();
                                            }};
  const auto schedule = oracle::fault_schedule(2697, {.bursts = 1, .faults_in_a_burst = 5});
  SCOPED_TRACE(to_string(schedule));
  const auto result = oracle::run_schedule(cluster().kubectl(), schedule, control);
  EXPECT_EQ(result.problem, "");
  EXPECT_LE(result.not_possible, 1) << "of " << result.faults;
  EXPECT_GT(result.acknowledged, 400u);
}

}  // namespace
}  // namespace troupe::e2e
