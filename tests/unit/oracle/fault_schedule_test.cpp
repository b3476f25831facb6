#include "tests/oracle/fault_schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace troupe::oracle {
namespace {

using std::chrono::milliseconds;

TEST(FaultSchedule, IsDecidedByItsSeedAlone) {
  EXPECT_EQ(to_string(fault_schedule(7)), to_string(fault_schedule(7)));
  std::set<std::string> different;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    different.insert(to_string(fault_schedule(seed)));
  EXPECT_EQ(different.size(), 100u);
}

TEST(FaultSchedule, IsTheSameOnEveryMachine) {
  EXPECT_EQ(to_string(fault_schedule(1, {.bursts = 2, .faults_in_a_burst = 3})),
            "seed 1: +2.2s kill source, +3.6s part source and other replica for 12.1s, "
            "+5.9s lose sight of replica for 8.4s, calm for 2.9s; "
            "+0.9s pause replica for 5.9s, +1.0s kill other replica, "
            "+1.9s kill other replica, calm for 1.1s");
}

TEST(FaultSchedule, IsOfTheShapeThatIsAskedFor) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto schedule = fault_schedule(seed, {.bursts = 2, .faults_in_a_burst = 3});
    ASSERT_EQ(schedule.bursts.size(), 2u);
    for (const auto& burst : schedule.bursts) sizes.insert(burst.faults.size());
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{1, 2, 3}));
}

TEST(FaultSchedule, HasEveryFaultAndEveryVictimInTheOrderOfTheirTimes) {
  std::set<Fault> faults;
  std::set<Victim> victims;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (const auto& burst : fault_schedule(seed).bursts) {
      EXPECT_TRUE(std::is_sorted(burst.faults.begin(), burst.faults.end(),
                                 [](const auto& a, const auto& b) { return a.at < b.at; }));
      for (const auto& one : burst.faults) {
        faults.insert(one.fault);
        victims.insert(one.victim);
        if (one.fault == Fault::Part || one.fault == Fault::Silence) {
          EXPECT_NE(one.victim, one.other);
        }
      }
    }
  }
  EXPECT_EQ(faults.size(), 11u);
  EXPECT_EQ(victims.size(), 3u);
}

// Or nothing could be whole again afterwards.
TEST(FaultSchedule, TakesBackWhateverDoesNotEndByItself) {
  const std::set<Fault> over_at_once{Fault::KillServer, Fault::DeletePod, Fault::KillPod};
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (const auto& burst : fault_schedule(seed).bursts)
      for (const auto& one : burst.faults)
        EXPECT_EQ(one.lasts == milliseconds(0), over_at_once.contains(one.fault)) << to_string(one);
}

}  // namespace
}  // namespace troupe::oracle
