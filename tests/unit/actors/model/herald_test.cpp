// What people are told of conditions: what stands, and the end of what they were told.
#include "actors/model/herald.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HeraldTest : public ::testing::Test {
 protected:
  static EmitEvent news(bool warning, std::string reason, std::string text, std::string before) {
    return {{}, "uid", warning, std::move(reason), std::move(text), "Reconciled", before};
  }
  // A warning of the guard that stands now, where it was `before`.
  std::vector<std::string> held(const std::string& rule, const std::string& before = "") {
    guard = rule;
    return pass({news(true, rule, "db-0", before)});
  }
  std::vector<std::string> over(const std::string& before) {
    guard.clear();
    return pass({news(false, "AllApplied", "all is well", before)});
  }
  // Nothing is said; `guard` stands as before.
  std::vector<std::string> nothing() { return pass({}); }

  std::vector<std::string> pass(std::vector<EmitEvent> events) {
    Decision d;
    if (!guard.empty()) d.hold(guard, "db-0");
    for (const auto& rule : stand) d.hold(rule, "db-0");
    for (auto& event : events) d.add("event " + event.reason, std::move(event));
    herald.sift(d, now);
    wake = d.wake;
    std::vector<std::string> out;
    for (const auto& effect : d.effects) {
      const auto& told = std::get<EmitEvent>(effect.action);
      out.push_back(told.reason + ": " + message_of(told));
    }
    return out;
  }

  Herald herald;
  TimePoint now{seconds(1000)};
  TimePoint wake;
  std::string guard;
  std::vector<std::string> stand;  // more of them
};

TEST_F(HeraldTest, WhatHappenedIsToldAtOnce) {
  auto event = news(true, "FailoverStarted", "db-0 is dead", "");
  event.condition.clear();
  EXPECT_THAT(pass({event}), ElementsAre("FailoverStarted: db-0 is dead"));
}

TEST_F(HeraldTest, AGuardIsToldOnceItHasStoodForAWhile) {
  EXPECT_THAT(held("SecretMissing"), IsEmpty());
  EXPECT_EQ(wake, now + Herald::kStands);
  now += Herald::kStands - milliseconds(1);
  EXPECT_THAT(nothing(), IsEmpty());
  now += milliseconds(1);
  EXPECT_THAT(nothing(), ElementsAre("SecretMissing: db-0"));
  EXPECT_THAT(nothing(), IsEmpty());
  EXPECT_THAT(over("SecretMissing"), ElementsAre("AllApplied: SecretMissing is over: all is well"));
}

TEST_F(HeraldTest, OfAGuardOfAMomentNeitherItsComingNorItsEndIsTold) {
  held("SourceUnusable");
  now += seconds(1);
  EXPECT_THAT(over("SourceUnusable"), IsEmpty());
  now += Herald::kStands;
  EXPECT_THAT(nothing(), IsEmpty());
}

TEST_F(HeraldTest, AGuardThatGoesBeforeItsConditionIsTrueIsNotToldLater) {
  held("SourceUnusable");
  guard.clear();  // the condition passes through what is no trouble
  now += seconds(1);
  EXPECT_THAT(nothing(), IsEmpty());
  now += Herald::kStands;
  EXPECT_THAT(nothing(), IsEmpty());
  EXPECT_THAT(over("SourceUnusable"), IsEmpty());
}

TEST_F(HeraldTest, AnEndNamesWhatWasToldNotWhatCameForAMomentAfterIt) {
  held("SecretMissing");
  now += Herald::kStands;
  nothing();
  held("ReplicaWritable", "SecretMissing");
  EXPECT_THAT(over("ReplicaWritable"),
              ElementsAre("AllApplied: SecretMissing is over: all is well"));
}

TEST_F(HeraldTest, WhatWasAwayForAMomentIsNotToldAgain) {
  held("SecretMissing");
  now += Herald::kStands;
  nothing();
  held("ReplicaWritable", "SecretMissing");
  held("SecretMissing", "ReplicaWritable");
  now += Herald::kStands;
  EXPECT_THAT(nothing(), IsEmpty());
}

