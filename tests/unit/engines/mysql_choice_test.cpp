#include "engines/mysql/model/choice.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace troupe::mysql {
namespace {

const std::string kA = "3e11fa47-71ca-11e1-9e33-c80aa9429562:";
const std::string kB = "4e11fa47-71ca-11e1-9e33-c80aa9429562:";

Candidate candidate(std::string name, int ordinal, const std::string& position,
                    Version version = {9, 7, 4}, std::uint64_t unapplied = 0) {
  return {std::move(name), ordinal, version, GtidSet::parse(position).value(), unapplied};
}

std::string chosen(const std::vector<Candidate>& candidates) {
  const auto choice = choose(candidates);
  const auto* one = std::get_if<Chosen>(&choice);
  return one ? candidates[one->index].name : "";
}

TEST(CandidateChoice, NobodyToChooseFrom) {
  EXPECT_TRUE(std::holds_alternative<NoCandidate>(choose({})));
}

TEST(CandidateChoice, TakesTheOneThatHoldsEverything) {
  EXPECT_EQ(chosen({candidate("a", 0, kA + "1-5"), candidate("b", 1, kA + "1-7"),
                    candidate("c", 2, kA + "1-6")}),
            "b");
}

TEST(CandidateChoice, MoreCountsMoreThanALowerVersion) {
  EXPECT_EQ(chosen({candidate("old", 0, kA + "1-5", {8, 4, 0}), candidate("new", 1, kA + "1-6")}),
            "new");
}

TEST(CandidateChoice, AmongEqualsLowestVersionThenLeastToApplyThenOrdinalThenName) {
  const auto same = kA + "1-5";
  EXPECT_EQ(chosen({candidate("a", 0, same, {9, 7, 4}), candidate("b", 1, same, {8, 4, 3})}), "b");
  EXPECT_EQ(chosen({candidate("a", 0, same, {9, 7, 4}, 9), candidate("b", 1, same, {9, 7, 4}, 2)}),
            "b");
  EXPECT_EQ(chosen({candidate("a", 2, same), candidate("b", 1, same)}), "b");
  EXPECT_EQ(chosen({candidate("b", 1, same), candidate("a", 1, same)}), "a");
}

TEST(CandidateChoice, AmongEqualsWhoStaysComesFirst) {
  auto departing = candidate("a", 0, kA + "1-5", {8, 4, 0});
  departing.departing = true;
  EXPECT_EQ(chosen({departing, candidate("b", 1, kA + "1-5")}), "b");
  EXPECT_EQ(chosen({departing, candidate("b", 1, kA + "1-4")}), "a");
}

TEST(CandidateChoice, AmongEqualsWhoCanBeFollowedComesFirst) {
  auto misnamed = candidate("a", 0, kA + "1-5");
  misnamed.misnamed = true;
  auto departing = candidate("b", 1, kA + "1-5");
  departing.departing = true;
  EXPECT_EQ(chosen({misnamed, departing}), "b");
  EXPECT_EQ(chosen({misnamed, candidate("b", 1, kA + "1-4")}), "a");
}

TEST(CandidateChoice, EmptySetsAreEqual) {
  EXPECT_EQ(chosen({candidate("b", 1, ""), candidate("a", 0, "")}), "a");
}

TEST(CandidateChoice, DivergedCandidatesAreListedWithWhatOnlyTheyHold) {
  const std::vector<Candidate> candidates = {candidate("a", 0, kA + "1-7"),
                                             candidate("b", 1, kA + "1-5," + kB + "1-2"),
                                             candidate("c", 2, kA + "1-5")};
  const auto choice = choose(candidates);
  const auto* diverged = std::get_if<Diverged>(&choice);
  ASSERT_NE(diverged, nullptr);
  ASSERT_EQ(diverged->leaders.size(), 2u);
  EXPECT_EQ(diverged->leaders[0].index, 0u);
  EXPECT_EQ(diverged->leaders[0].only_here.to_string(), kA + "6-7");
  EXPECT_EQ(diverged->leaders[1].index, 1u);
  EXPECT_EQ(diverged->leaders[1].only_here.to_string(), kB + "1-2");
}

TEST(CandidateChoice, WhoeverIsChosenHoldsWhatAnyoneHolds) {
  EXPECT_TRUE(rc::check("superset or diverged", [] {
    const auto lengths = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(1, 5), rc::gen::inRange(0, 3)));
    std::vector<Candidate> candidates;
    for (const auto& [a, b] : lengths) {
      const auto n = static_cast<int>(candidates.size());
      candidates.push_back(candidate(
          std::to_string(n), n,
          kA + "1-" + std::to_string(a) + (b ? "," + kB + "1-" + std::to_string(b) : "")));
    }
    GtidSet everything;
    for (const auto& one : candidates) everything.add(one.position);
    const auto choice = choose(candidates);
    const bool held = std::any_of(candidates.begin(), candidates.end(),
                                  [&](const auto& one) { return one.position == everything; });
    if (const auto* one = std::get_if<Chosen>(&choice)) {
      RC_ASSERT(candidates[one->index].position == everything);
    } else {
      RC_ASSERT(candidates.empty() || !held);
    }
  }));
}

}  // namespace
}  // namespace troupe::mysql
