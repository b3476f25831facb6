// Three servers of the simulations and a client that writes all the time, told what to do by a test
// instead of an operator.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/sim/mysql/fleet.hpp"

namespace troupe::mysql_topology::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ModelTest : public ::testing::Test {
 protected:
  // What the member answers.
  Reply order(int member, Command command, Duration limit = seconds(5)) {
    command.member = fleet_[member].name;
    command.epoch.value = std::max<std::uint64_t>(command.epoch.value, 1);
    std::optional<Reply> answer;
    fleet_.command(member, {.command = command,
                            .deadline = timeline_.now() + limit,
                            .answer = [&answer](const Reply& reply) { answer = reply; }});
    while (!answer && timeline_.step()) {
    }
    return answer.value_or(Reply{.failed = Error{Code::Timeout, "the simulation has ended"}});
  }

  void pass(Duration time) {
    const auto end = timeline_.now() + time;
    for (auto next = timeline_.now(); timeline_.now() < end && timeline_.step();) {
      fleet_.check_writers();
      if (timeline_.now() < next) continue;
      fleet_.write_somewhere();
      next = timeline_.now() + milliseconds(5);
    }
  }

  // How many writes clients are told of in so much time.
  std::size_t acknowledged_in(Duration time) {
    const auto before = fleet_.acknowledged_writes();
    pass(time);
    return fleet_.acknowledged_writes() - before;
  }

  Timeline timeline_{1, false};
  Fleet fleet_{timeline_, Rules(), 3};
};

}  // namespace troupe::mysql_topology::sim
