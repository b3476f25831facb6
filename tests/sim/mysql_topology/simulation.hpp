// One run: a topology forms, faults come and go, then they stop; what must hold is checked after
// every event, and at the end the topology has to be whole, and quiet.
#pragma once

#include <cstdint>

#include "tests/sim/mysql/fleet.hpp"
#include "tests/sim/mysql_topology/broken_engines.hpp"

namespace troupe::mysql_topology::sim {

struct Options {
  Rules rules;
  Engine engine = &decide;
  // There is a server outside; the topology is fed by it, for a while or from the beginning.
  bool outside = false;
  // In mode group_replication; the engine has to be one of that.
  bool group = false;
};

Run simulate(const Scenario& scenario, const Options& options = {});

}  // namespace troupe::mysql_topology::sim
