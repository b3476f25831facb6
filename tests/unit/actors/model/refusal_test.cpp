#include "actors/model/refusal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/model/ensure.hpp"
#include "k8s/api/core.hpp"
#include "tests/unit/actors/memory_cluster/decisions.hpp"

namespace troupe::actors {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Refusal refusal(std::string key, Code code, std::string message) {
  return {std::move(key), error(code, std::move(message)), TimePoint(std::chrono::minutes(60))};
}
template <class T>
Effect apply(std::string key) {
  return {std::move(key), Apply{ref<T>("prod", "x"), "troupe-x", "{}"}};
}

TEST(HoldRefused, SaysWhatWasTriedWhatTheServerSaidAndWhatToDo) {
  Decision d;
  d.effects.push_back(apply<k8s::Pod>("create Pod"));
  const std::vector refused{refusal(
      "create Pod", Code::Invalid,
      "apply Pod prod/x: HTTP 422: spec.containers[0].resources.requests: must be less than or "
      "equal to cpu limit of 1")};
  hold_refused(refused, d);
  ASSERT_THAT(d.guards, SizeIs(1));
  EXPECT_EQ(d.guards[0].rule, "WriteRefused");
  EXPECT_EQ(d.guards[0].since, refused[0].since);
  EXPECT_THAT(d.guards[0].text,
              AllOf(HasSubstr("apply Pod prod/x: HTTP 422: "), HasSubstr("cpu limit of 1"),
                    HasSubstr("correct the specification"), HasSubstr("by itself")));
}

TEST(HoldRefused, WhatIsNoLongerAskedForHoldsNothingBack) {
  Decision d;
  d.effects.push_back(apply<k8s::Pod>("other"));
  hold_refused(std::vector{refusal("create Pod", Code::Invalid, "no")}, d);
  EXPECT_THAT(d.guards, IsEmpty());
}

TEST(HoldRefused, TwiceIsAsOnce) {
  Decision d;
  d.effects.push_back(apply<k8s::Pod>("a"));
  const std::vector refused{refusal("a", Code::Denied, "no")};
  hold_refused(refused, d);
  hold_refused(refused, d);
  EXPECT_THAT(rules_of(d), ElementsAre("WriteRefused"));
}

TEST(HoldRefused, OfManyOnlyAFewAreShown) {
  Decision d;
  std::vector<Refusal> refused;
  for (int i = 0; i < 10; ++i) {
    d.effects.push_back(apply<k8s::Pod>(std::to_string(i)));
    refused.push_back(refusal(std::to_string(i), Code::Denied, std::to_string(i)));
  }
  hold_refused(refused, d);
  EXPECT_THAT(d.guards, SizeIs(3));
}

TEST(HoldRefused, ALongAnswerIsCutWhereACharacterEnds) {
  Decision d;
  d.effects.push_back(apply<k8s::Pod>("a"));
  std::string answer(699, 'x');
  for (int i = 0; i < 400; ++i) answer += "é";
  hold_refused(std::vector{refusal("a", Code::Denied, answer)}, d);
  EXPECT_THAT(d.guards[0].text, AllOf(HasSubstr("x...: a quota"), Not(HasSubstr("\xC3")),
                                      SizeIs(::testing::Lt(900U))));
}

TEST(HoldRefused, OfASecretTheServersWordsAreKeptBack) {
  for (const auto& effect :
       {apply<k8s::SecretObject>("s"), Effect{"s", MakePasswords{}},
        Effect{"s", MergePatch{ref<k8s::SecretObject>("prod", "x"), "{}", {}}}}) {
    Decision d;
    d.effects.push_back(effect);
    hold_refused(std::vector{refusal("s", Code::Invalid, "data: invalid: s3cret")}, d);
    EXPECT_THAT(guard_text(d, kWriteRefused),
                AllOf(HasSubstr("s: invalid"), Not(HasSubstr("s3cret"))));
  }
}

TEST(SayTheSame, OnlyNumbersAndIdsMayDiffer) {
  const auto same = [](std::string a, std::string b) {
    return say_the_same(error(Code::Denied, std::move(a)), error(Code::Denied, std::move(b)));
  };
  EXPECT_TRUE(same("exceeded quota: q, used: cpu=9", "exceeded quota: q, used: cpu=12500m"));
  EXPECT_TRUE(same("read tcp 10.0.0.1:4312->10.0.0.2:443", "read tcp 10.0.0.1:59->10.0.0.2:443"));
  EXPECT_FALSE(same("exceeded quota: q", "denied by policy p"));
  EXPECT_FALSE(say_the_same(error(Code::Denied, "no"), error(Code::Invalid, "no")));
}

}  // namespace
}  // namespace troupe::actors
