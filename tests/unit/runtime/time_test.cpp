#include "runtime/model/time.hpp"

#include <gtest/gtest.h>

#include "runtime/clock.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

TEST(Time, IsWrittenAsKubernetesWritesIt) {
  const WallTime t(std::chrono::microseconds(1'769'860'800'000'042));
  EXPECT_EQ(to_rfc3339(t), "2026-01-31T12:00:00Z");
  EXPECT_EQ(to_rfc3339_micro(t), "2026-01-31T12:00:00.000042Z");
}

TEST(Time, BeforeTheEpochTheFractionStaysPositive) {
  EXPECT_EQ(to_rfc3339_micro(WallTime(-1us)), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, DurationsReadWell) {
  EXPECT_EQ(to_text(0ns), "0ms");
  EXPECT_EQ(to_text(350ms), "350ms");
  EXPECT_EQ(to_text(4'199ms), "4.1s");
  EXPECT_EQ(to_text(59'999ms), "59.9s");
  EXPECT_EQ(to_text(60s), "1m0s");
  EXPECT_EQ(to_text(130s), "2m10s");
  EXPECT_EQ(to_text(3h + 5min), "3h5m");
  EXPECT_EQ(to_text(-350ms), "-350ms");
}

TEST(ManualClock, WallTimeRunsAlong) {
  ManualClock clock;
  const auto before = clock.now();
  const auto wall = clock.wall();
  clock.advance(3s);
  EXPECT_EQ(clock.now() - before, 3s);
  EXPECT_EQ(clock.wall() - wall, 3s);
}

TEST(ManualClock, StartsAfterNeverSeen) { EXPECT_GT(ManualClock().now(), TimePoint{}); }

TEST(SystemClock, IsMonotonic) {
  const SystemClock clock;
  const auto first = clock.now();
  EXPECT_LE(first, clock.now());
}

}  // namespace
}  // namespace troupe
