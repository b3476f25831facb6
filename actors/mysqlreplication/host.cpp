// Where members are by the specification, and by what is known of their Pods.
//
// A replica checks that its source has a certificate of the operator's authority, not which name it
// bears. So a host may be any address that leads there, and only of those that are made of the
// names of Pods can be told that they do not.
#include <fmt/format.h>

#include <algorithm>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>

#include "actors/model/endpoints.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors::mysqlreplication {
namespace {

std::string_view hostname_of(const k8s::Pod& pod) {
  return pod.spec.hostname.empty() ? pod.metadata.name.view() : pod.spec.hostname.view();
}

// The last is good within its namespace alone.
std::vector<std::string> own_names(const World& w, const k8s::Pod& pod) {
  const auto service = pod.spec.subdomain.view();
  if (service.empty()) return {};
  auto names = dns_names_of_pod(hostname_of(pod), service, w.object->metadata.namespace_.view(),
                                w.cluster_domain);
  names.push_back(fmt::format("{}.{}", hostname_of(pod), service));
  return names;
}

bool is_own(const World& w, const k8s::Pod& pod, std::string_view host) {
  if (!pod.status.podIP.empty() && pod.status.podIP == host) return true;
  const auto names = own_names(w, pod);
  return std::find(names.begin(), names.end(), host) != names.end();
}

// Made as the name of a Pod of this namespace is: HOSTNAME.SERVICE.NAMESPACE and longer.
bool is_name_of_a_pod(const World& w, const k8s::Pod& pod, std::string host) {
  for (const auto& end : {".svc." + w.cluster_domain, std::string(".svc")})
    if (host.ends_with(end)) host.erase(host.size() - end.size());
  std::vector<std::string> labels;
  boost::algorithm::split(labels, host, boost::algorithm::is_any_of("."));
  const auto service = pod.spec.subdomain.view();
  if (labels.size() == 2) return labels[1] == service;
  return labels.size() == 3 &&
         (labels[1] == service || labels[2] == w.object->metadata.namespace_.view());
}

}  // namespace

std::string host_problem(const World& w, const Node& node) {
  if (node.former) return {};
  const auto host = boost::algorithm::to_lower_copy(node.host);
  const auto says = fmt::format("the host of {}, {},", node.name, node.host);
  const auto expected = [&] {
    const auto names = node.pod ? own_names(w, *node.pod) : std::vector<std::string>();
    return names.empty() ? std::string("give each its own") : "expected " + names.front();
  };
  if (node.pod && is_own(w, *node.pod, host)) return {};
  for (const auto& other : w.nodes) {
    if (other.name == node.name || other.former) continue;
    const bool same =
        other.port == node.port && boost::algorithm::to_lower_copy(other.host) == host;
    const bool leads_there = other.pod && is_own(w, *other.pod, host);
    if (same || leads_there)
      return fmt::format("{} is that of {}: {}", says, other.name, expected());
  }
  if (node.pod && !node.pod->spec.subdomain.empty() && is_name_of_a_pod(w, *node.pod, host))
    return fmt::format("{} is no name of its Pod: {}", says, expected());
  return {};
}

}  // namespace troupe::actors::mysqlreplication
