// The kinds that have actors. A new one is a line in registry.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "actors/host/kind_logic.hpp"

namespace troupe::actors {

struct RegisteredKind {
  k8s::KindId id;
  std::string_view name;
  std::unique_ptr<Logic> (*make)(Stage& stage, ActorId id, ObjectRef self);
};

std::span<const RegisteredKind> registered_kinds();

}  // namespace troupe::actors
