// What the network does to messages at this moment. Partitions between servers are the Fleet's.
#pragma once

#include <utility>
#include <vector>

#include "runtime/model/time.hpp"
#include "tests/sim/mysql/fleet.hpp"
#include "tests/sim/mysql/timeline.hpp"

namespace troupe::operator_sim {

using mysql_topology::sim::Fleet;
using mysql_topology::sim::Rules;
using mysql_topology::sim::Server;
using mysql_topology::sim::Timeline;
using mysql_topology::sim::Upkeep;

// Between one operator and everything else.
struct Network {
  explicit Network(int members) : cut_off(static_cast<std::size_t>(members)) {}

  struct CutOff {
    bool now = false;
    TimePoint since;
  };
  std::vector<CutOff> cut_off;  // by member: neither probe nor agent is reached
  bool api_cut = false;
  TimePoint watches_held_until;  // events of watches come no earlier
  int lose_percent = 0;          // of requests, and of answers
  int double_percent = 0;        // of requests
  int refuse_percent = 0;        // of writes to the API server: 409, 429, 500, 503
  Duration latency_max = std::chrono::milliseconds(3);

  bool reaches(int member) const { return !cut_off[static_cast<std::size_t>(member)].now; }
  void heal() {
    Network calm(static_cast<int>(cut_off.size()));
    calm.latency_max = latency_max;
    *this = std::move(calm);
  }
};

}  // namespace troupe::operator_sim
