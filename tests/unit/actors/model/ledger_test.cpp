#include "actors/model/ledger.hpp"

#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class LedgerTest : public ::testing::Test {
 protected:
  static Effect effect(std::string key, std::string body = "{}") {
    return {std::move(key), Apply{{}, "troupe", std::move(body), false, {}}};
  }
  // Whether it may start now; `wake` says when else.
  bool start(const Effect& e) {
    wake = TimePoint::max();
    return ledger.start(e, now, wake);
  }
  void finish(const Effect& e, std::optional<Error> failed = {}) {
    EffectResult result;
    result.key = e.key;
    result.fingerprint = fingerprint(e);
    result.finished = now;
    result.failed = std::move(failed);
    ledger.finish(result, 0);
  }
  void run(const Effect& e, std::optional<Error> failed = {}) {
    EXPECT_TRUE(start(e));
    finish(e, std::move(failed));
  }
  static Error broken(Code code = Code::Retry) { return {code, "no"}; }

  Ledger ledger;
  TimePoint now = TimePoint(minutes(60));
  TimePoint wake = TimePoint::max();
};

TEST_F(LedgerTest, WhatIsInFlightIsNotStartedAgain) {
  EXPECT_TRUE(start(effect("a")));
  EXPECT_TRUE(ledger.in_flight("a"));
  EXPECT_FALSE(start(effect("a", "another body")));
  EXPECT_EQ(wake, TimePoint::max()) << "its answer wakes the actor, not the time";
  EXPECT_TRUE(start(effect("b")));
  EXPECT_EQ(ledger.flights(), 2U);
  finish(effect("a"));
  EXPECT_FALSE(ledger.in_flight("a"));
}

TEST_F(LedgerTest, WhatFailedWaitsForItsBackoffAndSaysUntilWhen) {
  run(effect("a"), broken());
  EXPECT_FALSE(start(effect("a")));
  EXPECT_GT(wake, now);
  EXPECT_LE(wake, now + seconds(1));
  now = wake;
  EXPECT_TRUE(start(effect("a")));
}

TEST_F(LedgerTest, BackoffGrowsToABound) {
  Duration longest{};
  for (int i = 0; i < 30; ++i) {
    run(effect("a"), broken());
    EXPECT_FALSE(start(effect("a")));
    longest = std::max(longest, wake - now);
    now = wake;
  }
  EXPECT_GT(longest, seconds(10));
  EXPECT_LE(longest, seconds(30));
}

TEST_F(LedgerTest, AConflictIsTriedAgainAlmostAtOnce) {
  run(effect("a"), broken(Code::Conflict));
  EXPECT_FALSE(start(effect("a")));
  EXPECT_LE(wake - now, milliseconds(10));
}

TEST_F(LedgerTest, AnotherBodyAfterAFailureWaitsAsWell) {
  run(effect("a"), broken());
  EXPECT_FALSE(start(effect("a", "another")));
}

TEST_F(LedgerTest, ASuccessForgetsTheFailuresBeforeIt) {
  run(effect("a"), broken());
  ASSERT_NE(ledger.failure("a"), nullptr);
  EXPECT_EQ(ledger.failure("a")->message, "no");
  now += minutes(1);
  run(effect("a"));
  EXPECT_EQ(ledger.failure("a"), nullptr);
}

TEST_F(LedgerTest, WhatSucceededMayBeAskedForAgainAFewTimesAndIsThenSlowedDown) {
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(start(effect("a"))) << i;
    finish(effect("a"));
    now += milliseconds(1);
  }
  EXPECT_FALSE(start(effect("a")));
  EXPECT_LT(wake, TimePoint::max());
}

TEST_F(LedgerTest, AnotherBodyAfterASuccessIsNotSlowedDown) {
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(start(effect("a", "body " + std::to_string(i))));
    finish(effect("a", "body " + std::to_string(i)));
  }
}

TEST_F(LedgerTest, AnEventIsToldOnceInAWhile) {
  const Effect told{"event Missing it is", EmitEvent{{}, "", true, "Missing", "it is"}};
  run(told);
  EXPECT_FALSE(start(told));
  now += minutes(3);
  EXPECT_TRUE(start(told));
}

TEST_F(LedgerTest, WhatIsOldIsForgottenAndWhatIsInFlightIsNot) {
  run(effect("old"), broken());
  EXPECT_TRUE(start(effect("flying")));
  now += minutes(6);
  ledger.forget_old(now);
  EXPECT_EQ(ledger.failure("old"), nullptr);
  EXPECT_TRUE(ledger.in_flight("flying"));
}

}  // namespace
}  // namespace troupe::actors
