#include "actors/model/endpoints.hpp"

#include <fmt/format.h>

#include "actors/model/names.hpp"

namespace troupe::actors {

std::string pod_life(const k8s::Pod& pod) {
  if (pod.status.podIP.empty()) return {};
  return fmt::format("{}@{}", pod.metadata.uid, to_rfc3339(pod.status.startTime.at));
}

std::optional<agent::Endpoint> agent_of(const k8s::Pod& pod) {
  auto id = pod_life(pod);
  if (id.empty()) return std::nullopt;
  return agent::Endpoint{
      .id = std::move(id),
      .unit = fmt::format("{}/{}", pod.metadata.namespace_, pod.metadata.name),
      .ip = pod.status.podIP.str(),
      .server_name = agent_server_name(pod.metadata.namespace_, pod.metadata.name)};
}

bool pod_is_ready(const k8s::Pod& pod) {
  const auto* ready = pod.status.conditions.find(&k8s::PodCondition::type, "Ready");
  return ready && ready->status == "True";
}

std::vector<std::string> dns_names_of_pod(std::string_view hostname, std::string_view service,
                                          std::string_view ns, std::string_view cluster_domain) {
  const auto base = fmt::format("{}.{}.{}", hostname, service, ns);
  return {base, base + ".svc", fmt::format("{}.svc.{}", base, cluster_domain)};
}

}  // namespace troupe::actors
