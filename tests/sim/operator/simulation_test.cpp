// Seeds of the whole operator, and proofs that the invariants can fail.
//
//   sim_operator                                                the seeds of CI
//   TROUPE_SEEDS=0..100000 sim_operator --gtest_filter='*Seeds*'
//   TROUPE_SEEDS=4711 sim_operator --gtest_filter='*Seeds*'     one seed, with its story
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <iostream>

#include "tests/sim/operator/mutants.hpp"
#include "tests/sim/operator/simulation.hpp"
#include "tests/sim/seeds.hpp"

namespace troupe::operator_sim {
namespace {

constexpr std::uint64_t kSeeds = 40;  // unoptimised, one takes a second
constexpr std::uint64_t kSeedsToCatchAMutant = 400;
constexpr std::size_t kFailuresShown = 5;

class OperatorSimulation : public ::testing::Test {
 protected:
  // What the parts log is no news here.
  static void SetUpTestSuite() { spdlog::set_level(spdlog::level::off); }
};

TEST_F(OperatorSimulation, HoldsItsInvariantsForAllSeeds) {
  const auto seeds = sim::seeds_or({0, kSeeds});
  std::size_t failed = 0, acknowledged = 0, changes = 0, processes = 0, leaders = 0, two = 0;
  std::uint64_t runs = 0;
  double simulated = 0;
  for (auto seed = seeds.from; seed < seeds.to; ++seed) {
    const auto run = simulate(seed, {.tell = seeds.to - seeds.from == 1, .rules = {}});
    for (const auto& line : run.story) std::cout << line << '\n';
    acknowledged += run.acknowledged;
    changes += run.changes;
    processes += run.processes;
    leaders += run.leaders;
    two += run.two_labelled;
    runs += run.runs;
    simulated += run.simulated_seconds;
    if (run.violation.empty()) continue;
    if (++failed <= kFailuresShown)
      ADD_FAILURE() << "seed " << seed << ": " << run.violation
                    << "\n  replay: TROUPE_SEEDS=" << seed
                    << " sim_operator --gtest_filter='*Seeds*'";
  }
  std::cout << seeds.to - seeds.from << " seeds, " << failed << " failed; " << simulated
            << " s simulated, " << acknowledged << " writes acknowledged, " << changes
            << " changes of source, " << processes << " processes, " << leaders
            << " changes of leader, " << two << " times two labels, " << runs << " runs\n";
  EXPECT_EQ(failed, 0u);
  if (seeds.to - seeds.from < 30) return;
  EXPECT_GT(acknowledged, 0u);
  EXPECT_GT(changes, 0u) << "the faults do not lead to anything";
  EXPECT_GT(leaders, seeds.to - seeds.from) << "the faults do not lead to anything";
}

TEST_F(OperatorSimulation, ASeedAlwaysTellsTheSameStory) {
  for (const std::uint64_t seed : {1, 2}) {
    const auto first = simulate(seed, {.tell = true, .rules = {}});
    const auto second = simulate(seed, {.tell = true, .rules = {}});
    EXPECT_FALSE(first.story.empty());
    EXPECT_EQ(first.story, second.story);
  }
}

// `known` caught it once: the search begins there, and goes on elsewhere when it does not any more.
struct Mutant {
  const char* name;
  std::uint64_t known;
  Options options;
};
class BrokenRule : public OperatorSimulation, public ::testing::WithParamInterface<Mutant> {};

TEST_P(BrokenRule, IsCaught) {
  const auto& [name, known, options] = GetParam();
  for (std::uint64_t n = 0; n < kSeedsToCatchAMutant; ++n) {
    const auto run = simulate(known + n, options);
    if (run.violation.empty()) continue;
    std::cout << "seed " << run.seed << ": " << run.violation << '\n';
    return;
  }
  FAIL() << "nobody noticed in " << kSeedsToCatchAMutant << " seeds";
}

Options broken(void (*mutate)(mysql_topology::sim::Rules&)) {
  Options options;
  mutate(options.rules);
  return options;
}
Options with(std::span<const actors::RegisteredKind> kinds) {
  Options options;
  options.kinds = kinds;
  return options;
}

using mysql_topology::sim::Rules;

// The engine's own simulation shows the rarer ones of the servers, by thousands of seeds.
INSTANTIATE_TEST_SUITE_P(Of, BrokenRule,
                         ::testing::Values(Mutant{"AcknowledgementBeforeReplicasHaveIt", 1,
                                                  broken([](Rules& r) {
                                                    r.acknowledge_after_replicas = false;
                                                  })},
                                           Mutant{"ServersThatBootOpen", 0,
                                                  broken([](Rules& r) { r.boot_closed = false; })},
                                           Mutant{"LabelsThatStay", 1, with(labels_that_stay())}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace troupe::operator_sim
