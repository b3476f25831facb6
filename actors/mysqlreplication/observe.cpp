#include <fmt/format.h>

#include "actors/model/endpoints.hpp"
#include "actors/model/names.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors {
namespace {

void look_at_node(MysqlReplicationKind::Node& node, std::string_view ns, Sight& sight) {
  node.unit = sight.get<k8s::Unit>(ns, node.name);
  node.pod = sight.get<k8s::Pod>(ns, node.name);
  if (!node.unit || !node.pod) return;
  node.certificate = sight.get<k8s::SecretObject>(ns, certificate_secret(node.name));
  const auto life = pod_life(*node.pod);
  if (life.empty()) return;
  node.probe = sight.probe(mysql::EndpointId{life});
  node.agent = sight.agent(life);
}

}  // namespace

MysqlReplicationKind::World MysqlReplicationKind::observe(const ObjectRef& self, Sight& sight) {
  World w;
  w.wall = sight.wall();
  w.refused = sight.refused();
  w.object = sight.get<k8s::MysqlReplication>(self.ns, self.name);
  if (!w.object) return w;
  const auto& spec = w.object->spec;
  w.secret = sight.get<k8s::SecretObject>(self.ns, spec.secret.name);
  w.aes = sight.get<k8s::SecretObject>(self.ns, spec.aesSecret.name);
  w.nodes.push_back({.name = spec.source.name.str(),
                     .host = spec.source.host.str(),
                     .port = static_cast<std::uint16_t>(spec.source.port)});
  for (const auto& r : spec.replica)
    w.nodes.push_back({.name = r.name.str(),
                       .host = r.host.str(),
                       .port = static_cast<std::uint16_t>(r.port),
                       .isolated = r.isolated});
  for (auto& node : w.nodes) look_at_node(node, self.ns, sight);
  for (auto& pod : sight.labelled<k8s::Pod>(self.ns, kReplicationLabel, self.name)) {
    const auto is_it = [&pod](const Node& n) { return pod->metadata.name == n.name; };
    if (std::none_of(w.nodes.begin(), w.nodes.end(), is_it)) w.strays.push_back(std::move(pod));
  }
  w.readwrite = sight.get<k8s::Service>(self.ns, self.name + "-readwrite");
  w.readonly = sight.get<k8s::Service>(self.ns, self.name + "-readonly");
  w.budget = sight.get<k8s::PodDisruptionBudget>(self.ns, self.name);
  return w;
}

}  // namespace troupe::actors
