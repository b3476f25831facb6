// What a cluster has before anybody asks: its namespaces, priority classes, roles and the Service
// "kubernetes".
#pragma once

#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/writer.hpp"

namespace troupe::sim {

void bootstrap_cluster(Core& core, Writer& writer, WallTime now);
// Endpoints of "kubernetes", from options.advertise_address and _port.
void publish_endpoint(Core& core, Writer& writer, WallTime now);

}  // namespace troupe::sim
