#include "actors/model/causality.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace troupe::actors {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

CausalId id(std::uint64_t value) { return CausalId{value}; }

Cause event(std::uint64_t chain) {
  return make_cause(CauseType::Observation, id(chain), TimePoint(), "seen");
}
Cause death(std::uint64_t chain) {
  auto cause = event(chain);
  cause.alarm = true;
  return cause;
}
Cause timer() { return make_cause(CauseType::Timer, id(99), TimePoint(), "timer"); }
Cause result(std::uint64_t chain, bool step) {
  auto r = std::make_shared<EffectResult>();
  r->step = step;
  return Cause{CauseType::EffectResult, id(chain), TimePoint(), 0, std::move(r), nullptr};
}
CausalId chain(std::vector<Cause> causes, CausalId retrying = {}) {
  return chain_of_run(causes, retrying);
}

TEST(ChainOfRun, AnOperationsStepGoesOnWithItsOwnChainWhateverHappensMeanwhile) {
  EXPECT_EQ(chain({event(7), result(5, true), event(8)}), id(5));
  EXPECT_EQ(chain({result(6, true), result(5, true)}), id(5));
}

TEST(ChainOfRun, ADeathBeginsItsStoryAlsoWhereOldNewsIsStillBeingWritten) {
  EXPECT_EQ(chain({result(5, false), event(7)}), id(7));
  EXPECT_EQ(chain({event(7), event(8)}), id(7));
}

TEST(ChainOfRun, ADeathIsFollowedWhateverElseWokeItsRun) {
  EXPECT_EQ(chain({event(7), death(9), event(8)}), id(9));
  EXPECT_EQ(chain({death(9), death(10)}), id(9));
  EXPECT_EQ(chain({death(9)}, id(4)), id(9));
  EXPECT_EQ(chain({death(9), result(5, true)}), id(5));
}

TEST(ChainOfRun, AnotherTryBelongsToTheChainThatTriedFirst) {
  EXPECT_EQ(chain({timer()}, id(4)), id(4));
  EXPECT_EQ(chain({event(7)}, id(4)), id(4));
  EXPECT_EQ(chain({result(5, true)}, id(4)), id(5));
}

TEST(ChainOfRun, WhatWasOnlyKeptOrToldComesLastAndATimerBeginsAChain) {
  EXPECT_EQ(chain({result(6, false), result(5, false)}), id(5));
  EXPECT_FALSE(chain({timer()}));
  EXPECT_FALSE(chain({}));
}

TEST(ChainOfRun, ACommandAndAConditionalWriteAreStepsAndNothingElse) {
  EXPECT_TRUE(is_step({"step", AskAgent{}}));
  EXPECT_TRUE(is_step(
      {"record",
       Apply{.object = {}, .manager = "m", .body = "{}", .expected = k8s::ResourceVersion{4}}}));
  EXPECT_TRUE(is_step({"sign authority", AdvanceAuthority{}}));
  EXPECT_FALSE(is_step({"status", Apply{}}));
  EXPECT_FALSE(is_step({"store authority", StoreAuthority{}}));
  EXPECT_FALSE(is_step({"event", EmitEvent{}}));
  EXPECT_FALSE(is_step({"probe", ProbeNow{}}));
}

class EndpointChainsTest : public ::testing::Test {
 protected:
  static agent::AgentObservation agent(agent::ProcessState state, bool dying = false) {
    agent::AgentObservation seen;
    seen.stream = agent::StreamState::Connected;
    seen.process.state = state;
    seen.process.dying = dying;
    return seen;
  }
  CausalId see(agent::ProcessState state, bool dying = false) {
    return chains.of_agent(agent(state, dying), now, id(++newest));
  }
  CausalId probe(bool answers = true) { return chains.of_server(answers, now, id(++newest)); }

  EndpointChains chains;
  TimePoint now = TimePoint(minutes(60));
  std::uint64_t newest = 100;
};

using enum agent::ProcessState;

TEST_F(EndpointChainsTest, ADeathTheRestartsAndBeingWellAgainAreOneStory) {
  EXPECT_EQ(see(Running), id(101));
  const auto death = see(Running, true);
  EXPECT_EQ(death, id(102));
  EXPECT_EQ(see(Starting, true), death);
  EXPECT_EQ(probe(), death);
  EXPECT_EQ(see(Backoff), death);
  EXPECT_EQ(see(Starting), death);
  EXPECT_EQ(see(Running), death);
  EXPECT_NE(see(Running), death);
  EXPECT_NE(probe(), death);
}

TEST_F(EndpointChainsTest, AServerThatIsLostJustBeforeItsAgentTellsOfItsDeathBeginsTheStory) {
  const auto loss = probe(false);
  EXPECT_EQ(probe(false), loss);
  now += EndpointChains::kSameDeath - seconds(1);
  EXPECT_EQ(see(Running, true), loss);
  now += EndpointChains::kSameDeath;
  EXPECT_EQ(see(Backoff), loss);
  EXPECT_EQ(see(Running), loss);
  EXPECT_NE(see(Running, true), loss);
}

TEST_F(EndpointChainsTest, AServerThatWasLostLongAgoOrAnswersAgainHasNothingToDoWithADeath) {
  auto loss = probe(false);
  EXPECT_NE(see(Running), loss) << "its process is well";
  now += EndpointChains::kSameDeath;
  EXPECT_NE(see(Running, true), loss);
  see(Running);
  loss = probe(false);
  probe();
  EXPECT_NE(see(Running, true), loss);
}

TEST_F(EndpointChainsTest, WhatIsSeenDuringACommandComesOfIt) {
  chains.begin(id(50));
  EXPECT_EQ(see(Backoff), id(50));
  EXPECT_EQ(probe(), id(50));
  chains.end(id(50));
  EXPECT_EQ(see(Starting), id(50)) << "the command's restart goes on";
  EXPECT_EQ(see(Running), id(50));
  EXPECT_NE(see(Running), id(50));
}

TEST_F(EndpointChainsTest, TheFirstLookAtTheServerAfterACommandShowsWhatItDid) {
  chains.begin(id(50));
  chains.end(id(50));
  EXPECT_EQ(probe(), id(50));
  EXPECT_NE(probe(), id(50));
}

TEST_F(EndpointChainsTest, OfSeveralCommandsTheLastOneCounts) {
  chains.begin(id(50));
  chains.begin(id(60));
  EXPECT_EQ(see(Running), id(60));
  chains.end(id(60));
  EXPECT_EQ(see(Running), id(50));
}

TEST_F(EndpointChainsTest, AnEndpointThatNeverComesToRestBeginsANewStoryInTheEnd) {
  const auto death = see(Running, true);
  now += EndpointChains::kLongestStory - seconds(1);
  EXPECT_EQ(see(Backoff), death);
  now += seconds(1);
  const auto second = see(Backoff);
  EXPECT_NE(second, death);
  EXPECT_EQ(see(Starting), second);
}

}  // namespace
}  // namespace troupe::actors
