// A pod in a line, as `kubectl get pods` shows it. The rules are those of the real server's
// printer.
#pragma once

#include <string>

#include "k8s/sim/api/object.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

std::string pod_ready_text(const json::object& pod);   // "1/2"
std::string pod_status_text(const json::object& pod);  // "Running", "Init:0/1", "CrashLoopBackOff"
std::string pod_restarts_text(const json::object& pod, WallTime now);  // "3 (2m ago)"
std::string pod_gates_text(const json::object& pod);

}  // namespace troupe::sim
