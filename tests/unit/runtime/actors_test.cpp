#include "runtime/actors.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "tests/support/eventually.hpp"
#include "tests/unit/runtime/actors_fixture.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;
using Runs = std::vector<Texts>;

class ActorsTest : public test::ActorsFixture {};

Logic::Outcome broken(std::span<const Cause>) { throw std::runtime_error("invariant"); }
class NoTimers final : public Timers {
 public:
  void set(ActorId, TimePoint) override {}
};

Logic::Outcome idle(std::span<const Cause>) { return {}; }

TEST_F(ActorsTest, RunsFirstWhenItIsWoken) {
  const auto [id, script] = spawn();
  settle();
  EXPECT_TRUE(script->runs.empty());
  wake(id, "changed");
  EXPECT_EQ(actors_.totals().queued, 1u);
  EXPECT_EQ(actors_.info(id)->waiting, 1u);
  settle();
  EXPECT_EQ(script->runs, (Runs{{"changed"}}));
  EXPECT_EQ(actors_.totals().queued, 0u);
  EXPECT_EQ(actors_.info(id)->waiting, 0u);
}

TEST_F(ActorsTest, SeveralWakesBeforeARunAreOneRun) {
  const auto [id, script] = spawn();
  wake(id, "first");
  wake(id, "second");
  settle();
  EXPECT_EQ(script->runs, (Runs{{"first", "second"}}));
}

TEST_F(ActorsTest, CausesBeyondTheBoundAreMergedButResultsAreKept) {
  const auto [id, script] = spawn();
  for (std::size_t i = 0; i < Actors::kMaxCauses + 3; ++i) wake(id, "changed");
  wake(id, "result", CauseType::EffectResult);
  settle();
  ASSERT_EQ(script->runs.size(), 1u);
  EXPECT_EQ(script->runs[0].size(), Actors::kMaxCauses + 1);
  EXPECT_EQ(script->runs[0].back(), "result");
  EXPECT_EQ(history_.of(id).back().merged_causes, 3u);
  EXPECT_EQ(actors_.totals().merged_causes, 3u);
}

TEST_F(ActorsTest, AnAlarmIsKeptAmongManyOtherCauses) {
  const auto [id, script] = spawn();
  for (std::size_t i = 0; i < Actors::kMaxCauses; ++i) wake(id, "changed");
  auto death = cause(CauseType::Observation, "dying");
  death.alarm = true;
  for (std::size_t i = 0; i < Actors::kMaxCauses + 1; ++i) actors_.wake(id, Cause(death));
  settle();
  ASSERT_EQ(script->runs.size(), 1u);
  EXPECT_EQ(script->runs[0].size(), 2 * Actors::kMaxCauses);
  EXPECT_EQ(script->runs[0].back(), "dying");
  EXPECT_EQ(history_.of(id).back().merged_causes, 1u);
}

TEST_F(ActorsTest, AWakeDuringARunLeadsToAnother) {
  const auto [id, script] = spawn();
  script->run = [this, id = id, first = true](std::span<const Cause>) mutable {
    if (std::exchange(first, false)) wake(id, "again");
    return Logic::Outcome{};
  };
  wake(id, "changed");
  settle();
  EXPECT_EQ(script->runs, (Runs{{"changed"}, {"again"}}));
}

TEST_F(ActorsTest, TheRecordTellsTheWholeStory) {
  const auto [id, script] = spawn("default/db", "mysqlreplication");
  script->run = [this](std::span<const Cause> causes) {
    clock_.advance(3ms);
    Logic::Outcome outcome;
    outcome.id = causes.front().id;
    outcome.doing = "promote db-1";
    outcome.guards.push_back({"NotDrained", "12 transactions left", clock_.now()});
    outcome.effects.push_back({"promote db-1", "epoch 4"});
    return outcome;
  };
  const auto entered = clock_.now();
  actors_.wake(id, cause(CauseType::Observation, "process died", 42));
  clock_.advance(1ms);
  settle();
  const auto records = history_.of(CausalId{42});
  ASSERT_EQ(records.size(), 1u);
  const auto& r = records[0];
  EXPECT_EQ(r.actor, id);
  EXPECT_EQ(r.at, entered + 1ms);
  EXPECT_EQ(r.took, 3ms);
  ASSERT_EQ(r.causes.size(), 1u);
  EXPECT_EQ(r.causes[0].type, CauseType::Observation);
  EXPECT_EQ(r.causes[0].text, "process died");
  EXPECT_EQ(r.causes[0].at, entered);
  EXPECT_EQ(r.doing, "promote db-1");
  EXPECT_EQ(r.guards[0].rule, "NotDrained");
  EXPECT_EQ(r.effects[0].text, "epoch 4");

  const auto info = actors_.info(id).value();
  EXPECT_EQ(info.kind, "mysqlreplication");
  EXPECT_EQ(info.name, "default/db");
  EXPECT_EQ(info.doing, "promote db-1");
  EXPECT_EQ(info.guards, 1u);
  EXPECT_EQ(info.runs, 1u);
  EXPECT_EQ(info.last_run, r.wall);
}

