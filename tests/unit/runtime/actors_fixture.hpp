// Object actors on CAF's deterministic scheduler: one thread, a clock turned by hand, nothing runs
// until the test says so.
#pragma once

#include <gtest/gtest.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/actors.hpp"
#include "runtime/clock.hpp"

namespace troupe::test {

// A logic that does what its test says, and remembers what it was told.
struct Script {
  std::function<Logic::Outcome(std::span<const Cause>)> run = [](std::span<const Cause>) {
    return Logic::Outcome{};
  };
  std::vector<std::string> absorbed;
  std::vector<std::vector<std::string>> runs;
  std::vector<std::pair<std::string, bool>> faults;  // what, quarantined
  std::string state = "{}";
  bool destroyed = false;
};

class ScriptedLogic final : public Logic {
 public:
  explicit ScriptedLogic(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  ~ScriptedLogic() override { script_->destroyed = true; }

  void absorb(std::span<const Cause> causes, TimePoint) noexcept override {
    for (const auto& c : causes) script_->absorbed.push_back(c.text());
  }
  Outcome run(std::span<const Cause> causes, TimePoint) override {
    auto& texts = script_->runs.emplace_back();
    for (const auto& c : causes) texts.push_back(c.text());
    return script_->run(causes);
  }
  void faulted(const std::string& what, bool quarantined, CausalId) noexcept override {
    script_->faults.emplace_back(what, quarantined);
  }
  std::string state_json() const override { return script_->state; }

 private:
  std::shared_ptr<Script> script_;
};

class ActorsFixture : public testing::Test {
 protected:
  ~ActorsFixture() override {
    for (const auto& actor : actors_.list()) actors_.stop(actor.id);
    settle();
  }

  std::pair<ActorId, std::shared_ptr<Script>> spawn(std::string name = "default/a",
                                                    std::string kind = "unit") {
    auto script = std::make_shared<Script>();
    const auto id = actors_.spawn(std::move(kind), std::move(name),
                                  [&](ActorId) { return std::make_unique<ScriptedLogic>(script); });
    return {id, script};
  }

  Cause cause(CauseType type, std::string text, std::uint64_t chain = 1) {
    return make_cause(type, CausalId{chain}, clock_.now(), std::move(text));
  }
  void wake(ActorId id, std::string text, CauseType type = CauseType::Watch) {
    actors_.wake(id, cause(type, std::move(text)));
  }

  void settle() { scheduler_.run(); }
  // Turns the clock, fires what is due, and lets everything happen.
  void advance(Duration by) {
    clock_.advance(by);
    for (const auto id : timers_.queue().take_due(clock_.now())) wake(id, "due", CauseType::Timer);
    settle();
  }

  static caf::actor_system_config& deterministic(caf::actor_system_config& config) {
    config.set("scheduler.policy", caf::atom("testing"));
    return config;
  }

  caf::actor_system_config config_;
  ManualClock clock_;
  ManualTimers timers_;
  History history_;
  caf::actor_system system_{deterministic(config_)};
  caf::scheduler::test_coordinator& scheduler_ =
      dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  Actors actors_{system_, clock_, timers_, history_};
};

}  // namespace troupe::test
