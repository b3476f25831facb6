// The same actor for every kind: look, fold, decide, hand out effects. A kind supplies the rules
// (observe, fold, decide) and nothing else.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "actors/host/gateways.hpp"
#include "actors/host/observations.hpp"
#include "actors/model/ledger.hpp"
#include "actors/model/sight.hpp"
#include "k8s/store/router.hpp"
#include "k8s/store/store.hpp"
#include "runtime/actors.hpp"

namespace troupe::actors {

// What all object actors of a process share.
struct Stage {
  Actors& actors;
  const Clock& clock;
  k8s::Store& store;
  k8s::Router& router;
  Observations& observations;
  Gateways& gateways;
  const Settings& settings;
  // False on a standby: it looks and decides, so that it is warm, and does nothing.
  std::function<bool()> leads;
};

class KindLogicBase : public Logic {
 public:
  KindLogicBase(Stage& stage, ActorId id, ObjectRef self);
  ~KindLogicBase() override;

  void absorb(std::span<const Cause> causes, TimePoint now) noexcept final;
  Outcome run(std::span<const Cause> causes, TimePoint now) final;
  void faulted(const std::string& what, bool quarantined, CausalId id) noexcept final;
  std::string state_json() const final;

 protected:
  const ObjectRef& self() const { return self_; }

 private:
  virtual void fold(const EffectResult& result) = 0;
  virtual Decision look_and_decide(Sight& sight, TimePoint now) = 0;
  void start(const Effect& effect, CausalId id);

  Stage& stage_;
  ActorId id_;
  ObjectRef self_;
  k8s::Dependencies dependencies_;
  Ledger ledger_;
  std::string doing_;
  CausalId retrying_;  // chain of an effect that failed and waits for its backoff
};

template <class Kind>
class KindLogic final : public KindLogicBase {
 public:
  using KindLogicBase::KindLogicBase;

 private:
  void fold(const EffectResult& result) override { Kind::fold(memory_, result); }
  Decision look_and_decide(Sight& sight, TimePoint now) override {
    const auto world = Kind::observe(self(), sight);
    return Kind::decide(world, memory_, now);
  }
  typename Kind::Memory memory_;
};

}  // namespace troupe::actors
