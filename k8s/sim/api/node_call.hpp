// A request that the node of a pod serves: which container, and what of it.
#pragma once

#include <string>
#include <vector>

#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/request_info.hpp"
#include "k8s/sim/node_api.hpp"

namespace troupe::sim {

struct NodeCall {
  enum class Kind { Logs, Exec, Attach, PortForward };
  Kind kind = Kind::Logs;
  ContainerRef container;
  LogOptions logs;
  ExecOptions exec;  // of Exec and Attach
};

bool is_node_call(const RequestInfo& info);
ApiResult<NodeCall> parse_node_call(const Core& core, const RequestInfo& info, WallTime now);

}  // namespace troupe::sim
