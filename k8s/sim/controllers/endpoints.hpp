// Endpoints and EndpointSlices of Services with a selector, from the pods that are behind them. It
// reacts to each change of a pod's readiness, address or labels at once. Services without a
// selector keep the endpoints that somebody else writes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "k8s/sim/controllers/context.hpp"
#include "k8s/sim/controllers/pod_index.hpp"

namespace troupe::sim {

std::unique_ptr<Controller> make_endpoints_controller(const ControllerContext& context,
                                                      const PodIndex& pods);

// Pure: the slices that this Service should have, whole objects but for what the server adds. Ready
// is a pod that is Ready and not terminating, or any with publishNotReadyAddresses.
std::vector<boost::json::object> endpoint_slices_of(const boost::json::value& service,
                                                    const std::vector<CachedObject>& pods);
// The same as a v1 Endpoints object: terminating pods are left out.
boost::json::object endpoints_of(const boost::json::value& service,
                                 const std::vector<CachedObject>& pods);

}  // namespace troupe::sim
