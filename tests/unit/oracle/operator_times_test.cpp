#include "tests/oracle/operator_times.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

namespace troupe::oracle {
namespace {

constexpr std::int64_t kNoon = 1'769'860'800'000'000;  // 2026-01-31T12:00:00Z

// A run at `millis` past noon.
boost::json::object run(const std::string& millis, bool record, const std::string& cause = "") {
  boost::json::array effects, causes;
  if (record) effects.push_back(boost::json::object{{"key", "record"}});
  if (!cause.empty()) causes.push_back(boost::json::object{{"text", cause}});
  return {{"at", "2026-01-31T12:00:00." + millis + "000Z"},
          {"effects", std::move(effects)},
          {"causes", std::move(causes)}};
}

boost::json::value history(boost::json::array runs) { return {{"records", std::move(runs)}}; }

TEST(OperatorTimes, AreTheFirstRecordAndThePromotionAfterTheKill) {
  const auto times =
      times_in(history({run("110", false), run("112", true), run("150", true),
                        run("180", false, "done: OpenForWrites on db-1"), run("181", true)}),
               {.asked = kNoon + 100'000, .last_alive = kNoon + 100'000});
  EXPECT_DOUBLE_EQ(times.detected().value(), 12);
  EXPECT_DOUBLE_EQ(times.promoted().value(), 80);
}

boost::json::object step(const std::string& millis, const std::string& key) {
  auto out = run(millis, false);
  out["effects"].as_array().push_back(boost::json::object{{"key", key}});
  return out;
}

TEST(OperatorTimes, SayWhenEachPhaseOfTheFailoverEnded) {
  const auto times = times_in(
      history({run("101", true), step("110", "step db-1 StopReceiver 2 "), run("120", true),
               step("130", "step db-1 Promote 2 "), step("140", "step db-1 Open 2 "),
               run("145", false, "done in 5ms: apply Pod default/db-1 as troupe-replication"),
               run("150", false, "done in 9ms: apply Pod default/db-1 as troupe-replication"),
               run("160", true, "done in 20ms: ask the agent of db-1: OpenForWrites (epoch 2)"),
               run("170", false, "done in 9ms: apply Pod default/db-1 as troupe-replication")}),
      {.asked = kNoon + 100'000, .last_alive = kNoon + 100'000});
  const std::vector<std::pair<std::string, double>> expected{
      {"detected", 1},         {"recorded", 10}, {"receivers stopped", 20},
      {"choice recorded", 30}, {"promoted", 40}, {"routed", 50},
      {"opened", 60}};
  EXPECT_EQ(times.phases, expected);
}

TEST(OperatorTimes, WhatWasDoneBeforeTheKillWasAskedForIsNoAnswerToIt) {
  const auto times = times_in(history({run("099", true), run("120", true)}),
                              {.asked = kNoon + 100'000, .last_alive = kNoon + 100'000});
  EXPECT_DOUBLE_EQ(times.detected().value(), 20);
}

TEST(OperatorTimes, APodsDeletionMayBeActedOnBeforeItsProcessHasDied) {
  const auto times = times_in(history({run("150", true)}),
                              {.asked = kNoon + 100'000, .last_alive = kNoon + 160'000});
  EXPECT_DOUBLE_EQ(times.detected().value(), -10);
}

TEST(OperatorTimes, AreThoseThatClientsWaitedForWhateverWasHeardOfLater) {
  const OperatorTimes times{{{"detected", -10}, {"promoted", 300}, {"opened", 364}}};
  const std::vector<std::pair<std::string, double>> expected{
      {"detected", 0}, {"promoted", 300}, {"opened", 310}};
  EXPECT_EQ(times.until(310), expected);
}

TEST(OperatorTimes, AreNothingWhereTheHistoryTellsNothing) {
  for (const auto& empty : {history({}), boost::json::value(nullptr)}) {
    const auto times = times_in(empty, {.asked = kNoon, .last_alive = kNoon});
    EXPECT_FALSE(times.detected());
    EXPECT_FALSE(times.promoted());
  }
}

}  // namespace
}  // namespace troupe::oracle
