// Puts pods on nodes (see scheduling.hpp), one at a time. A pod that fits nowhere says so in an
// event and its PodScheduled condition and is tried again when something that could change that
// changes: nodes, claims, volumes, other pods leaving. Claims that wait for their first consumer
// are told the node, and the pod follows once they are bound.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "k8s/sim/controllers/context.hpp"
#include "k8s/sim/controllers/pod_index.hpp"

namespace troupe::sim {

// Puts the pod on the node, as the binding subresource does.
using BindPod = std::function<Result<void>(const std::string& ns, const std::string& pod,
                                           const std::string& node)>;

std::unique_ptr<Controller> make_scheduler(const ControllerContext& context, const PodIndex& pods,
                                           BindPod bind);

}  // namespace troupe::sim
