#include "runtime/console/json.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace troupe::console {
namespace {

using namespace std::chrono_literals;

ActorName name_of(ActorId id) { return {"unit", "default/db-" + std::to_string(id.value)}; }

Record record_at(Duration since_start) {
  Record record;
  record.actor = ActorId{1};
  record.sequence = 3;
  record.id = CausalId{42};
  record.at = TimePoint(1h + since_start);
  record.wall = WallTime(std::chrono::seconds(1'769'860'800)) +
                std::chrono::duration_cast<std::chrono::microseconds>(since_start);
  return record;
}

TEST(ConsoleJson, ARecordTellsCauseGuardsAndEffectsWithWallTimes) {
  auto record = record_at(1s);
  record.took = 1500ns;
  record.causes.push_back(
      {CauseType::Observation, CausalId{42}, "process died", record.at - 250ms});
  // A status says 12:00:00, and was reckoned a moment before this record.
  record.guards.push_back({"NoQuorum", "1 of 3", record.at - 1s - 300us});
  record.effects.push_back({"promote db-1", "epoch 4"});
  record.doing = "failover";
  EXPECT_EQ(
      boost::json::serialize(to_json(record, name_of)),
      R"({"actor":{"id":1,"kind":"unit","name":"default/db-1"},"sequence":3,"chain":"42",)"
      R"("at":"2026-01-31T12:00:01.000000Z","tookMicros":1,)"
      R"("causes":[{"type":"observation","chain":"42","text":"process died",)"
      R"("at":"2026-01-31T12:00:00.750000Z"}],"mergedCauses":0,"doing":"failover",)"
      R"("guards":[{"rule":"NoQuorum","text":"1 of 3","since":"2026-01-31T12:00:00.000000Z"}],)"
      R"("effects":[{"key":"promote db-1","text":"epoch 4"}],"fault":null,"quietRuns":0,)"
      R"("lastQuiet":null})");
}

TEST(ConsoleJson, WhatWasNeverSeenIsNull) {
  auto record = record_at(0s);
  record.guards.push_back({"NoQuorum", "", {}});
  record.causes.push_back({CauseType::Start, {}, "start", {}});
  const auto json = to_json(record, name_of);
  EXPECT_TRUE(json.at("guards").at(0).at("since").is_null());
  EXPECT_TRUE(json.at("causes").at(0).at("at").is_null());
  EXPECT_TRUE(to_json(ActorInfo{}).at("lastRun").is_null());
}

TEST(ConsoleJson, AChainIsOrderedAndCountedFromItsFirstCause) {
  auto second = record_at(30ms);
  auto first = record_at(20ms);
  first.causes.push_back({CauseType::Observation, CausalId{42}, "process died", first.at - 15ms});
  first.causes.push_back({CauseType::Timer, CausalId{7}, "another chain's", first.at - 10s});
  const auto json = chain_to_json(CausalId{42}, {second, first}, name_of, 10);
  EXPECT_EQ(json.at("begin"), "2026-01-31T12:00:00.005000Z");
  EXPECT_EQ(json.at("records").at(0).at("offsetMicros"), 15'000);
  EXPECT_EQ(json.at("records").at(1).at("offsetMicros"), 25'000);
  EXPECT_EQ(json.at("truncated"), false);
}

TEST(ConsoleJson, ALongChainIsCutAtItsEnd) {
  const auto json =
      chain_to_json(CausalId{42}, {record_at(2s), record_at(1s), record_at(3s)}, name_of, 2);
  EXPECT_EQ(json.at("truncated"), true);
  ASSERT_EQ(json.at("records").as_array().size(), 2u);
  EXPECT_EQ(json.at("records").at(1).at("offsetMicros"), 1'000'000);
}

TEST(ConsoleJson, AChainsIdMayExceedWhatJavaScriptsNumbersHold) {
  auto record = record_at(0s);
  record.id = CausalId{UINT64_MAX};
  EXPECT_EQ(to_json(record, name_of).at("chain"), "18446744073709551615");
}

}  // namespace
}  // namespace troupe::console
