#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/seeds.hpp"

namespace troupe::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kFaults = 40;

// A simulation that breaks `invariant` if all of `culprits` befall it.
Simulate breaks_by(std::set<int> culprits, Invariant invariant) {
  return [culprits, invariant](const Scenario& s) {
    Run run{.seed = s.seed, .strikes = kFaults};
    if (!s.strikes ||
        std::includes(s.strikes->begin(), s.strikes->end(), culprits.begin(), culprits.end()))
      run.violation = {invariant, "broken"};
    return run;
  };
}

std::set<int> shrunk(const Simulate& simulate) { return needed_faults(simulate({}), simulate); }

TEST(Shrinking, LeavesTheFaultsThatTogetherBreakTheInvariant) {
  EXPECT_THAT(shrunk(breaks_by({3, 17, 39}, Invariant::OneCanAcknowledge)), ElementsAre(3, 17, 39));
}

TEST(Shrinking, LeavesNoneWhereTheInvariantBreaksByItself) {
  EXPECT_THAT(shrunk(breaks_by({}, Invariant::ItConverges)), IsEmpty());
}

TEST(Shrinking, IsNotContentWithAnotherInvariant) {
  const auto writes = breaks_by({5}, Invariant::NoAcknowledgedWriteIsLost);
  const auto time = breaks_by({}, Invariant::ItConverges);
  const Simulate simulate = [&](const Scenario& s) {
    const auto run = writes(s);
    return run.violation ? run : time(s);
  };
  EXPECT_THAT(shrunk(simulate), ElementsAre(5));
}

}  // namespace
}  // namespace troupe::sim
