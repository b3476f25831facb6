// Status of PodDisruptionBudgets: how many of the selected pods are healthy, how many must be, and
// so how many evictions are allowed now. The eviction itself is the API server's.
#pragma once

#include <memory>

#include "k8s/sim/controllers/context.hpp"
#include "k8s/sim/controllers/pod_index.hpp"

namespace troupe::sim {

std::unique_ptr<Controller> make_disruption_controller(const ControllerContext& context,
                                                       const PodIndex& pods);

struct DisruptionCount {
  std::int64_t expected = 0, healthy = 0, desired = 0, allowed = 0;
};
// Pure. Percentages are of the pods there are, rounded up.
DisruptionCount count_disruptions(const boost::json::value& budget,
                                  const std::vector<CachedObject>& pods);

}  // namespace troupe::sim
