// A kind's struct (kind.hpp of its folder) as an entry of a registry. Heavy: for the sources that
// define one.
#pragma once

#include <memory>
#include <utility>

#include "actors/host/kind_logic.hpp"
#include "actors/host/registry.hpp"
#include "actors/journal/kind_rules.hpp"

namespace troupe::actors {

template <class Kind>
class KindLogic final : public KindLogicBase {
 public:
  using KindLogicBase::KindLogicBase;

 private:
  std::string_view kind_name() const override { return Kind::kName; }
  Rules& rules() override { return rules_; }
  KindRules<Kind> rules_;
};

template <class Kind>
std::unique_ptr<Logic> make_logic(Stage& stage, ActorId id, ObjectRef self) {
  return std::make_unique<KindLogic<Kind>>(stage, id, std::move(self));
}
template <class Kind>
std::unique_ptr<Rules> make_rules() {
  return std::make_unique<KindRules<Kind>>();
}

template <class Kind>
constexpr RegisteredKind registered() {
  RegisteredKind out{&k8s::kind_info<typename Kind::Object>, Kind::kName, &make_logic<Kind>,
                     &make_rules<Kind>, nullptr};
  if constexpr (requires { Kind::counter(); }) out.counter = &Kind::counter;
  return out;
}

template <class Kind>
constexpr StandingKind standing() {
  return {&Kind::self, Kind::kName, &make_logic<Kind>, &make_rules<Kind>};
}

}  // namespace troupe::actors
