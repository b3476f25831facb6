#include "actors/host/fault_point.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Answers at once.
class Told final : public Gateways {
 public:
  void start(ActorId, CausalId, const Effect& effect, Done done) override {
    keys.push_back(effect.key);
    done({});
  }
  std::vector<std::string> keys;
};

class FaultPointTest : public ::testing::Test {
 protected:
  // How many of these effects were carried out, and how many answers were heard, up to the point.
  std::pair<std::size_t, int> until(const char* point, std::vector<std::string> keys) {
    Told inner;
    bool reached = false;
    int heard = 0;
    GatewaysWithFault gateways(inner, FaultPoint::parse(point).value(),
                               [&](FaultPoint::What, const Effect&) { reached = true; });
    for (auto& key : keys)
      if (!reached) gateways.start({}, {}, Effect{.key = key}, [&heard](EffectResult) { ++heard; });
    return {reached ? inner.keys.size() : keys.size() + 1, heard};
  }
};

TEST_F(FaultPointTest, BeforeAnEffectNothingOfItGoesOut) {
  EXPECT_EQ(until("die before step * Promote *", {"record", "step db-1 Promote 2 ", "status"}),
            std::pair(std::size_t{1}, 1));
}

TEST_F(FaultPointTest, AfterAnEffectItIsDoneAndNobodyHasHeard) {
  EXPECT_EQ(until("die after step * Promote *", {"record", "step db-1 Promote 2 ", "status"}),
            std::pair(std::size_t{2}, 1));
}

TEST_F(FaultPointTest, TheNthOfWhatFitsCounts) {
  EXPECT_EQ(until("die after record#2", {"record", "status", "record", "record"}),
            std::pair(std::size_t{3}, 2));
}

TEST_F(FaultPointTest, WhoOnlyPausesGoesOnFromThere) {
  EXPECT_EQ(until("pause before step * Promote *", {"record", "step db-1 Promote 2 "}),
            std::pair(std::size_t{2}, 2));
  EXPECT_EQ(until("pause after step * Promote *", {"record", "step db-1 Promote 2 "}),
            std::pair(std::size_t{2}, 2));
}

TEST_F(FaultPointTest, WhatIsNoPointIsRefused) {
  for (const char* text :
       {"", "die record", "die before ", "die after record#", "pause after record#0",
        "die before record#2x", "die during record", "before record", "sleep before record"}) {
    const auto point = FaultPoint::parse(text);
    ASSERT_FALSE(point) << text;
    EXPECT_THAT(point.error().message, HasSubstr("\"before EFFECT\""));
  }
}

}  // namespace
}  // namespace troupe::actors