TEST_F(ActorsTest, WakesItselfWhenItsOutcomeSaysSo) {
  const auto [id, script] = spawn();
  script->run = [this](std::span<const Cause>) {
    Logic::Outcome outcome;
    outcome.wake = clock_.now() + 10s;
    return outcome;
  };
  wake(id, "changed");
  settle();
  EXPECT_EQ(timers_.queue().next(), clock_.now() + 10s);
  advance(9s);
  EXPECT_EQ(script->runs.size(), 1u);
  advance(1s);
  EXPECT_EQ(script->runs.back(), Texts{"due"});
}

TEST_F(ActorsTest, ARunThatNamesNoTimeTakesBackTheLastOne) {
  const auto [id, script] = spawn();
  auto wake_at = clock_.now() + 10s;
  script->run = [&](std::span<const Cause>) {
    Logic::Outcome outcome;
    outcome.wake = wake_at;
    return outcome;
  };
  wake(id, "changed");
  settle();
  wake_at = TimePoint::max();
  wake(id, "changed");
  settle();
  EXPECT_EQ(timers_.queue().next(), std::nullopt);
}

TEST_F(ActorsTest, AFaultIsRecordedShownAndRetriedWithBackoff) {
  const auto [id, script] = spawn();
  script->run = broken;
  actors_.wake(id, cause(CauseType::Watch, "changed", 5));
  settle();
  EXPECT_EQ(script->faults, (std::vector<std::pair<std::string, bool>>{{"invariant", false}}));
  EXPECT_EQ(history_.of(CausalId{5})[0].fault, "invariant");
  EXPECT_EQ(actors_.info(id)->faults, 1u);
  EXPECT_TRUE(actors_.info(id)->failing);
  EXPECT_EQ(actors_.totals().faults, 1u);
  ASSERT_TRUE(timers_.queue().next());
  EXPECT_LE(*timers_.queue().next() - clock_.now(), 200ms);

  script->run = idle;
  advance(200ms);
  EXPECT_EQ(script->runs.size(), 2u);
  EXPECT_FALSE(actors_.info(id)->failing);
}

TEST_F(ActorsTest, WhileAFaultBacksOffCausesAreAbsorbedButDoNotRun) {
  const auto [id, script] = spawn();
  script->run = broken;
  wake(id, "first");
  settle();
  wake(id, "result of an effect", CauseType::EffectResult);
  settle();
  EXPECT_EQ(script->runs.size(), 1u);
  EXPECT_EQ(script->absorbed, (Texts{"first", "result of an effect"}));
}

TEST_F(ActorsTest, WhatWasAbsorbedDuringABackoffIsToldByTheNextRun) {
  const auto [id, script] = spawn();
  script->run = broken;
  wake(id, "first");
  settle();
  actors_.wake(id, cause(CauseType::EffectResult, "promoted", 7));
  for (std::size_t i = 0; i < Actors::kMaxCauses + 3; ++i) {
    wake(id, "changed");
    settle();
  }
  actors_.wake(id, cause(CauseType::EffectResult, "demoted", 8));
  settle();
  script->run = idle;
  advance(200ms);
  ASSERT_EQ(script->runs.size(), 2u);
  const auto& told = script->runs[1];
  ASSERT_EQ(told.size(), Actors::kMaxCauses + 2);
  EXPECT_EQ(told.front(), "promoted");
  EXPECT_EQ(told[Actors::kMaxCauses], "demoted");
  EXPECT_EQ(told.back(), "due");
  const auto record = history_.of(CausalId{7}).at(0);
  EXPECT_EQ(record.causes.size(), told.size());
  EXPECT_EQ(record.merged_causes, 4u);
  EXPECT_EQ(history_.of(CausalId{8}).size(), 1u);
  EXPECT_EQ(script->absorbed.size(), Actors::kMaxCauses + 7);  // nothing twice

  wake(id, "changed");
  settle();
  EXPECT_EQ(script->runs.back(), Texts{"changed"});
}

TEST_F(ActorsTest, WhatIsHeldBackPinsNoSnapshots) {
  const auto [id, script] = spawn();
  script->run = broken;
  wake(id, "first");
  settle();
  const auto snapshot = std::make_shared<const int>(1);
  Cause watch{.type = CauseType::Watch, .subject = snapshot};
  actors_.wake(id, watch);
  watch = {};
  settle();
  EXPECT_EQ(snapshot.use_count(), 1);
}

