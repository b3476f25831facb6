#include "runtime/history.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace troupe {
namespace {

using namespace std::chrono_literals;

constexpr ActorId kA{1}, kB{2};

Record run_of(ActorId actor, std::string doing, std::uint64_t chain = 0) {
  Record record;
  record.actor = actor;
  record.id = CausalId{chain};
  record.doing = std::move(doing);
  return record;
}

std::vector<std::string> doings(const std::vector<Record>& records) {
  std::vector<std::string> out;
  for (const auto& r : records) out.push_back(r.doing);
  return out;
}

using Doings = std::vector<std::string>;

TEST(History, KeepsEachActorsRunsInOrder) {
  History history;
  history.add(run_of(kA, "one"));
  history.add(run_of(kB, "other"));
  history.add(run_of(kA, "two"));
  EXPECT_EQ(doings(history.of(kA)), (Doings{"one", "two"}));
  EXPECT_EQ(history.of(kA)[0].sequence, 1u);
  EXPECT_EQ(history.of(kA)[1].sequence, 2u);
  EXPECT_EQ(history.of(kB)[0].sequence, 1u);
  EXPECT_EQ(doings(history.newest(2)), (Doings{"two", "other"}));
  EXPECT_TRUE(history.of(ActorId{9}).empty());
}

TEST(History, ARunThatSaysNothingNewIsOnlyCounted) {
  History history;
  auto first = run_of(kA, "waiting");
  first.guards.push_back({"NoQuorum", "1 of 3 seen", {}});
  history.add(first);
  auto again = first;
  again.guards[0].text = "1 of 3 seen 4.1s ago";
  again.wall = WallTime(5s);
  history.add(again);
  const auto records = history.of(kA);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].quiet_runs, 1u);
  EXPECT_EQ(records[0].last_quiet, WallTime(5s));
}

TEST(History, AQuietRunRenewsTheGuardsTexts) {
  History history;
  auto run = run_of(kA, "waiting");
  run.guards.push_back({"NoQuorum", "1 of 3 seen", TimePoint(1s)});
  history.add(run);
  run.guards[0].text = "1 of 3 seen, the last one 4.1s ago, and a longer text than the first";
  history.add(run);
  EXPECT_EQ(history.of(kA)[0].guards, run.guards);
  EXPECT_EQ(history.of(kA)[0].quiet_runs, 1u);
  const auto bytes = history.bytes();
  history.add(run);
  EXPECT_EQ(history.bytes(), bytes);
  history.forget(kA);
  EXPECT_EQ(history.bytes(), 0u);
}

TEST(History, WhatBecameOfAnEffectIsAlwaysNews) {
  History history;
  const auto run = run_of(kA, "steady");
  const auto with = [](CauseType type) {
    return std::vector{make_cause(type, CausalId{1}, {}, "done in 3ms: apply Pod default/db-0")};
  };
  history.add(run);
  history.add(run, with(CauseType::Watch));
  EXPECT_EQ(history.of(kA).size(), 1u);
  history.add(run, with(CauseType::EffectResult));
  ASSERT_EQ(history.of(kA).size(), 2u);
  history.add(run);  // after it, the same again is not
  EXPECT_EQ(history.of(kA).size(), 2u);
  EXPECT_EQ(history.of(kA)[1].quiet_runs, 1u);
}

TEST(History, EffectsFaultsGuardsAndDoingsMakeARunNew) {
  History history;
  const auto base = run_of(kA, "steady");
  history.add(base);
  auto with_effect = base;
  with_effect.effects.push_back({"apply Pod default/db-0", ""});
  history.add(with_effect);
  history.add(with_effect);
  auto with_guard = base;
  with_guard.guards.push_back({"NoQuorum", "", {}});
  history.add(with_guard);
  auto with_fault = base;
  with_fault.fault = "broken";
  history.add(with_fault);
  history.add(base);  // after a fault, that it works again is news
  EXPECT_EQ(history.of(kA).size(), 6u);
}

TEST(History, FindsAChainByItsRunsAndByTheirCauses) {
  History history;
  history.add(run_of(kA, "led", 7));
  auto caused = run_of(kB, "followed", 8);
  caused.causes.push_back({CauseType::Observation, CausalId{7}, "process died", {}});
  history.add(caused);
  history.add(run_of(kB, "unrelated", 9));
  EXPECT_EQ(doings(history.of(CausalId{7})), (Doings{"led", "followed"}));
  EXPECT_EQ(doings(history.of(CausalId{8})), (Doings{"followed"}));
}

TEST(History, AnActorKeepsItsNewestRuns) {
  History history;
  for (int i = 0; i < 300; ++i) history.add(run_of(kA, std::to_string(i)));
  const auto records = history.of(kA);
  ASSERT_EQ(records.size(), History::kMaxRecords);
  EXPECT_EQ(records.front().doing, "44");
  EXPECT_EQ(records.back().doing, "299");
  EXPECT_EQ(history.evicted(), 44u);
}

// In one shard all of it, so that they share what a shard may spend.
constexpr ActorId kNoisy{0}, kQuiet{History::kShards};

