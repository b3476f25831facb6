// MysqlReplication: one source, its replicas, and the Services that lead to them.
//
// A face of the MySQL engine (actors/mysql_topology): this folder says what the engine sees, does
// what it plans through the members' agents, labels Pods, keeps Services and tells the status.
// A Unit belongs to the one replication that it bears the name of (kOwnerLabel); only that one
// commands it.
// Field managers: troupe-op writes what must survive a restart, troupe-replication all else.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/model/conditions.hpp"
#include "actors/model/decision.hpp"
#include "actors/model/external_source.hpp"
#include "actors/model/first_look.hpp"
#include "actors/model/kind_counter.hpp"
#include "actors/model/ledger.hpp"
#include "actors/model/revision.hpp"
#include "actors/model/settled.hpp"
#include "actors/model/sight.hpp"
#include "actors/mysql_topology/plan.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/unit.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::actors {

struct MysqlReplicationKind {
  using Object = k8s::MysqlReplication;
  static constexpr std::string_view kName = "MysqlReplication";

  // One server of the specification and what is known of it.
  struct Node {
    std::string name;
    std::string host;  // without a final dot
    std::uint16_t port = 3306;
    bool isolated = false;
    // Counts for the quorum still and is not in the specification any more: nobody knows its host
    // name, so nobody is told to follow it.
    bool former = false;
    k8s::ObjectPtr<k8s::Unit> unit;
    bool owner_exists = false;  // the other MysqlReplication that the Unit says it belongs to
    k8s::ObjectPtr<k8s::Pod> pod;
    k8s::ObjectPtr<k8s::SecretObject> certificate;
    std::shared_ptr<const mysql::ProbeOutcome> probe;
    std::shared_ptr<const agent::AgentObservation> agent;
    bool takes_part() const { return !isolated && !former; }
  };

  // The accounts that the operator and the replicas log in with.
  struct Credentials {
    std::string probe_user;
    Secret probe_password;
    std::string replication_user;
    Secret replication_password;
    bool operator==(const Credentials&) const = default;
  };

  struct World {
    k8s::ObjectPtr<k8s::MysqlReplication> object;
    // The source of the specification first, those that are former last.
    std::vector<Node> nodes;
    // Pods that bear our label and are no members any more.
    std::vector<k8s::ObjectPtr<k8s::Pod>> strays;
    // Units that belong to us, likewise.
    std::vector<k8s::ObjectPtr<k8s::Unit>> leavers;
    Result<Credentials> credentials = Credentials{};
    // What the annotation asks to follow, and where that is.
    std::string external_name;  // of its Secret; empty: nothing
    Result<ExternalSource> external = ExternalSource{};
    k8s::ObjectPtr<k8s::Service> readwrite;
    k8s::ObjectPtr<k8s::Service> readonly;
    k8s::ObjectPtr<k8s::PodDisruptionBudget> budget;
    std::vector<Refusal> refused;
    WallTime wall;
    std::string cluster_domain;
  };

  struct Memory {
    Revision<Credentials> accounts;  // of the Secret when it was last looked at
    Revision<ExternalSource> external;
    // By member, of the life of its Pod that is named beside them.
    struct Steps {
      std::string life;
      std::map<mysql_topology::Verb, mysql_topology::Outcome> outcomes;
      std::optional<mysql_topology::FollowOrder> follow_order;
    };
    std::map<std::string, Steps, std::less<>> members;
    TimePoint status_written;
    FirstLook first_look;
    Settled resources;  // Services and the disruption budget
    Warned warned;
    // Which operation people were told last that it began, and which that it ended.
    std::string told_begun, told_ended;
    // The step of the operation under way, as this process first saw it.
    std::string step;
    TimePoint step_since;
  };

  // Changes of roles that have ended, by type and result.
  static KindCounter counter();
  static World observe(const ObjectRef& self, Sight& sight);
  static void fold(Memory& memory, const EffectResult& result);
  static Decision decide(const World& world, Memory& memory, TimePoint now);
};

BOOST_DESCRIBE_STRUCT(MysqlReplicationKind::Credentials, (),
                      (probe_user, probe_password, replication_user, replication_password))
BOOST_DESCRIBE_STRUCT(MysqlReplicationKind::Memory::Steps, (), (life, outcomes, follow_order))
BOOST_DESCRIBE_STRUCT(MysqlReplicationKind::Memory, (),
                      (accounts, external, members, status_written, first_look, resources, warned,
                       told_begun, told_ended, step, step_since))

}  // namespace troupe::actors
