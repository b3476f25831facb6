// The kinds that an operator runs. A new one is a line in registry.cpp: its CRD is generated, its
// objects are watched and get their actors from there.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "actors/host/kind_logic.hpp"
#include "actors/journal/rules.hpp"
#include "actors/model/kind_counter.hpp"
#include "k8s/api/kind.hpp"

namespace troupe::actors {

struct RegisteredKind {
  const k8s::KindInfo& (*info)();
  std::string_view name;  // of its actors, in console and metrics
  std::unique_ptr<Logic> (*make)(Stage& stage, ActorId id, ObjectRef self);
  std::unique_ptr<Rules> (*rules)();
  KindCounter (*counter)();  // null: it counts nothing
};

// Those of troupe-operator.
std::span<const RegisteredKind> registered_kinds();

// What has one actor for as long as the operator runs, whether its object exists or not.
struct StandingKind {
  ObjectRef (*self)(const Settings& settings);
  std::string_view name;
  std::unique_ptr<Logic> (*make)(Stage& stage, ActorId id, ObjectRef self);
  std::unique_ptr<Rules> (*rules)();
};
std::span<const StandingKind> standing_kinds();

// The rules of one of these, by the name of its actors; null for an unknown one.
std::unique_ptr<Rules> rules_of(std::string_view kind);

}  // namespace troupe::actors
