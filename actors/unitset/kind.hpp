// UnitSet: Units of one type and version, their configuration, volumes and Services.
//
// What it makes: <set>-podtemplate and <set>-config-template, copies of the version's templates in
// the operator's namespace; <unit>-config-value for each Unit, the user's to edit; the Services;
// a Secret for accounts that the user's Secret lacks; the Units. Field manager: troupe-unitset.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/model/conditions.hpp"
#include "actors/model/decision.hpp"
#include "actors/model/settled.hpp"
#include "actors/model/sight.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/unit.hpp"
#include "k8s/api/unitset.hpp"

namespace troupe::actors {

struct UnitSetKind {
  using Object = k8s::UnitSet;
  static constexpr std::string_view kName = "UnitSet";

  // One ordinal: what exists for it.
  struct Slot {
    std::string name;  // <set>-<ordinal>
    k8s::ObjectPtr<k8s::Unit> unit;
    k8s::ObjectPtr<k8s::ConfigMap> values;
    k8s::ObjectPtr<k8s::ConfigMap> old_values;  // the version's template that `values` came from
    k8s::ObjectPtr<k8s::Service> service;
    k8s::ObjectPtr<k8s::Pod> pod;
    k8s::ObjectPtr<k8s::MysqlReplication> replication;  // that it takes part in; null: none
  };

  struct World {
    k8s::ObjectPtr<k8s::UnitSet> object;
    // The version's, in the operator's namespace.
    std::string template_name;
    std::string operator_namespace;
    k8s::ObjectPtr<k8s::PodTemplate> central_template;
    k8s::ObjectPtr<k8s::ConfigMap> central_config;
    k8s::ObjectPtr<k8s::ConfigMap> central_values;
    // The Pod template that Units are made from: the version's, or our copy of it where the
    // operator's namespace has lost it. Read once, as each Unit's begins with it.
    std::optional<boost::json::object> base_template;
    // Ours.
    k8s::ObjectPtr<k8s::PodTemplate> pod_template;
    k8s::ObjectPtr<k8s::ConfigMap> config;
    k8s::ObjectPtr<k8s::Service> headless;
    k8s::ObjectPtr<k8s::Service> external;
    std::vector<Slot> slots;    // ordinals 0 to units - 1
    std::vector<Slot> surplus;  // ordinals beyond, ascending
    // Of Units that are no more.
    std::vector<k8s::ObjectPtr<k8s::Service>> leftover_services;
    std::vector<k8s::ObjectPtr<k8s::ConfigMap>> leftover_values;
    // The user's.
    k8s::ObjectPtr<k8s::ConfigMap> shared;
    k8s::ObjectPtr<k8s::SecretObject> secret;
    k8s::ObjectPtr<k8s::SecretObject> certificate_authority;
    std::vector<Refusal> refused;
    WallTime wall;
  };

  struct Memory {
    Settled owned;  // all that it makes
    Warned warned;
  };

  static World observe(const ObjectRef& self, Sight& sight);
  static void fold(Memory&, const EffectResult&) {}
  static Decision decide(const World& world, Memory& memory, TimePoint now);
};

BOOST_DESCRIBE_STRUCT(UnitSetKind::Memory, (), (owned, warned))

}  // namespace troupe::actors
