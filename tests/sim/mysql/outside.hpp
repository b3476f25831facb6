// A server outside, and what befalls it and those whose data come from there.
#pragma once

#include <functional>

#include "tests/sim/mysql/fleet.hpp"

namespace troupe::mysql_topology::sim {

// Clients have written there before. It may have purged what they wrote.
void add_some_outside(Fleet& fleet, Chance& chance);

struct Fed {
  int member = 0;  // that is parted from it
  // No data come from there, and none are to. Who lacks what is purged while they do stays behind,
  // by design.
  bool no_more = false;
  Duration longest_outage{};
  std::function<void()> change_annotation;
};
void strike_outside(Fleet& fleet, Chance& luck, const Fed& fed);

}  // namespace troupe::mysql_topology::sim
