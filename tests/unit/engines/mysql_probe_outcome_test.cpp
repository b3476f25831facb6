#include <gtest/gtest.h>

#include "engines/mysql/model/observation.hpp"

namespace troupe::mysql {
namespace {

using std::chrono::seconds;

TimePoint at(int second) { return TimePoint(seconds(second)); }

TEST(ProbeOutcome, WhoSaysNothingHasSaidNothingSinceItWasAsked) {
  ProbeOutcome o;
  o.found(Reachability::Ok, at(10), at(11));
  EXPECT_EQ(o.since, at(11));
  o.found(Reachability::Timeout, at(12), at(15));
  EXPECT_EQ(o.since, at(12));
  EXPECT_EQ(o.tried, at(15));
}

TEST(ProbeOutcome, TheSameAgainIsNoNews) {
  ProbeOutcome o;
  o.found(Reachability::Timeout, at(10), at(12));
  o.found(Reachability::Timeout, at(13), at(15));
  EXPECT_EQ(o.since, at(10));
  EXPECT_EQ(o.tried, at(15));
}

TEST(ProbeOutcome, AnAnswerCountsFromWhenItCame) {
  ProbeOutcome o;
  o.found(Reachability::Timeout, at(10), at(12));
  o.found(Reachability::Refused, at(13), at(14));
  EXPECT_EQ(o.since, at(14));
}

}  // namespace
}  // namespace troupe::mysql
