// Seeds, and proofs that the invariants can fail.
//
//   sim_mysql_topology                              the seeds of CI
//   TROUPE_SEEDS=0..1000000 sim_mysql_topology --gtest_filter='*Seeds*'
//   TROUPE_SEEDS=4711 sim_mysql_topology --gtest_filter='*Seeds*'    one seed, with its story
#include <gtest/gtest.h>

#include <iostream>

#include "tests/sim/mysql_topology/simulation.hpp"
#include "tests/sim/seeds.hpp"

namespace troupe::mysql_topology::sim {
namespace {

constexpr std::uint64_t kSeeds = 2000;
constexpr std::uint64_t kSeedsToCatchAMutant = 4000;
constexpr std::size_t kFailuresShown = 5;

void show(const Run& run) {
  for (const auto& line : run.story) std::cout << line << '\n';
}

TEST(TopologySimulation, HoldsItsInvariantsForAllSeeds) {
  const auto seeds = troupe::sim::seeds_or({0, kSeeds});
  std::size_t failed = 0, acknowledged = 0, changes = 0, rebuilds = 0, left_out = 0;
  std::uint64_t decisions = 0;
  for (auto seed = seeds.from; seed < seeds.to; ++seed) {
    const auto run = simulate(seed, seeds.to - seeds.from == 1);
    show(run);
    acknowledged += run.acknowledged;
    changes += run.changes;
    rebuilds += run.rebuilds;
    left_out += run.left_out;
    decisions += run.decisions;
    if (run.violation.empty()) continue;
    if (++failed <= kFailuresShown)
      ADD_FAILURE() << "seed " << seed << ": " << run.violation
                    << "\n  replay: TROUPE_SEEDS=" << seed
                    << " sim_mysql_topology --gtest_filter='*Seeds*'";
  }
  std::cout << seeds.to - seeds.from << " seeds, " << failed << " failed; " << acknowledged
            << " writes acknowledged, " << changes << " changes of source, " << rebuilds
            << " rebuilds, " << left_out << " left out, " << decisions << " decisions\n";
  EXPECT_EQ(failed, 0u);
  if (seeds.to - seeds.from < 100) return;
  EXPECT_GT(acknowledged, 0u);
  EXPECT_GT(changes, 0u) << "the faults do not lead to anything";
  EXPECT_GT(rebuilds, 0u) << "the faults do not lead to anything";
  EXPECT_GT(left_out, 0u) << "the faults do not lead to anything";
}

TEST(TopologySimulation, ASeedAlwaysTellsTheSameStory) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto first = simulate(seed, true), second = simulate(seed, true);
    EXPECT_FALSE(first.story.empty());
    EXPECT_EQ(first.story, second.story);
  }
}

// The search begins at `from`: what is rare was caught near there once.
struct Mutant {
  const char* name;
  void (*mutate)(Rules&);
  std::uint64_t from = 0;
};
class BrokenRule : public ::testing::TestWithParam<Mutant> {};

TEST_P(BrokenRule, IsCaught) {
  Rules rules;
  GetParam().mutate(rules);
  for (std::uint64_t n = 0; n < kSeedsToCatchAMutant; ++n) {
    const auto seed = GetParam().from + n;
    const auto run = simulate(seed, false, rules);
    if (!run.unsafe) continue;
    std::cout << "seed " << seed << ": " << run.violation << '\n';
    return;
  }
  FAIL() << "nobody noticed in " << kSeedsToCatchAMutant << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    Of, BrokenRule,
    ::testing::Values(
        Mutant{"AcknowledgementBeforeReplicasHaveIt",
               [](Rules& r) { r.acknowledge_after_replicas = false; }},
        Mutant{"ServersThatBootOpen", [](Rules& r) { r.boot_closed = false; }},
        Mutant{"AgentsThatObeyOldEpochs", [](Rules& r) { r.refuse_old_epochs = false; }},
        Mutant{"RelayLogsThrownAwayByARestart", [](Rules& r) { r.keep_relay_logs = false; }},
        Mutant{"AMemberThatLeavesLeftOutAtOnce", [](Rules& r) { r.leave_out_when_safe = false; }},
        Mutant{"AcknowledgementsCountedOnTooEarly",
               [](Rules& r) { r.count_acks_when_seen = false; }, 5000},
        Mutant{"AQuorumOfOneTooFew", [](Rules& r) { r.count_all_members = false; }}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace troupe::mysql_topology::sim
