// What the server tells of its API: groups, versions, resources; both in the old form, a document a
// group version, and in the aggregated one.
#pragma once

#include <optional>
#include <string_view>

#include "k8s/sim/api/resource_type.hpp"

namespace troupe::sim {

// The release that the server and its nodes pass for.
inline constexpr std::string_view kKubernetesVersion = "v1.36.3";

json::object api_versions(std::string_view server_address);  // /api
json::object api_groups(const Registry& registry);           // /apis
std::optional<json::object> api_group(const Registry& registry, std::string_view group);
// /api/v1 and /apis/GROUP/VERSION
std::optional<json::object> api_resources(const Registry& registry, std::string_view group,
                                          std::string_view version);
// /api and /apis for clients that ask for APIGroupDiscoveryList
json::object aggregated_discovery(const Registry& registry, bool core);
json::object server_version();

}  // namespace troupe::sim
