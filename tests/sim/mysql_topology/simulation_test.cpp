// Seeds, and proofs that the invariants can fail; tests/sim/seeds.hpp says how to run which.
#include <gtest/gtest.h>

#include "actors/mysql_group/decide.hpp"
#include "tests/sim/mysql_topology/simulation.hpp"
#include "tests/sim/seeds.hpp"

namespace troupe::mysql_topology::sim {
namespace {

constexpr std::uint64_t kSeeds = 10000;
constexpr std::uint64_t kSeedsOfATest = 1000;
constexpr std::uint64_t kSeedsToCatchAMutant = 4000;

Run run(const Scenario& scenario) { return simulate(scenario); }
Run run_with_outside(const Scenario& scenario) { return simulate(scenario, {.outside = true}); }
Run run_a_group(const Scenario& scenario) {
  return simulate(scenario, {.engine = &mysql_group::decide, .group = true});
}

void hold_the_invariants(const troupe::sim::SeedRange& seeds, Run (*simulated)(const Scenario&)) {
  const auto summary = troupe::sim::run_seeds(seeds, simulated);
  if (summary.seeds < 100) return;
  for (const auto& [what, count] : summary.counts)
    EXPECT_GT(count, 0u) << "the faults do not lead to any " << what;
}

class Seeds : public ::testing::TestWithParam<troupe::sim::SeedRange> {};
TEST_P(Seeds, HoldTheInvariants) { hold_the_invariants(GetParam(), run); }

class SeedsWithAServerOutside : public ::testing::TestWithParam<troupe::sim::SeedRange> {};
TEST_P(SeedsWithAServerOutside, HoldTheInvariants) {
  hold_the_invariants(GetParam(), run_with_outside);
}
class SeedsOfAGroup : public ::testing::TestWithParam<troupe::sim::SeedRange> {};
TEST_P(SeedsOfAGroup, HoldTheInvariants) { hold_the_invariants(GetParam(), run_a_group); }

// A share of few seeds may be none.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SeedsOfAGroup);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SeedsWithAServerOutside);

const auto kRange = [](const auto& tested) { return troupe::sim::name_of(tested.param); };
INSTANTIATE_TEST_SUITE_P(OfTheEngine, Seeds,
                         ::testing::ValuesIn(troupe::sim::seed_ranges(kSeeds, kSeedsOfATest)),
                         kRange);
INSTANTIATE_TEST_SUITE_P(OfTheEngine, SeedsWithAServerOutside,
                         ::testing::ValuesIn(troupe::sim::seed_ranges(kSeeds, kSeedsOfATest, 5)),
                         kRange);
INSTANTIATE_TEST_SUITE_P(OfTheEngine, SeedsOfAGroup,
                         ::testing::ValuesIn(troupe::sim::seed_ranges(kSeeds, kSeedsOfATest, 5)),
                         kRange);

TEST(TopologySimulation, ASeedAlwaysTellsTheSameStory) {
  for (const std::uint64_t seed : {1, 2, 3}) troupe::sim::expect_the_same_story(seed, run);
}

// `known` showed it once.
struct Mutant {
  const char* name;
  Invariant caught_by;
  Options options;
  std::uint64_t known = 0;
};
class BrokenRule : public ::testing::TestWithParam<Mutant> {};

TEST_P(BrokenRule, IsCaught) {
  const auto& [name, caught_by, options, known] = GetParam();
  troupe::sim::expect_caught(
      name, caught_by, known, kSeedsToCatchAMutant,
      [&options = options](const Scenario& s) { return simulate(s, options); });
}

Options without(bool Rules::*rule) {
  Options options;
  options.rules.*rule = false;
  return options;
}
Options with(Engine engine) {
  Options options;
  options.engine = engine;
  return options;
}

Options with_outside(Engine engine) {
  auto options = with(engine);
  options.outside = true;
  return options;
}

using enum Invariant;
const auto kName = [](const auto& tested) { return tested.param.name; };

INSTANTIATE_TEST_SUITE_P(
    OfServers, BrokenRule,
    ::testing::Values(Mutant{"acknowledge_after_replicas", NoAcknowledgedWriteIsLost,
                             without(&Rules::acknowledge_after_replicas), 30},
                      Mutant{"boot_closed", OneCanAcknowledge, without(&Rules::boot_closed)},
                      Mutant{"refuse_old_epochs", NoAcknowledgedWriteIsLost,
                             without(&Rules::refuse_old_epochs), 720},
                      Mutant{"keep_relay_logs", NoAcknowledgedWriteIsLost,
                             without(&Rules::keep_relay_logs), 830},
                      Mutant{"apply_before_promotion", NoAcknowledgedWriteIsLost,
                             without(&Rules::apply_before_promotion), 170}),
    kName);

INSTANTIATE_TEST_SUITE_P(
    OfTheEngine, BrokenRule,
    ::testing::Values(
        Mutant{"overlooks_a_member", NoAcknowledgedWriteIsLost, with(&overlooks_a_member), 340},
        Mutant{"forgets_who_leaves", NoAcknowledgedWriteIsLost, with(&forgets_who_leaves), 340},
        Mutant{"forgets_who_recovers", NoAcknowledgedWriteIsLost, with(&forgets_who_recovers),
               3280},
        Mutant{"counts_on_acks_too_early", NoAcknowledgedWriteIsLost,
               with(&counts_on_acks_too_early), 760},
        Mutant{"waits_for_one_less", NoAcknowledgedWriteIsLost, with(&waits_for_one_less)},
        Mutant{"lets_replicas_receive", NoAcknowledgedWriteIsLost, with(&lets_replicas_receive)},
        Mutant{"chooses_anyone", NoAcknowledgedWriteIsLost, with(&chooses_anyone)},
        Mutant{"believes_old_answers", NoAcknowledgedWriteIsLost, with(&believes_old_answers)},
        Mutant{"keeps_the_epoch", EpochsNeverFall, with(&keeps_the_epoch)},
        Mutant{"leaves_the_source_open", OneCanAcknowledge, with(&leaves_the_source_open)},
        Mutant{"does_not_wait_to_catch_up", NoAcknowledgedWriteIsLost,
               with(&does_not_wait_to_catch_up), 430},
        Mutant{"overlooks_errant_transactions", MembersComeToHoldTheSame,
               with(&overlooks_errant_transactions)},
        Mutant{"leaves_strays_open", ItConverges, with(&leaves_strays_open)}),
    kName);

INSTANTIATE_TEST_SUITE_P(OfDataFromOutside, BrokenRule,
                         ::testing::Values(Mutant{"opens_who_is_fed", OneCanAcknowledge,
                                                  with_outside(&opens_who_is_fed)},
                                           Mutant{"follows_who_lacks_something",
                                                  NoAcknowledgedWriteIsLost,
                                                  with_outside(&follows_who_lacks_something)}),
                         kName);

Options in_a_group(Engine engine) {
  auto options = with(engine);
  options.group = true;
  return options;
}

Options in_a_group_without(bool Rules::*rule) {
  auto options = in_a_group(&mysql_group::decide);
  options.rules.*rule = false;
  return options;
}

INSTANTIATE_TEST_SUITE_P(
    OfGroups, BrokenRule,
    ::testing::Values(
        Mutant{"begins_without_asking_all", OneGroup, in_a_group(&begins_without_asking_all)},
        Mutant{"begins_with_anyone", NoAcknowledgedWriteIsLost, in_a_group(&begins_with_anyone)},
        Mutant{"begins_in_one_epoch", OneGroup, in_a_group(&begins_in_one_epoch), 1610},
        Mutant{"begin_right_after_leaving", OneGroup,
               in_a_group_without(&Rules::begin_right_after_leaving), 230}),
    kName);

}  // namespace
}  // namespace troupe::mysql_topology::sim