TEST_F(HeraldTest, AnotherTextOfTheSameGuardDoesNotPutItOff) {
  held("UnitsHeld");
  now += seconds(4);
  held("UnitsHeld", "UnitsHeld");
  now += seconds(1);
  EXPECT_THAT(nothing(), ElementsAre("UnitsHeld: db-0"));
}

TEST_F(HeraldTest, EveryGuardOfAConditionIsToldAndTheEndOfAll) {
  stand = {"QuorumMissing", "SourceUnusable"};
  EXPECT_THAT(
      pass({news(true, "QuorumMissing", "0 of 2", ""), news(true, "SourceUnusable", "db-0", "")}),
      IsEmpty());
  now += Herald::kStands;
  EXPECT_THAT(nothing(), ElementsAre("QuorumMissing: 0 of 2", "SourceUnusable: db-0"));
  EXPECT_THAT(nothing(), IsEmpty());
  stand.clear();
  EXPECT_THAT(over("QuorumMissing"),
              ElementsAre("AllApplied: QuorumMissing, SourceUnusable are over: all is well"));
}

TEST_F(HeraldTest, AGuardThatWasAwayBeforeItWasToldIsToldWhenItHasStood) {
  held("QuorumMissing");
  now += seconds(4);
  guard.clear();
  nothing();
  guard = "QuorumMissing";
  nothing();
  now += seconds(4);
  EXPECT_THAT(nothing(), IsEmpty());
  now += seconds(1);
  EXPECT_THAT(nothing(), ElementsAre("QuorumMissing: db-0"));
}

TEST_F(HeraldTest, AGuardThatWentAwayAndCameBackIsToldAgain) {
  held("SecretMissing");
  now += Herald::kStands;
  nothing();
  held("ReplicaWritable", "SecretMissing");
  now += Herald::kStands;
  nothing();
  held("SecretMissing", "ReplicaWritable");
  now += Herald::kStands;
  EXPECT_THAT(nothing(), ElementsAre("SecretMissing: db-0"));
}

TEST_F(HeraldTest, OtherNumbersAreNoNews) {
  guard = "QuorumMissing";
  pass({news(true, guard, "db-1 for 41.0s", "")});
  now += Herald::kStands;
  nothing();
  pass({news(true, guard, "db-1 for 56.0s", guard)});
  now += Herald::kStands;
  EXPECT_THAT(nothing(), IsEmpty());
  pass({news(true, guard, "db-2 for 56.0s", guard)});
  now += Herald::kStands;
  EXPECT_THAT(nothing(), ElementsAre("QuorumMissing: db-2 for 56.0s"));
}

TEST_F(HeraldTest, WhatIsSaidAgainAsTheStatusWasNotWrittenIsToldOnce) {
  held("SecretMissing");
  now += Herald::kStands;
  EXPECT_THAT(held("SecretMissing"), ElementsAre("SecretMissing: db-0"));
  EXPECT_THAT(held("SecretMissing"), IsEmpty());
  EXPECT_EQ(over("SecretMissing").size(), 1U);
  EXPECT_THAT(over("SecretMissing"), IsEmpty());
}

TEST_F(HeraldTest, AfterARestartTheEndIsToldOfWhatTheObjectSays) {
  EXPECT_THAT(over("MemberFenced"), ElementsAre("AllApplied: MemberFenced is over: all is well"));
}

TEST_F(HeraldTest, AfterARestartAGuardOfAMomentDoesNotHideTheEndOfWhatTheObjectSaid) {
  held("SourceUnusable", "MemberFenced");
  EXPECT_THAT(over("SourceUnusable"), ElementsAre("AllApplied: MemberFenced is over: all is well"));
}

}  // namespace
}  // namespace troupe::actors
