#include "tests/sim/mysql/strikes.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace troupe::mysql_topology::sim {
namespace {

using std::chrono::seconds;

std::vector<TimePoint> times_of(const troupe::sim::Scenario& scenario, Strikes::Pace pace) {
  Timeline timeline(scenario.seed, false);
  Strikes strikes(timeline, scenario, pace);
  std::vector<TimePoint> times;
  strikes.begin([&] { times.push_back(timeline.now()); });
  for (const auto end = timeline.now() + seconds(600); timeline.now() < end && timeline.step();) {
  }
  return times;
}

TEST(Strikes, ComeInBurstsWithTimeToRecoverBetweenThem) {
  const auto times = times_of({.seed = 3}, {.min = seconds(1),
                                            .max = seconds(2),
                                            .burst = 4,
                                            .calm_min = seconds(10),
                                            .calm_max = seconds(20)});
  std::size_t calms = 0, burst = 1;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const bool calm = times[i] - times[i - 1] >= seconds(10);
    calms += calm ? 1 : 0;
    burst = calm ? 1 : burst + 1;
    EXPECT_LE(burst, 4u);
  }
  EXPECT_GT(calms, 10u);
  EXPECT_GT(times.size(), calms) << "there are bursts of more than one";
}

TEST(Strikes, WithoutSomeOfThemTheOthersComeAtTheSameTimes) {
  const Strikes::Pace pace{.min = seconds(1), .max = seconds(2)};
  const auto all = times_of({.seed = 3}, pace);
  const auto some = times_of({.seed = 3, .strikes = {{0, 2}}}, pace);
  EXPECT_EQ(some, (std::vector<TimePoint>{all[0], all[2]}));
}

}  // namespace
}  // namespace troupe::mysql_topology::sim
