#include <fmt/format.h>

#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"

namespace troupe::actors {
namespace {

using namespace unitset;

// Objects that the set is told to use and that are not there. They are never made for the user.
bool everything_is_there(const World& w, Decision& d) {
  const auto& spec = w.object->spec;
  const auto before = d.guards.size();
  if (!base_template(w))
    d.hold("PodTemplateMissing",
           fmt::format("PodTemplate {}/{} does not exist: install the templates of {} {}",
                       w.operator_namespace, w.template_name, spec.type, spec.version));
  if (!w.central_config && !w.config)
    d.hold("ConfigTemplateMissing", fmt::format("ConfigMap {}/{}-config-template does not exist",
                                                w.operator_namespace, w.template_name));
  if (!spec.sharedConfigName.empty() && !w.shared)
    d.hold("SharedConfigMissing",
           fmt::format("ConfigMap {}/{} (spec.sharedConfigName) does not exist",
                       w.object->metadata.namespace_, spec.sharedConfigName));
  if (spec.secret && !w.secret)
    d.hold("SecretMissing", fmt::format("Secret {}/{} (spec.secret.name) does not exist",
                                        w.object->metadata.namespace_, spec.secret->name));
  return d.guards.size() == before;
}

}  // namespace

Decision UnitSetKind::decide(const World& w, Memory&, TimePoint) {
  if (!w.object) return {};
  Decision d;
  d.doing = "keeping its Units";
  if (w.object->metadata.deletionTimestamp) {
    d.doing = "being deleted: its Units go with it";
    return d;
  }
  if (everything_is_there(w, d)) {
    const auto ports = ports_of(w);
    if (ports) {
      keep_configuration(w, d);
      keep_services(w, *ports, d);
      keep_units(w, *ports, d);
    } else {
      d.hold("PortsInvalid", ports.error().message);
    }
  } else {
    d.doing = "waiting for what it refers to";
  }
  write_status(w, d, d);
  return d;
}

}  // namespace troupe::actors
