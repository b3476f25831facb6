// Keeps the forwarder's table and the name server's names as the API's Services and EndpointSlices
// are. Changes that come together are applied together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "k8s/sim/controllers/context.hpp"
#include "k8s/sim/kubelet/dns_server.hpp"
#include "k8s/sim/kubelet/service_forwarder.hpp"

namespace troupe::sim {

// `node_addresses` are where node ports are open.
std::unique_ptr<Controller> make_service_routing(const ControllerContext& context,
                                                 ServiceForwarder& forwarder, DnsServer& names,
                                                 std::vector<std::string> node_addresses);

}  // namespace troupe::sim
