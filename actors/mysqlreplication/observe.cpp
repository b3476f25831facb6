#include <algorithm>

#include "actors/model/endpoints.hpp"
#include "actors/model/names.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors {
namespace {

using namespace mysqlreplication;

// Whoever owns the Unit is looked at, too: when it goes, the Unit is free.
bool other_owner_exists(const k8s::Unit& unit, const ObjectRef& self, Sight& sight) {
  const auto owner = owner_of(unit);
  return !owner.empty() && owner != self.name && sight.get<k8s::MysqlReplication>(self.ns, owner);
}

void look_at_node(Node& node, const ObjectRef& self, Sight& sight) {
  const auto& ns = self.ns;
  node.unit = sight.get<k8s::Unit>(ns, node.name);
  if (node.unit) node.owner_exists = other_owner_exists(*node.unit, self, sight);
  node.pod = sight.get<k8s::Pod>(ns, node.name);
  if (!node.unit || !node.pod) return;
  node.certificate = sight.get<k8s::SecretObject>(ns, certificate_secret(node.name));
  const auto life = pod_life(*node.pod);
  if (life.empty()) return;
  node.probe = sight.probe(mysql::EndpointId{life});
  node.agent = sight.agent(life);
}

// With a final dot or without it, a name is the same.
std::string host_of(const k8s::Text& text) {
  auto host = text.str();
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool is_member(const World& w, std::string_view name) {
  return std::any_of(w.nodes.begin(), w.nodes.end(),
                     [name](const Node& n) { return n.name == name; });
}

Result<MysqlReplicationKind::Credentials> read_credentials(std::string_view ns,
                                                           const k8s::MysqlReplicationSpec& spec,
                                                           Sight& sight) {
  MysqlReplicationKind::Credentials c;
  const auto password_of = [&](std::string_view user) {
    return sight.password({ns, spec.secret.name, user, spec.aesSecret.name, spec.aesSecret.key});
  };
  c.probe_user = spec.secret.mysql.str();
  c.replication_user = spec.secret.replication.str();
  auto probe = password_of(c.probe_user);
  if (!probe) return probe.error();
  auto replication = c.replication_user == c.probe_user ? probe : password_of(c.replication_user);
  if (!replication) return replication.error();
  c.probe_password = std::move(*probe);
  c.replication_password = std::move(*replication);
  return c;
}

}  // namespace

MysqlReplicationKind::World MysqlReplicationKind::observe(const ObjectRef& self, Sight& sight) {
  World w;
  w.wall = sight.wall();
  w.refused = sight.refused();
  w.cluster_domain = sight.settings().cluster_domain;
  w.object = sight.get<k8s::MysqlReplication>(self.ns, self.name);
  if (!w.object) return w;
  const auto& spec = w.object->spec;
  w.credentials = read_credentials(self.ns, spec, sight);
  w.external_name = w.object->metadata.annotations.get(kExternalSourceAnnotation).str();
  if (!w.external_name.empty()) w.external = sight.external_source(self.ns, w.external_name);
  w.nodes.push_back({.name = spec.source.name.str(),
                     .host = host_of(spec.source.host),
                     .port = static_cast<std::uint16_t>(spec.source.port)});
  for (const auto& r : spec.replica)
    w.nodes.push_back({.name = r.name.str(),
                       .host = host_of(r.host),
                       .port = static_cast<std::uint16_t>(r.port),
                       .isolated = r.isolated});
  for (const auto& name : w.object->status.quorum.members)
    if (!is_member(w, name))
      w.nodes.push_back({.name = name.str(), .host = {}, .port = w.nodes[0].port, .former = true});
  for (auto& node : w.nodes) look_at_node(node, self, sight);
  for (auto& pod : sight.labelled<k8s::Pod>(self.ns, kReplicationLabel, self.name))
    if (!is_member(w, pod->metadata.name)) w.strays.push_back(std::move(pod));
  for (auto& unit : sight.labelled<k8s::Unit>(self.ns, kOwnerLabel, self.name))
    if (!is_member(w, unit->metadata.name)) w.leavers.push_back(std::move(unit));
  w.readwrite = sight.get<k8s::Service>(self.ns, self.name + "-readwrite");
  w.readonly = sight.get<k8s::Service>(self.ns, self.name + "-readonly");
  w.budget = sight.get<k8s::PodDisruptionBudget>(self.ns, self.name);
  return w;
}

}  // namespace troupe::actors
