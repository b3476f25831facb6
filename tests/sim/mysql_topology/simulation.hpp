// One run: a topology forms, faults come and go, then they stop; what must hold is checked after
// every event, and at the end the topology has to be whole, and quiet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/mysql_topology/fleet.hpp"

namespace troupe::mysql_topology::sim {

struct Run {
  std::uint64_t seed = 0;
  std::string violation;           // empty: everything held
  bool unsafe = false;             // it is about writes or writers, not only about time
  std::vector<std::string> story;  // if it was asked for
  std::size_t acknowledged = 0;
  std::size_t changes = 0;  // of source
  std::size_t rebuilds = 0;
  std::size_t left_out = 0;
  std::uint64_t decisions = 0;
};

Run simulate(std::uint64_t seed, bool tell = false, Rules rules = {});

}  // namespace troupe::mysql_topology::sim
