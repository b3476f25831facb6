// What an operator that does not lead does with its objects.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/host/kind_logic.hpp"
#include "k8s/api/kinds.hpp"
#include "k8s/api/unitset.hpp"
#include "runtime/clock.hpp"

namespace troupe::actors {
namespace {

using std::chrono::milliseconds;

class NoGateways final : public Gateways {
 public:
  void start(ActorId, CausalId, const Effect&, Done) override {}
};

class CountingRules final : public Rules {
 public:
  void fold(const EffectResult&) override {}
  Decision decide(const ObjectRef&, Sight&, TimePoint) override {
    ++decisions;
    Decision d;
    d.doing = "counting";
    d.hold("Held", "by a guard");
    return d;
  }
  boost::json::value memory(const Veil&) const override { return nullptr; }
  Result<void> remember(const boost::json::value&) override { return {}; }

  int decisions = 0;
};

class CountingLogic final : public KindLogicBase {
 public:
  using KindLogicBase::KindLogicBase;
  int decisions() const { return rules_.decisions; }

 private:
  std::string_view kind_name() const override { return "Counting"; }
  Rules& rules() override { return rules_; }
  CountingRules rules_;
};

class StandbyTest : public ::testing::Test {
 protected:
  Logic::Outcome run_after(Duration time) {
    clock_.advance(time);
    return logic_.run({}, clock_.now());
  }

  bool listed_ = true;
  bool leads_ = false;
  ManualClock clock_;
  ManualTimers timers_;
  History history_;
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  Actors actors_{system_, clock_, timers_, history_};
  k8s::Store store_{k8s::StoreOptions{}};
  k8s::Router router_{store_};
  Observations observations_{actors_, clock_};
  NoGateways gateways_;
  Settings settings_;
  JournalRoom journals_;
  Stage stage_{.actors = actors_,
               .clock = clock_,
               .store = store_,
               .router = router_,
               .observations = observations_,
               .gateways = gateways_,
               .settings = settings_,
               .listed = [this] { return listed_; },
               .leads = [this] { return leads_; },
               .journals = journals_};
  CountingLogic logic_{stage_, ActorId{1}, ObjectRef{k8s::kKindId<k8s::UnitSet>, "prod", "db"}};
};

TEST_F(StandbyTest, LooksAtAnObjectOnceASecond) {
  run_after({});
  EXPECT_EQ(logic_.decisions(), 1);
  const auto began = clock_.now();
  EXPECT_EQ(run_after(milliseconds(1)).wake, began + kStandbyRests);
  EXPECT_EQ(logic_.decisions(), 1);
  run_after(kStandbyRests);
  EXPECT_EQ(logic_.decisions(), 2);
}

TEST_F(StandbyTest, SaysWhatItSaidWhileItRests) {
  const auto decided = run_after({}), rests = run_after(milliseconds(1));
  EXPECT_EQ(rests.doing, "standby: counting");
  ASSERT_EQ(rests.guards.size(), 1u);
  EXPECT_EQ(rests.guards[0].rule, decided.guards.at(0).rule);
}

TEST_F(StandbyTest, DecidesNothingOnAPartOfThePicture) {
  listed_ = false;
  EXPECT_EQ(run_after({}).doing, "waiting until all kinds are listed");
  EXPECT_EQ(logic_.decisions(), 0);
  listed_ = true;
  run_after({});
  EXPECT_EQ(logic_.decisions(), 1);
}

TEST_F(StandbyTest, LooksAtOnceWhenItBeginsToLead) {
  run_after({});
  leads_ = true;
  run_after(milliseconds(1));
  run_after(milliseconds(1));
  EXPECT_EQ(logic_.decisions(), 3);
}

}  // namespace
}  // namespace troupe::actors
