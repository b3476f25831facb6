#include "k8s/sim/controllers/workloads.hpp"

namespace troupe::sim {

std::vector<std::unique_ptr<Controller>> make_workload_controllers(const ControllerContext&) {
  return {};
}

}  // namespace troupe::sim
