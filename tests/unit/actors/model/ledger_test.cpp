#include "actors/model/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

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
  // The API server says no.
  void refuse(const Effect& e, Code code, std::string text = "no") {
    EffectResult result;
    result.key = e.key;
    result.fingerprint = fingerprint(e);
    result.finished = now;
    result.failed = error(code, std::move(text));
    result.refused = true;
    ledger.finish(result, 0);
  }
  // "a: no"
  std::vector<std::string> refusals() {
    std::vector<std::string> out;
    for (const auto& r : ledger.refusals()) out.push_back(r.key + ": " + r.error.message);
    return out;
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

// ---- what the API server refuses ---------------------------------------------------------------

TEST_F(LedgerTest, ARefusalForGoodIsShownAtOnceAndUntilTheWriteSucceeds) {
  refuse(effect("a"), Code::Invalid);
  EXPECT_THAT(refusals(), ElementsAre("a: no"));
  now += minutes(1);
  EXPECT_TRUE(start(effect("a")));
  EXPECT_THAT(refusals(), ElementsAre("a: no")) << "while it is tried again";
  finish(effect("a"));
  EXPECT_THAT(refusals(), IsEmpty());
}

TEST_F(LedgerTest, WhatARetryMayHealIsShownWhenItHasNot) {
  const auto began = now;
  for (; now - began < seconds(10); now += seconds(1)) {
    refuse(effect("a"), Code::NotFound);
    EXPECT_THAT(refusals(), IsEmpty());
  }
  refuse(effect("a"), Code::NotFound);
  ASSERT_THAT(refusals(), ElementsAre("a: no"));
  EXPECT_EQ(ledger.refusals()[0].since, began);
}

TEST_F(LedgerTest, WhatGotNoAnswerIsNoRefusalAndTakesNoneBack) {
  for (int i = 0; i < 20; ++i, now += minutes(1)) run(effect("a"), broken());
  EXPECT_THAT(refusals(), IsEmpty());
  refuse(effect("a"), Code::Invalid, "invalid");
  now += minutes(1);
  run(effect("a"), broken());
  EXPECT_THAT(refusals(), ElementsAre("a: invalid"));
}

TEST_F(LedgerTest, TheTextOfARefusalMovesOnlyWithWhatItSays) {
  refuse(effect("a"), Code::Denied, "used: 1");
  refuse(effect("a"), Code::Denied, "used: 2");
  EXPECT_THAT(refusals(), ElementsAre("a: used: 1"));
  refuse(effect("a"), Code::Denied, "forbidden");
  EXPECT_THAT(refusals(), ElementsAre("a: forbidden"));
  refuse(effect("a", "another"), Code::Denied, "used: 3");
  EXPECT_THAT(refusals(), ElementsAre("a: used: 3"));
}

TEST_F(LedgerTest, ACorrectionOfWhatWasRefusedDoesNotWaitForTheBackoff) {
  for (int i = 0; i < 12; ++i) refuse(effect("a"), Code::Invalid);
  EXPECT_FALSE(start(effect("a")));
  EXPECT_GT(wake - now, seconds(10));
  EXPECT_FALSE(start(effect("a", "corrected")));
  EXPECT_EQ(wake - now, seconds(1)) << "one that is another every time has a bound";
  now = wake;
  EXPECT_TRUE(start(effect("a", "corrected")));
}

}  // namespace
}  // namespace troupe::actors
