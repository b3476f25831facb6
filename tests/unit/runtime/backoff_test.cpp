#include "runtime/model/backoff.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace troupe {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsCap) {
  const Backoff backoff{.base = 200ms, .cap = 1s};
  EXPECT_EQ(backoff.delay(1, 0), 100ms);
  EXPECT_EQ(backoff.delay(2, 0), 200ms);
  EXPECT_EQ(backoff.delay(3, 0), 400ms);
  EXPECT_EQ(backoff.delay(4, 0), 500ms);
  EXPECT_EQ(backoff.delay(100, 0), 500ms);
}

TEST(Backoff, JitterStaysInTheUpperHalf) {
  const Backoff backoff{.base = 200ms, .cap = 1s};
  std::set<Duration> seen;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto delay = backoff.delay(1, mix(i, 1));
    EXPECT_GE(delay, 100ms);
    EXPECT_LT(delay, 200ms);
    seen.insert(delay);
  }
  EXPECT_GT(seen.size(), 900u);
}

TEST(Backoff, LargeBasesDoNotOverflow) {
  const Backoff backoff{.base = 1min, .cap = 24h};
  EXPECT_EQ(backoff.delay(std::numeric_limits<std::uint32_t>::max(), 0), 12h);
}

TEST(Backoff, AZeroBaseNeverWaits) {
  EXPECT_EQ((Backoff{.base = 0ns, .cap = 1s}.delay(5, 7)), 0ns);
}

TEST(Mix, NeighboursDiffer) {
  EXPECT_NE(mix(1, 1), mix(1, 2));
  EXPECT_NE(mix(1, 1), mix(2, 1));
  EXPECT_NE(mix(1, 2), mix(2, 1));
}

}  // namespace
}  // namespace troupe
