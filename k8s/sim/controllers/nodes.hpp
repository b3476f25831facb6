// The nodes of a simulated cluster: records that stay Ready, each with its Lease renewed as a
// kubelet does; and addresses for Services of type LoadBalancer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "k8s/sim/controllers/context.hpp"

namespace troupe::sim {

struct NodeOptions {
  std::vector<std::string> addresses;  // one node each: node-0, node-1, ...
  std::int64_t cpus = 16;
  std::int64_t memory_bytes = std::int64_t{64} << 30;
  std::int64_t max_pods = 110;
};

// Creates what is missing at once, so that nothing waits for nodes. Labels: hostname, os, arch
// amd64, region sim, zone sim-a, sim-b, sim-c in turn.
std::unique_ptr<Controller> make_node_keeper(const ControllerContext& context, NodeOptions options);

// `take` gives the next free address, or nothing.
std::unique_ptr<Controller> make_load_balancer_controller(
    const ControllerContext& context, std::function<std::optional<std::string>()> take);

}  // namespace troupe::sim
