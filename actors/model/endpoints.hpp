// From a Pod to the addresses of what runs in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/model/decision.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/snapshot.hpp"

namespace troupe::actors {

// One life of a Pod: its uid and when its node took it on. Empty while it has no address.
std::string pod_life(const k8s::Pod& pod);
std::optional<agent::Endpoint> agent_of(const k8s::Pod& pod);
bool pod_is_ready(const k8s::Pod& pod);
// The DNS names of a Pod with that host name behind a headless Service, the shortest that is good
// in every namespace first.
std::vector<std::string> dns_names_of_pod(std::string_view hostname, std::string_view service,
                                          std::string_view ns, std::string_view cluster_domain);

}  // namespace troupe::actors