class QuarantinedActorTest : public test::ActorsFixture {
 protected:
  QuarantinedActorTest() {
    std::tie(id_, script_) = spawn();
    script_->run = broken;
    wake(id_, "changed");
    settle();
    while (script_->faults.size() < Actors::kQuarantineAfter) advance(1min);
  }

  ActorId id_;
  std::shared_ptr<test::Script> script_;
};

TEST_F(QuarantinedActorTest, IsShownAsSuch) {
  EXPECT_TRUE(script_->faults.back().second);
  EXPECT_FALSE(script_->faults[Actors::kQuarantineAfter - 2].second);
  EXPECT_TRUE(actors_.info(id_)->quarantined);
  EXPECT_EQ(actors_.totals().quarantined, 1u);
  EXPECT_EQ(*timers_.queue().next() - clock_.now(), Actors::kQuarantine);
}

TEST_F(QuarantinedActorTest, AbsorbsButDoesNotRun) {
  const auto runs = script_->runs.size();
  wake(id_, "changed again");
  settle();
  EXPECT_EQ(script_->runs.size(), runs);
  EXPECT_EQ(script_->absorbed.back(), "changed again");
}

TEST_F(QuarantinedActorTest, TriesAgainWhenItsTimeIsOver) {
  const auto runs = script_->runs.size();
  advance(Actors::kQuarantine);
  EXPECT_EQ(script_->runs.size(), runs + 1);
  EXPECT_TRUE(actors_.info(id_)->quarantined);  // it threw again
  script_->run = idle;
  advance(Actors::kQuarantine);
  EXPECT_FALSE(actors_.info(id_)->quarantined);
  EXPECT_EQ(actors_.totals().quarantined, 0u);
}

TEST_F(QuarantinedActorTest, IsReleasedByHand) {
  script_->run = idle;
  actors_.release(id_);
  settle();
  EXPECT_EQ(script_->runs.back(), Texts{"released"});
  EXPECT_FALSE(actors_.info(id_)->quarantined);
}

TEST_F(QuarantinedActorTest, AnActorThatEndsLeavesTheCount) {
  actors_.stop(id_);
  settle();
  EXPECT_EQ(actors_.totals().quarantined, 0u);
}

TEST_F(QuarantinedActorTest, ToEndDuringTheRunThatReleasesItIsCountedOnce) {
  script_->run = [this](std::span<const Cause>) {
    actors_.stop(id_);
    return Logic::Outcome{};
  };
  actors_.release(id_);
  settle();
  EXPECT_EQ(actors_.totals().quarantined, 0u);
}

TEST_F(ActorsTest, OneActorsFaultDisturbsNobodyElse) {
  const auto [bad, bad_script] = spawn("default/bad");
  const auto [good, good_script] = spawn("default/good");
  bad_script->run = broken;
  wake(bad, "changed");
  wake(good, "changed");
  settle();
  EXPECT_EQ(good_script->runs.size(), 1u);
  EXPECT_TRUE(good_script->faults.empty());
}

TEST_F(ActorsTest, AStoppedActorIsGone) {
  const auto [id, script] = spawn();
  wake(id, "changed");
  settle();
  actors_.stop(id);
  wake(id, "too late");
  settle();
  EXPECT_TRUE(script->destroyed);
  EXPECT_EQ(script->runs.size(), 1u);
  EXPECT_FALSE(actors_.info(id));
  EXPECT_TRUE(actors_.list().empty());
  EXPECT_TRUE(history_.of(id).empty());
  EXPECT_EQ(timers_.queue().next(), std::nullopt);
  EXPECT_EQ(actors_.totals().actors, 0u);
  EXPECT_EQ(actors_.totals().queued, 0u);
}

TEST_F(ActorsTest, ANewActorInheritsNothingFromWhoHadItsPlace) {
  const auto [old_id, old_script] = spawn("default/old");
  old_script->run = [this, id = old_id](std::span<const Cause>) {
    actors_.stop(id);  // while it runs: its record and its timer come afterwards
    Logic::Outcome outcome;
    outcome.doing = "of the old one";
    outcome.wake = clock_.now() + 1s;
    return outcome;
  };
  wake(old_id, "changed");
  settle();
  EXPECT_EQ(timers_.queue().next(), std::nullopt);
  EXPECT_EQ(history_.bytes(), 0u);
  const auto [new_id, new_script] = spawn("default/new");
  ASSERT_EQ(new_id.place(), old_id.place());
  const auto info = actors_.info(new_id).value();
  EXPECT_EQ(info.name, "default/new");
  EXPECT_EQ(info.runs, 0u);
  EXPECT_EQ(info.doing, "");
  EXPECT_EQ(info.last_run, WallTime{});
}

