// One run of the whole operator: a UnitSet and a MysqlReplication are applied, their Pods come, the
// topology forms, faults come and go, then they stop. What must hold is checked after every event,
// and at the end everything has to be whole, and quiet.
//
// Real: the actors of UnitSet, Unit, MysqlReplication and the authority with observe, fold, decide
// and ledger, on CAF; store, router, casting, observations; watch client, API gateway, events and
// Lease; the API server. Modelled: MySQL servers with their agents and clients (Fleet), the
// kubelet and volumes (Cluster), the network and its faults.
//
// What it does not cover yet: group replication, isolated members and an external source; scaling
// and rolling updates of the UnitSet; full disks; clocks that jump; partitions in one direction;
// the console and admission. Tokens, TLS and the bytes of HTTP and gRPC are not in the way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "actors/host/registry.hpp"
#include "tests/sim/mysql_topology/fleet.hpp"

namespace troupe::operator_sim {

struct Options {
  bool tell = false;
  mysql_topology::sim::Rules rules;
  std::span<const actors::RegisteredKind> kinds = actors::registered_kinds();
};

struct Run {
  std::uint64_t seed = 0;
  std::string violation;           // empty: everything held
  bool unsafe = false;             // it is about writes, writers or labels, not only about time
  std::vector<std::string> story;  // if it was asked for
  std::size_t acknowledged = 0;
  std::size_t changes = 0;       // of source
  std::size_t processes = 0;     // of the operator
  std::size_t leaders = 0;       // changes of leader
  std::size_t two_labelled = 0;  // times that two Pods bore the source's label
  std::uint64_t runs = 0;        // of actors
  double simulated_seconds = 0;
};

Run simulate(std::uint64_t seed, const Options& options = {});

}  // namespace troupe::operator_sim
