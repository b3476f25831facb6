#include <fmt/format.h>

#include "actors/authority/kind.hpp"
#include "actors/model/endpoints.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "engines/agent/model/digest.hpp"
#include "k8s/api/unit.hpp"

namespace troupe::actors {
namespace {

AuthorityKind::UnitTrust trust_of(const k8s::Unit& unit, const k8s::SecretObject& certificate,
                                  Sight& sight) {
  const auto& annotations = certificate.metadata.annotations;
  AuthorityKind::UnitTrust out;
  out.name = fmt::format("{}/{}", unit.metadata.namespace_, unit.metadata.name);
  out.signer = annotations.get(kSignerAnnotation).str();
  out.trusted = annotations.get(kTrustedAnnotation).str();
  out.certificate = annotations.get(kCertificateAnnotation).str();
  out.authorities = agent::base64_decode(certificate.data.get("ca.crt")).value_or("");
  const auto pod = sight.get<k8s::Pod>(unit.metadata.namespace_, unit.metadata.name);
  if (!pod || pod->status.phase == "Failed" || pod->status.phase == "Succeeded") return out;
  out.runs = true;
  if (const auto seen = sight.agent(pod_life(*pod))) {
    out.connected = seen->connected();
    out.in_effect = seen->certificates;
  }
  return out;
}

bool is_steady(const k8s::SecretObject& secret) {
  return secret.metadata.annotations.get(kStageAnnotation) ==
         agent::to_string(agent::AuthorityStage::Steady);
}

}  // namespace

ObjectRef AuthorityKind::self(const Settings& settings) {
  return ref<k8s::SecretObject>(settings.operator_namespace, kAuthoritySecret);
}

AuthorityKind::World AuthorityKind::observe(const ObjectRef& self, Sight& sight) {
  World w;
  w.self = self;
  w.wall = sight.wall();
  w.secret = sight.get<k8s::SecretObject>(self.ns, self.name);
  if (w.secret && is_steady(*w.secret)) return w;
  for (const auto& unit : sight.all<k8s::Unit>()) {
    const auto ns = unit->metadata.namespace_.view();
    const auto certificate =
        sight.get<k8s::SecretObject>(ns, certificate_secret(unit->metadata.name));
    if (certificate) w.units.push_back(trust_of(*unit, *certificate, sight));
  }
  return w;
}

}  // namespace troupe::actors