TEST(History, TheBudgetTakesWhatWasSucceededFirst) {
  History history(History::kShards * 4096);
  for (int i = 0; i < 3; ++i) history.add(run_of(kQuiet, "quiet " + std::to_string(i)));
  for (int i = 0; i < 100; ++i) history.add(run_of(kNoisy, std::to_string(i)));
  EXPECT_EQ(doings(history.of(kQuiet)), (Doings{"quiet 2"}));
  EXPECT_EQ(history.of(kNoisy).back().doing, "99");
  EXPECT_LT(history.of(kNoisy).size(), 100u);
  EXPECT_GT(history.of(kNoisy).size(), 10u);
  EXPECT_EQ(history.evicted(), 102 - history.of(kNoisy).size());
}

TEST(History, NoNoiseTakesAnActorsLastRecord) {
  History history(0);
  for (std::uint64_t i = 0; i < 100; ++i) history.add(run_of(ActorId{i}, "last"));
  for (int i = 0; i < 1000; ++i) history.add(run_of(kNoisy, std::to_string(i)));
  for (std::uint64_t i = 1; i < 100; ++i) EXPECT_EQ(doings(history.of(ActorId{i})), Doings{"last"});
  EXPECT_EQ(doings(history.of(kNoisy)), Doings{"999"});
}

TEST(History, AnIdleActorTakesLessThanAThirdOfAKilobyte) {
  constexpr std::uint64_t kActors = 1000;
  History history;
  for (std::uint64_t i = 0; i < kActors; ++i) {
    auto run = run_of(ActorId{i}, "three of three Units are ready", i + 1);
    run.at = TimePoint(48h);
    run.wall = WallTime(500'000h);
    run.causes.push_back({CauseType::Watch, CausalId{i + 1},
                          "modified UnitSet.upm.syntropycloud.io tenant/mysql-000001 at 123456789",
                          run.at - 2ms});
    history.add(run);
  }
  EXPECT_LT(history.bytes() / kActors, 330u);
}

TEST(History, WhatIsDroppedIsNotFoundByItsChain) {
  History history(0);
  history.add(run_of(kA, "dropped", 7));
  history.add(run_of(kA, "kept", 8));
  history.add(run_of(kB, "forgotten", 8));
  history.forget(kB);
  EXPECT_TRUE(history.of(CausalId{7}).empty());
  EXPECT_EQ(doings(history.of(CausalId{8})), Doings{"kept"});
}

TEST(History, AChainOfManyActorsIsToldFromItsBeginning) {
  History history;
  for (std::uint64_t i = 0; i < 100; ++i) history.add(run_of(ActorId{i}, std::to_string(i), 7));
  EXPECT_EQ(doings(history.of(CausalId{7}, 3)), (Doings{"0", "1", "2"}));
  EXPECT_EQ(history.of(CausalId{7}).size(), 100u);
}

TEST(History, CausesAreToldBehindThoseOfTheRun) {
  History history;
  history.add(run_of(kA, "doing"),
              std::vector{make_cause(CauseType::Observation, CausalId{3}, TimePoint(1s), "died")});
  const auto causes = history.of(kA).at(0).causes;
  ASSERT_EQ(causes.size(), 1u);
  EXPECT_EQ(causes[0],
            (Record::CauseText{CauseType::Observation, CausalId{3}, "died", TimePoint(1s)}));
  EXPECT_EQ(doings(history.of(CausalId{3})), Doings{"doing"});
}

// Rendering is most of what a run costs, and nearly all runs are quiet.
TEST(History, ACauseOfARunThatIsOnlyCountedIsNotRendered) {
  History history;
  history.add(run_of(kA, "steady"));
  Cause loud;
  loud.describe = [](const Cause&) -> std::string { throw std::logic_error("rendered"); };
  EXPECT_NO_THROW(history.add(run_of(kA, "steady"), std::vector{loud}));
  EXPECT_THROW(history.add(run_of(kA, "busy"), std::vector{loud}), std::logic_error);
}

// Each actor's runs come from one thread at a time, those of different actors from several.
TEST(History, ManyThreadsAddAndRead) {
  History history(History::kShards * 2048);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&history, t] {
      for (std::uint64_t i = 0; i < 500; ++i) {
        history.add(run_of(ActorId{4 * (i % 8) + t}, std::to_string(i), i + 1));
        if (i % 50 == 0) history.newest(5);
        if (i % 50 == 1) history.of(CausalId{i});
        if (i % 100 == 99) history.forget(ActorId{4 * (i % 8) + t});
      }
    });
  for (auto& thread : threads) thread.join();
  for (std::uint64_t i = 0; i < 32; ++i) history.forget(ActorId{i});
  EXPECT_EQ(history.bytes(), 0u);
  EXPECT_TRUE(history.newest(1).empty());
}

TEST(History, ForgettingAnActorFreesItsRuns) {
  History history;
  history.add(run_of(kB, "stays"));
  const auto before = history.bytes();
  history.add(run_of(kA, "goes"));
  history.forget(kA);
  history.forget(kA);
  EXPECT_EQ(history.bytes(), before);
  EXPECT_TRUE(history.of(kA).empty());
  EXPECT_EQ(history.newest(9).size(), 1u);
}

}  // namespace
}  // namespace troupe
