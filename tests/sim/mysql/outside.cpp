#include "tests/sim/mysql/outside.hpp"

namespace troupe::mysql_topology::sim {

void add_some_outside(Fleet& fleet, Chance& chance) {
  const int outside = fleet.add_outside(chance.pick(40));
  if (chance.percent(50)) fleet.purge(outside);
}

void strike_outside(Fleet& fleet, Chance& luck, const Fed& fed) {
  const int outside = fleet.outside().value();
  switch (luck.pick(5)) {
    case 0:
      return fleet.kill(outside, luck.between(std::chrono::milliseconds(50), fed.longest_outage));
    case 1:
      return fleet.part(fed.member, outside, some_cut(luck));
    case 2:
      if (fed.no_more) fleet.purge(outside);
      return;
    default:
      return fed.change_annotation();
  }
}

}  // namespace troupe::mysql_topology::sim