TEST_F(ActorsTest, WhatIsAddressedToAnEndedActorReachesNobody) {
  const auto [old_id, old_script] = spawn("default/old");
  wake(old_id, "changed");
  actors_.stop(old_id);  // with a run in its mailbox
  const auto [new_id, new_script] = spawn("default/new");
  ASSERT_EQ(new_id.place(), old_id.place());
  EXPECT_EQ(actors_.totals().queued, 0u);

  wake(old_id, "a late result", CauseType::EffectResult);
  actors_.release(old_id);
  std::string answer = "none";
  actors_.ask_state(old_id, [&](std::string state) { answer = std::move(state); });
  settle();
  EXPECT_TRUE(new_script->absorbed.empty());
  EXPECT_TRUE(new_script->runs.empty());
  EXPECT_EQ(answer, "none");
  EXPECT_FALSE(actors_.info(old_id));
  actors_.stop(old_id);
  EXPECT_TRUE(actors_.info(new_id));

  wake(new_id, "changed");
  settle();
  EXPECT_EQ(new_script->runs, (Runs{{"changed"}}));
}

TEST_F(ActorsTest, AFactoryThatThrowsLeavesNothingBehind) {
  ActorId told;
  EXPECT_THROW(actors_.spawn("unit", "default/a",
                             [&](ActorId id) -> std::unique_ptr<Logic> {
                               told = id;
                               throw std::runtime_error("no");
                             }),
               std::runtime_error);
  EXPECT_TRUE(actors_.list().empty());
  const auto [id, script] = spawn();
  EXPECT_EQ(id.place(), told.place());
  EXPECT_NE(id, told);
}

TEST_F(ActorsTest, AStoppedLogicIsGoneAtOnceUnlessItRuns) {
  const auto [idle_id, idle_script] = spawn("default/idle");
  actors_.stop(idle_id);
  EXPECT_TRUE(idle_script->destroyed);

  const auto [busy_id, busy_script] = spawn("default/busy");
  bool destroyed_in_run = true;
  busy_script->run = [&, id = busy_id, script = busy_script.get()](std::span<const Cause>) {
    actors_.stop(id);
    destroyed_in_run = script->destroyed;
    return Logic::Outcome{};
  };
  wake(busy_id, "changed");
  settle();
  EXPECT_FALSE(destroyed_in_run);
  EXPECT_TRUE(busy_script->destroyed);
}

TEST_F(ActorsTest, AnswersWithTheStateOfItsLogic) {
  const auto [id, script] = spawn();
  script->state = "{\"epoch\":4}";
  std::string answer;
  actors_.ask_state(id, [&](std::string state) { answer = std::move(state); });
  settle();
  EXPECT_EQ(answer, "{\"epoch\":4}");
}

TEST_F(ActorsTest, ListsTheLiving) {
  const auto [a, script_a] = spawn("default/a", "unit");
  const auto [b, script_b] = spawn("default/b", "unitset");
  actors_.stop(a);
  settle();
  const auto list = actors_.list();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].id, b);
  EXPECT_EQ(list[0].kind, "unitset");
}

TEST_F(ActorsTest, CausalIdsAreNeverGivenTwice) {
  EXPECT_NE(actors_.next_causal_id(), actors_.next_causal_id());
  EXPECT_TRUE(actors_.next_causal_id());
}

// What the actors use goes first, as in a program whose actor_system outlives its parts.
TEST(Actors, TouchNothingOnceTheyAreDestroyed) {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", std::size_t{2});
  caf::actor_system system(config);
  for (int round = 0; round < 20; ++round) {
    auto clock = std::make_unique<ManualClock>();
    auto timers = std::make_unique<NoTimers>();
    auto history = std::make_unique<History>();
    auto actors = std::make_unique<Actors>(system, *clock, *timers, *history);
    std::vector<std::shared_ptr<test::Script>> scripts;
    std::atomic<int> runs = 0;
    for (int i = 0; i < 50; ++i) {
      auto& script = scripts.emplace_back(std::make_shared<test::Script>());
      script->run = [&runs](std::span<const Cause>) {
        ++runs;
        return Logic::Outcome{};
      };
      const auto id = actors->spawn("unit", "default/a", [&](ActorId) {
        return std::make_unique<test::ScriptedLogic>(script);
      });
      actors->wake(id, make_cause(CauseType::Watch, CausalId{1}, {}, "changed"));
    }
    ASSERT_TRUE(support::eventually([&] { return runs > round; }));
    actors.reset();
    history.reset();
    timers.reset();
    clock.reset();
    for (const auto& script : scripts) EXPECT_TRUE(script->destroyed);
  }
}

}  // namespace
}  // namespace troupe
