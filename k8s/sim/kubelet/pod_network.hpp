// Pods on the machine's network: a bridge for the cluster, and for each pod a network namespace
// joined to it by a veth pair. Everything here runs `ip`, blocks, and belongs on a worker.
#pragma once

#include <string>

#include "k8s/sim/kubelet/address_plan.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

// Names derived from the cluster's tag; a pod's from its serial number in the cluster.
struct PodLink {
  std::string netns;      // as `ip netns` shows it
  std::string interface;  // the pair's end on the bridge: `ip link set ... down` cuts the pod off
  Ipv4 address;
  std::string netns_path() const { return "/run/netns/" + netns; }
};
PodLink name_pod_link(const std::string& tag, std::uint64_t serial, Ipv4 address);

// The bridge with the nodes' addresses, and the routes that make Service and load-balancer
// addresses local to this machine.
Result<void> create_cluster_network(const std::string& tag, const AddressPlan& plan, int nodes);
void remove_cluster_network(const std::string& tag, const AddressPlan& plan);

Result<void> create_pod_link(const std::string& tag, const AddressPlan& plan, const PodLink& link);
// Nothing to do is no error.
void remove_pod_link(const std::string& netns);

}  // namespace troupe::sim
