// Unit: one database instance: its claims, its Pod, and the process in it, driven through the agent
// that the operator puts into the Pod. One that stands alone also opens its database for writes,
// which otherwise is its replication's. Field managers: troupe-unit, and troupe-unit-metadata for
// labels and annotations of a Pod that an earlier operator made.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/model/conditions.hpp"
#include "actors/model/decision.hpp"
#include "actors/model/first_look.hpp"
#include "actors/model/revision.hpp"
#include "actors/model/settled.hpp"
#include "actors/model/sight.hpp"
#include "engines/agent/model/command.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/unit.hpp"

namespace troupe::actors {

struct UnitKind {
  using Object = k8s::Unit;
  static constexpr std::string_view kName = "Unit";

  struct Claim {
    std::string name;  // <unit>-<template's name>
    k8s::ClaimTemplate wanted;
    k8s::ObjectPtr<k8s::PersistentVolumeClaim> live;
    k8s::ObjectPtr<k8s::StorageClass> storage_class;  // the one that is named, or in use
  };

  struct World {
    k8s::ObjectPtr<k8s::Unit> object;
    // Of the object: its Pod template, an empty object if it is none, and which container is the
    // database. Read once, as most of the decision looks at them.
    boost::json::object pod_template;
    std::string main_container;
    k8s::ObjectPtr<k8s::Pod> pod;
    k8s::ObjectPtr<k8s::Node> node;
    k8s::ObjectPtr<k8s::Node> bound_node;  // the one that the Unit is bound to
    std::vector<Claim> claims;
    k8s::ObjectPtr<k8s::ConfigMap> config_template;
    k8s::ObjectPtr<k8s::ConfigMap> config_values;
    k8s::ObjectPtr<k8s::ConfigMap> shared;
    k8s::ObjectPtr<k8s::SecretObject> certificate;
    k8s::ObjectPtr<k8s::SecretObject> authority;      // what it says of itself; never its keys
    k8s::ObjectPtr<k8s::SecretObject> made_accounts;  // of passwords that we made up
    k8s::ObjectPtr<k8s::SecretObject> secret;         // the user's, by SECRET_NAME
    std::map<std::string, Result<Secret>, std::less<>> passwords;  // in it, by user
    // Secrets and ConfigMaps that the Pod mounts or reads, and that do not exist: "Secret x".
    std::vector<std::string> missing;
    k8s::ObjectPtr<k8s::MysqlReplication> replication;  // that its Pod asks for a hand-over
    std::shared_ptr<const agent::AgentObservation> agent;
    std::string image;  // of the agent
    std::string cluster_domain;
    std::vector<Refusal> refused;
    WallTime wall;
  };

  struct Memory {
    std::string rendered;  // hash of what the agent rendered last
    std::string ensured;   // which accounts, of which server: the end of that effect's key
    Revision<std::vector<agent::Account>> accounts;
    std::string opened;         // which process of the database: the end of that effect's key
    std::string open_error;     // why it is not yet, by the last answer
    TimePoint failed_since;     // the Pod's phase is Failed
    Settled pod;                // a Pod that runs
    bool pod_outdated = false;  // as PodStanding says it of that one
    std::string accepted;       // hash of the Pod that the API server would take in its place
    FirstLook first_look;
    Warned warned;
    // Of the Pod with that UID it is asked to hand its role over, since then.
    struct HandOver {
      std::string of;
      TimePoint at;
    } hand_over;
  };

  static World observe(const ObjectRef& self, Sight& sight);
  static void fold(Memory& memory, const EffectResult& result);
  static Decision decide(const World& world, Memory& memory, TimePoint now);
};

BOOST_DESCRIBE_STRUCT(UnitKind::Memory::HandOver, (), (of, at))
BOOST_DESCRIBE_STRUCT(UnitKind::Memory, (),
                      (rendered, ensured, accounts, opened, open_error, failed_since, pod,
                       pod_outdated, accepted, first_look, warned, hand_over))

}  // namespace troupe::actors
