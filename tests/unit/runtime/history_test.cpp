#include "runtime/history.hpp"

#include <gtest/gtest.h>

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

TEST(History, TheBudgetDropsTheOldestOfTheProcess) {
  History history(4096);
  history.add(run_of(kA, "oldest"));
  for (int i = 0; i < 50; ++i) history.add(run_of(kB, std::to_string(i)));
  EXPECT_LE(history.bytes(), 4096u);
  EXPECT_TRUE(history.of(kA).empty());
  EXPECT_EQ(history.of(kB).back().doing, "49");
  EXPECT_EQ(history.evicted(), 51 - history.of(kB).size());
}

TEST(History, ARunLargerThanTheBudgetIsStillShown) {
  History history(64);
  history.add(run_of(kA, std::string(1000, 'x')));
  history.add(run_of(kA, std::string(1000, 'y')));
  ASSERT_EQ(history.of(kA).size(), 1u);
  EXPECT_EQ(history.of(kA)[0].doing[0], 'y');
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
