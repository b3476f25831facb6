// The status of a pod as the API shows it, from what the kubelet knows. Pure.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "k8s/sim/kubelet/pod_lifecycle.hpp"

namespace troupe::sim {

struct PodAddresses {
  std::string host_ip;
  std::string pod_ip;  // empty until the network is made
};

// The whole new status. Conditions that are not the kubelet's (PodScheduled, readiness gates) and
// fields it does not own are taken over from `pod`; a condition keeps its transition time while its
// status stays.
boost::json::object pod_status(const boost::json::value& pod, const PodSpec& spec,
                               const PodRecord& record, const PodAddresses& addresses,
                               WallTime started, WallTime now);

// The merge patch that turns the status of `pod` into `status`; empty when they are equal.
boost::json::object status_patch(const boost::json::value& pod, const boost::json::object& status);

// Replaces or adds a condition, keeping the transition time while the status stays.
void set_condition(boost::json::array& conditions, boost::json::object condition, WallTime now);

}  // namespace troupe::sim
