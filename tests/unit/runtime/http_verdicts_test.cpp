#include "runtime/http_verdicts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/clock.hpp"

namespace troupe::http {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Verdict = Decision::Verdict;

class VerdictsTest : public testing::Test {
 protected:
  void ask(const std::string& token, const std::string& path = "/api/actors") {
    verdicts_.decide({Secret(token), Method::Get, path},
                     [this](const Decision& d) { told_.push_back(d.verdict); });
  }
  void answer(std::size_t question, Verdict verdict) { asked_.at(question)({verdict, {}}); }
  // Whether the question went to the authorizer.
  bool asks_again(const std::string& token, const std::string& path = "/api/actors") {
    const auto before = asked_.size();
    ask(token, path);
    return asked_.size() > before;
  }

  ManualClock clock_;
  std::vector<std::function<void(Decision)>> asked_;
  std::vector<Verdict> told_;
  Verdicts verdicts_{
      [this](Credentials, auto done) { asked_.push_back(std::move(done)); },
      clock_,
      {.allowed_for = seconds(30), .refused_for = seconds(5), .max_kept = 2, .max_under_way = 2}};
};

TEST_F(VerdictsTest, AVerdictIsKeptForAWhileARefusalShorter) {
  ask("good");
  ask("bad");
  answer(0, Verdict::Allowed);
  answer(1, Verdict::Unauthenticated);
  EXPECT_FALSE(asks_again("good"));
  EXPECT_FALSE(asks_again("bad"));
  EXPECT_THAT(told_, ElementsAre(Verdict::Allowed, Verdict::Unauthenticated, Verdict::Allowed,
                                 Verdict::Unauthenticated));
  clock_.advance(seconds(5));
  EXPECT_TRUE(asks_again("bad"));
  EXPECT_FALSE(asks_again("good"));
  clock_.advance(seconds(25));
  EXPECT_TRUE(asks_again("good"));
}

TEST_F(VerdictsTest, AVerdictIsOfOneTokenMethodAndPath) {
  ask("good");
  answer(0, Verdict::Allowed);
  EXPECT_TRUE(asks_again("good", "/api/chains"));
  EXPECT_TRUE(asks_again("other"));
}

TEST_F(VerdictsTest, WhatCouldNotBeCheckedIsAskedAgain) {
  ask("good");
  answer(0, Verdict::Unavailable);
  EXPECT_THAT(told_, ElementsAre(Verdict::Unavailable));
  EXPECT_TRUE(asks_again("good"));
}

TEST_F(VerdictsTest, TheSameQuestionUnderWayIsAskedOnce) {
  ask("good");
  EXPECT_FALSE(asks_again("good"));
  EXPECT_THAT(told_, IsEmpty());
  answer(0, Verdict::Allowed);
  EXPECT_THAT(told_, ElementsAre(Verdict::Allowed, Verdict::Allowed));
}

TEST_F(VerdictsTest, MoreQuestionsThanTheBoundAreAnsweredAtOnce) {
  ask("1");
  ask("2");
  EXPECT_FALSE(asks_again("3"));
  EXPECT_THAT(told_, ElementsAre(Verdict::Unavailable));
  EXPECT_EQ(verdicts_.totals().refused, 1u);
  EXPECT_EQ(verdicts_.totals().under_way, 2u);
}

TEST_F(VerdictsTest, TheOldestVerdictMakesRoom) {
  for (const char* token : {"1", "2", "3"}) {
    ask(token);
    answer(asked_.size() - 1, Verdict::Allowed);
  }
  EXPECT_EQ(verdicts_.totals().kept, 2u);
  EXPECT_FALSE(asks_again("3"));
  EXPECT_FALSE(asks_again("2"));
  EXPECT_TRUE(asks_again("1"));
}

TEST_F(VerdictsTest, ASecondAnswerChangesNothing) {
  ask("good");
  answer(0, Verdict::Forbidden);
  answer(0, Verdict::Allowed);
  EXPECT_THAT(told_, ElementsAre(Verdict::Forbidden));
  EXPECT_FALSE(asks_again("good"));
  EXPECT_EQ(told_.back(), Verdict::Forbidden);
}

}  // namespace
}  // namespace troupe::http
