// A kind's struct (kind.hpp of its folder) as an entry of a registry. Heavy: for the sources that
// define one.
#pragma once

#include <memory>
#include <utility>

#include "actors/host/kind_logic.hpp"
#include "actors/host/registry.hpp"
#include "actors/journal/rules.hpp"
#include "actors/model/described.hpp"

namespace troupe::actors {

template <class Kind>
class KindLogic final : public KindLogicBase {
 public:
  using KindLogicBase::KindLogicBase;

 private:
  std::string_view kind_name() const override { return Kind::kName; }
  void fold(const EffectResult& result) override { Kind::fold(memory_, result); }
  Decision look_and_decide(Sight& sight, TimePoint now) override {
    const auto world = Kind::observe(self(), sight);
    return Kind::decide(world, memory_, now);
  }
  boost::json::value memory(const Veil& veil) const override {
    return described_json(memory_, veil);
  }
  typename Kind::Memory memory_;
};

template <class Kind>
std::unique_ptr<Logic> make_logic(Stage& stage, ActorId id, ObjectRef self) {
  return std::make_unique<KindLogic<Kind>>(stage, id, std::move(self));
}
template <class Kind>
std::unique_ptr<Rehearsal> make_rehearsal() {
  return std::make_unique<KindRehearsal<Kind>>();
}

template <class Kind>
constexpr RegisteredKind registered() {
  return {&k8s::kind_info<typename Kind::Object>, Kind::kName, &make_logic<Kind>,
          &make_rehearsal<Kind>};
}

template <class Kind>
constexpr StandingKind standing() {
  return {&Kind::self, Kind::kName, &make_logic<Kind>, &make_rehearsal<Kind>};
}

}  // namespace troupe::actors
