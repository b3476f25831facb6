// MysqlReplications that break one rule each, as kinds for the operator to run: the simulation has
// to see what comes of it.
#pragma once

#include <span>

#include "actors/host/registry.hpp"

namespace troupe::operator_sim {

// Does not take the source's label from a Pod that is none any more.
std::span<const actors::RegisteredKind> labels_that_stay();

// Takes members of a group for holding the same when one of them is to begin it again.
std::span<const actors::RegisteredKind> begins_with_anyone();
// Takes whoever does not answer for one that is in no group and holds nothing.
std::span<const actors::RegisteredKind> begins_without_asking_all();

// As those of the same names in tests/sim/mysql_topology/broken_engines.hpp.
std::span<const actors::RegisteredKind> opens_who_is_fed();
std::span<const actors::RegisteredKind> follows_who_lacks_something();

}  // namespace troupe::operator_sim
