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
  explicit Network(int members) : links(static_cast<std::size_t>(members)) {}

  struct Link {
    bool reaches = true;  // what the operator sends arrives
    bool hears = true;    // what the member sends arrives
    Duration slow{};      // by so much an answer may be later than others
  };
  std::vector<Link> links;  // by member
  bool api_cut = false;
  TimePoint watches_held_until;  // events of watches come no earlier
  int lose_percent = 0;          // of requests, and of answers
  int double_percent = 0;        // of requests
  int refuse_percent = 0;        // of writes to the API server: 409, 429, 500, 503
  Duration latency_max = std::chrono::milliseconds(3);

  Link& link(int member) { return links[static_cast<std::size_t>(member)]; }
  const Link& link(int member) const { return links[static_cast<std::size_t>(member)]; }
  void heal() {
    Network calm(static_cast<int>(links.size()));
    calm.latency_max = latency_max;
    *this = std::move(calm);
  }
};

}  // namespace troupe::operator_sim
