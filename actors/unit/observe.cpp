#include <fmt/format.h>

#include "actors/model/endpoints.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"

namespace troupe::actors {
namespace {

using namespace unit;
using boost::json::object;

bool optional(const object& source) {
  const auto* v = source.if_contains("optional");
  return v && v->is_bool() && v->as_bool();
}

// Looks up what a volume or an environment variable names.
class References {
 public:
  References(UnitKind::World& w, std::string_view ns, Sight& sight)
      : world_(w), ns_(ns), sight_(sight) {}

  void secret(const object* source, std::string_view key) {
    if (!source || optional(*source)) return;
    const auto name = text_at(*source, key);
    if (!name.empty() && !sight_.get<k8s::SecretObject>(ns_, name)) add("Secret", name);
  }
  void config_map(const object* source) {
    if (!source || optional(*source)) return;
    const auto name = text_at(*source, "name");
    if (!name.empty() && !sight_.get<k8s::ConfigMap>(ns_, name)) add("ConfigMap", name);
  }

 private:
  void add(std::string_view kind, const std::string& name) {
    auto text = fmt::format("{} {}/{}", kind, ns_, name);
    if (std::find(world_.missing.begin(), world_.missing.end(), text) == world_.missing.end())
      world_.missing.push_back(std::move(text));
  }
  UnitKind::World& world_;
  std::string_view ns_;
  Sight& sight_;
};

void find_missing(UnitKind::World& w, std::string_view ns, Sight& sight) {
  References references(w, ns, sight);
  const auto& spec = template_spec(w);
  if (const auto* volumes = find_array(spec, "volumes"))
    for (const auto& v : *volumes) {
      references.secret(find_object(v.as_object(), "secret"), "secretName");
      references.config_map(find_object(v.as_object(), "configMap"));
    }
  for (const auto key : {"initContainers", "containers"}) {
    const auto* containers = find_array(spec, key);
    if (!containers) continue;
    for (const auto& c : *containers) {
      const auto* env = find_array(c.as_object(), "env");
      if (!env) continue;
      for (const auto& e : *env) {
        const auto* from = find_object(e.as_object(), "valueFrom");
        if (!from) continue;
        references.secret(find_object(*from, "secretKeyRef"), "name");
        references.config_map(find_object(*from, "configMapKeyRef"));
      }
    }
  }
}

}  // namespace

UnitKind::World UnitKind::observe(const ObjectRef& self, Sight& sight) {
  World w;
  w.wall = sight.wall();
  w.refused = sight.refused();
  w.image = sight.settings().image;
  w.cluster_domain = sight.settings().cluster_domain;
  w.object = sight.get<k8s::Unit>(self.ns, self.name);
  if (!w.object) return w;
  read_template(w);
  const auto& spec = w.object->spec;
  w.pod = sight.get<k8s::Pod>(self.ns, self.name);
  if (w.pod) {
    if (!w.pod->spec.nodeName.empty()) w.node = sight.get<k8s::Node>({}, w.pod->spec.nodeName);
    if (const auto life = pod_life(*w.pod); !life.empty()) w.agent = sight.agent(life);
    const auto& meta = w.pod->metadata;
    const auto replication = meta.labels.get(kReplicationLabel);
    if (meta.annotations.contains(kHandOverAnnotation) && !replication.empty())
      w.replication = sight.get<k8s::MysqlReplication>(self.ns, replication);
  }
  if (const auto noted = noted_node(*w.object); !noted.empty())
    w.bound_node = sight.get<k8s::Node>({}, noted);
  for (const auto& c : spec.volumeClaimTemplates) {
    Claim claim{.name = fmt::format("{}-{}", self.name, c.metadata.name),
                .wanted = c,
                .live = {},
                .storage_class = {}};
    claim.live = sight.get<k8s::PersistentVolumeClaim>(self.ns, claim.name);
    const auto in_use = claim.live ? claim.live->spec.storageClassName : k8s::Text();
    const auto storage_class = c.spec.storageClassName.empty() ? in_use : c.spec.storageClassName;
    if (!storage_class.empty())
      claim.storage_class = sight.get<k8s::StorageClass>({}, storage_class);
    w.claims.push_back(std::move(claim));
  }
  if (!spec.configTemplateName.empty())
    w.config_template = sight.get<k8s::ConfigMap>(self.ns, spec.configTemplateName);
  if (!spec.configValueName.empty())
    w.config_values = sight.get<k8s::ConfigMap>(self.ns, spec.configValueName);
  if (!spec.sharedConfigName.empty())
    w.shared = sight.get<k8s::ConfigMap>(self.ns, spec.sharedConfigName);
  w.certificate = sight.get<k8s::SecretObject>(self.ns, certificate_secret(self.name));
  w.authority = sight.get<k8s::SecretObject>(sight.settings().operator_namespace, kAuthoritySecret);
  w.made_accounts =
      sight.get<k8s::SecretObject>(self.ns, accounts_secret(owner_of_accounts(*w.object)));
  const auto secret = env_of(w, "SECRET_NAME");
  if (secret && !secret->empty()) w.secret = sight.get<k8s::SecretObject>(self.ns, *secret);
  for (const auto& user : users_in_secret(w))
    w.passwords.emplace(user, sight.password({self.ns, *secret, user, kAesSecret, kAesKey}));
  find_missing(w, self.ns, sight);
  return w;
}

void UnitKind::fold(Memory& memory, const EffectResult& r) {
  if (r.key.starts_with(kOpenKey)) {
    if (!r.failed) memory.opened = r.key.substr(kOpenKey.size());
    memory.open_error = r.failed ? r.failed->message : std::string();
  }
  // Denied: a quota that the Pod which runs fills, or a server that cannot tell.
  if (r.key.starts_with(kTryKey) && (!r.failed || r.failed->code == Code::Denied))
    memory.accepted = r.key.substr(kTryKey.size());
  if (r.failed) return;
  if (r.key.starts_with("render ")) memory.rendered = r.key.substr(7);
  if (r.key.starts_with("accounts ")) memory.ensured = r.key.substr(9);
}

}  // namespace troupe::actors
