#include "runtime/model/record_codec.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

Record full() {
  Record r;
  r.sequence = 300;
  r.id = CausalId{UINT64_MAX};
  r.wall = WallTime(500'000h);
  r.at = TimePoint(48h);
  r.took = 3ms;
  r.causes = {{CauseType::Observation, CausalId{7}, "process died", r.at - 2ms},
              {CauseType::EffectResult, CausalId{}, "", TimePoint{}},
              {CauseType::Manual, CausalId{8}, "later than the run", r.at + 1s}};
  r.merged_causes = 5;
  r.doing = "promote db-1";
  r.guards = {{"NotDrained", "12 transactions left", TimePoint::max()},
              {"NoQuorum", "", TimePoint::min()}};
  r.effects = {{"promote db-1", "epoch 4"}};
  r.fault = "broken";
  return r;
}

TEST(RecordCodec, GivesBackWhatItWasGiven) {
  EXPECT_EQ(decode(encode(full())), full());
  EXPECT_EQ(decode(encode(Record{})), Record{});
}

TEST(RecordCodec, TakesLittleMoreThanTheTexts) {
  EXPECT_LT(encode(full()).size(), 250u);
  EXPECT_LT(encode(Record{}).size(), 16u);
}

TEST(RecordCodec, CutsLongTexts) {
  Record r;
  r.fault = std::string(kMaxRecordText, 'x');
  EXPECT_EQ(decode(encode(r)).fault, r.fault);
  r.fault += 'x';
  const auto cut = decode(encode(r)).fault;
  EXPECT_EQ(cut, std::string(kMaxRecordText - 3, 'x') + "...");
}

TEST(RecordCodec, CutsNoCharacterInTwo) {
  Record r;
  for (const auto* padding : {"", "a", "aa"}) {
    r.doing = padding;
    while (r.doing.size() <= kMaxRecordText) r.doing += "\u20ac";  // three bytes
    auto cut = decode(encode(r)).doing;
    ASSERT_TRUE(cut.ends_with("..."));
    cut.resize(cut.size() - 3);
    EXPECT_TRUE(cut.ends_with("\u20ac"));
    EXPECT_LE(cut.size(), kMaxRecordText - 3);
  }
}

}  // namespace
}  // namespace troupe
