// The kinds that an operator runs. A new one is a line in registry.cpp: its CRD is generated, its
// objects are watched and get their actors from there.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "actors/host/kind_logic.hpp"
#include "k8s/api/kind.hpp"

namespace troupe::actors {

struct RegisteredKind {
  const k8s::KindInfo& (*info)();
  std::string_view name;  // of its actors, in console and metrics
  std::unique_ptr<Logic> (*make)(Stage& stage, ActorId id, ObjectRef self);
};

// A kind's struct (kind.hpp of its folder) as an entry of a registry.
template <class Kind>
constexpr RegisteredKind registered() {
  return {&k8s::kind_info<typename Kind::Object>, Kind::kName,
          [](Stage& stage, ActorId id, ObjectRef self) -> std::unique_ptr<Logic> {
            return std::make_unique<KindLogic<Kind>>(stage, id, std::move(self));
          }};
}

// Those of troupe-operator.
std::span<const RegisteredKind> registered_kinds();

// What has one actor for as long as the operator runs, whether its object exists or not.
struct StandingKind {
  ObjectRef (*self)(const Settings& settings);
  std::string_view name;
  std::unique_ptr<Logic> (*make)(Stage& stage, ActorId id, ObjectRef self);
};
std::span<const StandingKind> standing_kinds();

}  // namespace troupe::actors
