// On which node a pod goes: a pure function of the pod, the nodes and what runs on them.
//
// Filters: unschedulable nodes, nodeName, nodeSelector, required node affinity, taints, requested
// resources, required pod affinity and anti-affinity, topology spread (DoNotSchedule). Of what is
// left the best score wins: preferred affinities by their weights, soft spread, then the least
// requested node. Equal ones go by name, so the same input always gives the same answer.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "k8s/sim/controllers/object_cache.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

struct Usage {
  std::int64_t milli_cpu = 0, memory = 0, pods = 0;
  Usage& operator+=(const Usage& other);
  Usage& operator-=(const Usage& other);
};
// Requests of a pod: the sum over its containers and sidecars, or its largest init container.
Usage requests_of(const boost::json::value& pod);

struct SchedulingView {
  std::vector<CachedObject> nodes;                      // ordered by name
  const std::map<std::string, Usage>* usage = nullptr;  // by node
  // Pods of a namespace that a metav1.LabelSelector selects.
  std::function<std::vector<CachedObject>(const std::string& ns,
                                          const boost::json::value* label_selector)>
      pods;
};

// The node's name, or an error in the words of the scheduler: "0/3 nodes are available: ...".
Result<std::string> choose_node(const boost::json::value& pod, const SchedulingView& view);

}  // namespace troupe::sim
