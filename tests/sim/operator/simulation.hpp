// One run of the whole operator: a UnitSet and a MysqlReplication are applied, their Pods come, the
// topology forms, faults come and go for a minute, then they stop. What must hold is checked after
// every event, and at the end everything has to be whole, and quiet.
//
// Real: the actors of UnitSet, Unit, MysqlReplication and the authority with observe, fold, decide
// and ledger, on CAF; store, router, casting, observations; watch client, API gateway, events and
// Lease; the API server. Modelled: MySQL servers with their agents and clients (Fleet), the
// kubelet and volumes (Cluster), the network and its faults.
//
// What it does not cover yet: the console and admission.
// Tokens, TLS and the bytes of HTTP and gRPC are not in the way.
#pragma once

#include <cstdint>
#include <span>

#include "actors/host/registry.hpp"
#include "tests/sim/mysql/fleet.hpp"
#include "tests/sim/run.hpp"

namespace troupe::operator_sim {

using sim::Run;
using sim::Scenario;

struct Options {
  mysql_topology::sim::Rules rules;
  std::span<const actors::RegisteredKind> kinds = actors::registered_kinds();
  bool group = false;  // in mode group_replication
  // There is a server outside; the topology is fed by it, for a while or from the beginning.
  bool outside = false;
};

Run simulate(const Scenario& scenario, const Options& options = {});

}  // namespace troupe::operator_sim
