// Deployments, ReplicaSets, StatefulSets and Jobs in their simplest correct form: enough to run an
// operator, its webhooks and helper jobs from plain manifests. A new Deployment template rolls out
// with maxUnavailable 0: the new ReplicaSet is scaled up first, the old ones follow as its pods
// become ready. StatefulSets are ordered; updates replace pods from the highest ordinal down.
#pragma once

#include <memory>
#include <vector>

#include "k8s/sim/controllers/context.hpp"

namespace troupe::sim {

std::vector<std::unique_ptr<Controller>> make_workload_controllers(
    const ControllerContext& context);

}  // namespace troupe::sim
