// ConfigMirror: a ConfigMap with the data of another one. Field manager: troupe-configmirror.
#pragma once

#include <string_view>
#include <vector>

#include "actors/model/decision.hpp"
#include "actors/model/sight.hpp"
#include "k8s/api/core.hpp"
#include "tests/unit/actors/configmirror/api.hpp"

namespace troupe::actors {

struct ConfigMirrorKind {
  using Object = k8s::ConfigMirror;
  static constexpr std::string_view kName = "ConfigMirror";

  struct World {
    k8s::ObjectPtr<k8s::ConfigMirror> object;
    k8s::ObjectPtr<k8s::ConfigMap> source;
    k8s::ObjectPtr<k8s::ConfigMap> target;
    std::vector<Refusal> refused;
    WallTime wall;
  };

  struct Memory {};

  static World observe(const ObjectRef& self, Sight& sight);
  static void fold(Memory&, const EffectResult&) {}
  static Decision decide(const World& world, Memory& memory, TimePoint now);
};

}  // namespace troupe::actors
