// A scenario: what befalls three servers, and when they are looked at. The same on the models and
// on real servers.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "tests/models/servers.hpp"

namespace troupe::models {

inline constexpr int a = 0, b = 1, c = 2, outside = kOutside;

struct Scenario {
  std::string name;
  std::function<void(Servers&)> play;
};
void PrintTo(const Scenario& scenario, std::ostream* out);

// Plays it on both, on servers that `form` has put together, and fails the test where a line
// differs. The models have to show the same whatever the chances of their threads are.
void expect_the_same_of_both(const Scenario& scenario, void (Servers::*form)());

// --- orders

Command promote(std::uint64_t epoch, std::uint32_t acks = 1);
Command open(std::uint64_t epoch, std::uint32_t acks = 1);
Command follow(std::uint64_t epoch, std::string source);
Command stop_receiver(std::uint64_t epoch);
Command close(std::uint64_t epoch, bool kill_if_blocked = true);
Command clone(std::uint64_t epoch, std::string donor);
Command ensure_accounts(std::uint64_t epoch);
Command drain(std::uint64_t epoch);
// Who follows it acknowledges nothing.
Command feed(std::uint64_t epoch, std::string source);
Command inspect_outside(std::uint64_t epoch);
Command begin_group(std::uint64_t epoch);
Command join_group(std::uint64_t epoch);
Command stop_group(std::uint64_t epoch);
Command set_group_primary(std::uint64_t epoch);

}  // namespace troupe::models
