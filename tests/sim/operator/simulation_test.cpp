// Seeds of the whole operator, and proofs that the invariants can fail; tests/sim/seeds.hpp says
// how to run which.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "tests/sim/operator/mutants.hpp"
#include "tests/sim/operator/simulation.hpp"
#include "tests/sim/seeds.hpp"

namespace troupe::operator_sim {
namespace {

using mysql_topology::sim::Rules;

constexpr std::uint64_t kSeeds = 1000;
constexpr std::uint64_t kSeedsOfATest = 50;
constexpr std::uint64_t kSeedsToCatchAMutant = 400;

class OperatorSimulation : public ::testing::Test {
 protected:
  // What the parts log is no news here.
  static void SetUpTestSuite() { spdlog::set_level(spdlog::level::off); }
};

Run run(const Scenario& scenario) { return simulate(scenario); }
Run run_a_group(const Scenario& scenario) {
  Options options;
  options.group = true;
  return simulate(scenario, options);
}

Run run_with_outside(const Scenario& scenario) {
  Options options;
  options.outside = true;
  return simulate(scenario, options);
}

void hold_the_invariants(const sim::SeedRange& seeds, Run (*simulated)(const Scenario&)) {
  const auto summary = sim::run_seeds(seeds, simulated);
  if (summary.seeds < 30) return;
  EXPECT_GT(summary.counts.at("writes acknowledged"), 0u);
  EXPECT_GT(summary.counts.at("changes of source"), 0u) << "the faults do not lead to anything";
  EXPECT_GT(summary.counts.at("changes of leader"), summary.seeds);
  if (simulated == run_with_outside) {
    EXPECT_GT(summary.counts.at("sources outside followed or left"), summary.seeds);
  }
}

class Seeds : public OperatorSimulation, public ::testing::WithParamInterface<sim::SeedRange> {};
TEST_P(Seeds, HoldTheInvariants) { hold_the_invariants(GetParam(), run); }

class SeedsOfAGroup : public OperatorSimulation,
                      public ::testing::WithParamInterface<sim::SeedRange> {};
TEST_P(SeedsOfAGroup, HoldTheInvariants) { hold_the_invariants(GetParam(), run_a_group); }

class SeedsWithAServerOutside : public OperatorSimulation,
                                public ::testing::WithParamInterface<sim::SeedRange> {};
TEST_P(SeedsWithAServerOutside, HoldTheInvariants) {
  hold_the_invariants(GetParam(), run_with_outside);
}

// A share of few seeds may be none.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SeedsOfAGroup);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SeedsWithAServerOutside);

const auto kRange = [](const auto& tested) { return sim::name_of(tested.param); };
INSTANTIATE_TEST_SUITE_P(OfTheOperator, Seeds,
                         ::testing::ValuesIn(sim::seed_ranges(kSeeds, kSeedsOfATest)), kRange);
INSTANTIATE_TEST_SUITE_P(OfTheOperator, SeedsOfAGroup,
                         ::testing::ValuesIn(sim::seed_ranges(kSeeds, kSeedsOfATest, 5)), kRange);
INSTANTIATE_TEST_SUITE_P(OfTheOperator, SeedsWithAServerOutside,
                         ::testing::ValuesIn(sim::seed_ranges(kSeeds, kSeedsOfATest, 8)), kRange);

TEST_F(OperatorSimulation, ASeedAlwaysTellsTheSameStory) {
  for (const std::uint64_t seed : {1, 2}) sim::expect_the_same_story(seed, run);
}

struct Mutant {
  const char* name;
  sim::Invariant caught_by;
  std::uint64_t known;
  Options options;
};
class BrokenRule : public OperatorSimulation, public ::testing::WithParamInterface<Mutant> {};

TEST_P(BrokenRule, IsCaught) {
  const auto& [name, caught_by, known, options] = GetParam();
  sim::expect_caught(name, caught_by, known, kSeedsToCatchAMutant,
                     [&options](const Scenario& scenario) { return simulate(scenario, options); });
}

Options without(bool Rules::*rule) {
  Options options;
  options.rules.*rule = false;
  return options;
}
Options with(std::span<const actors::RegisteredKind> kinds) {
  Options options;
  options.kinds = kinds;
  return options;
}

Options in_a_group(std::span<const actors::RegisteredKind> kinds) {
  auto options = with(kinds);
  options.group = true;
  return options;
}

Options with_outside(std::span<const actors::RegisteredKind> kinds) {
  auto options = with(kinds);
  options.outside = true;
  return options;
}

using enum sim::Invariant;

// The engine's own simulation shows the rarer ones of the servers, by thousands of seeds.
INSTANTIATE_TEST_SUITE_P(
    OfTheOperator, BrokenRule,
    ::testing::Values(
        Mutant{"acknowledge_after_replicas", NoAcknowledgedWriteIsLost, 0,
               without(&Rules::acknowledge_after_replicas)},
        Mutant{"boot_closed", OneCanAcknowledge, 0, without(&Rules::boot_closed)},
        Mutant{"labels_that_stay", LabelsNameTheSource, 0, with(labels_that_stay())},
        Mutant{"begins_with_anyone", NoAcknowledgedWriteIsLost, 25,
               in_a_group(begins_with_anyone())},
        Mutant{"begins_without_asking_all", OneGroup, 0, in_a_group(begins_without_asking_all())},
        Mutant{"opens_who_is_fed", OneCanAcknowledge, 0, with_outside(opens_who_is_fed())},
        Mutant{"follows_who_lacks_something", NoAcknowledgedWriteIsLost, 0,
               with_outside(follows_who_lacks_something())}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace troupe::operator_sim
