// Deployments and ReplicaSets in their simplest correct form: enough to run an operator from its
// plain manifest. A changed template rolls out without a gap: the new ReplicaSet gets all its
// replicas at once, and the old ones give theirs up as the new pods become ready (maxSurge and
// maxUnavailable are not looked at); with strategy Recreate the old ones go first.
#pragma once

#include <memory>
#include <vector>

#include "k8s/sim/controllers/context.hpp"

namespace troupe::sim {

std::vector<std::unique_ptr<Controller>> make_workload_controllers(
    const ControllerContext& context);

}  // namespace troupe::sim
