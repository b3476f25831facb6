// MysqlReplications that break one rule each, as kinds for the operator to run: the simulation has
// to see what comes of it.
#pragma once

#include <span>

#include "actors/host/registry.hpp"

namespace troupe::operator_sim {

// Does not take the source's label from a Pod that is none any more.
std::span<const actors::RegisteredKind> labels_that_stay();

}  // namespace troupe::operator_sim
