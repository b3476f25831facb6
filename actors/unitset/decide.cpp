#include <fmt/format.h>

#include <algorithm>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"

namespace troupe::actors {
namespace {

using namespace unitset;

// The version's templates, in the operator's namespace.
void need_templates(const World& w, Decision& d) {
  const auto& spec = w.object->spec;
  const auto missing = [&](std::string_view rule, std::string_view kind, std::string_view suffix) {
    d.hold(std::string(rule),
           fmt::format("{} {}/{}{} does not exist: install the templates of {} {}", kind,
                       w.operator_namespace, w.template_name, suffix, spec.type, spec.version));
  };
  if (!w.base_template) missing("PodTemplateMissing", "PodTemplate", "");
  if (!w.central_config && !(w.config && is_of_version(w, w.config->metadata)))
    missing("ConfigTemplateMissing", "ConfigMap", "-config-template");
  const bool has_values = std::all_of(w.slots.begin(), w.slots.end(), [&w](const Slot& s) {
    return s.values && is_of_version(w, s.values->metadata);
  });
  if (!w.central_values && !has_values) missing("ConfigValuesMissing", "ConfigMap", kValuesSuffix);
}

// Objects that the set is told to use and that are not there. They are never made for the user.
bool everything_is_there(const World& w, Decision& d) {
  const auto& spec = w.object->spec;
  const auto before = d.guards.size();
  need_templates(w, d);
  const auto need = [&](std::string_view rule, bool there, std::string_view kind, k8s::Text name,
                        std::string_view field) {
    if (!there)
      d.hold(std::string(rule), fmt::format("{} {}/{} (spec.{}) does not exist", kind,
                                            w.object->metadata.namespace_, name, field));
  };
  if (!spec.sharedConfigName.empty())
    need("SharedConfigMissing", bool(w.shared), "ConfigMap", spec.sharedConfigName,
         "sharedConfigName");
  if (spec.secret)
    need("SecretMissing", bool(w.secret), "Secret", spec.secret->name, "secret.name");
  if (spec.certificateSecret)
    need("SecretMissing", bool(w.certificate_authority), "Secret", spec.certificateSecret->name,
         "certificateSecret.name");
  return d.guards.size() == before;
}

// What all that is made from these depends on: of what moves all the time, no more than is looked
// at.
Inputs inputs_of(const World& w) {
  Inputs inputs;
  inputs.specified(w.object)
      .version(w.central_template)
      .version(w.central_config)
      .version(w.central_values)
      .version(w.pod_template)
      .version(w.config)
      .version(w.headless)
      .version(w.external)
      .version(w.shared)
      .number(w.leftover_services.size())
      .number(w.leftover_values.size());
  for (const auto* slots : {&w.slots, &w.surplus}) {
    inputs.number(slots->size());
    for (const auto& slot : *slots) {
      inputs.specified(slot.unit)
          .version(slot.values)
          .version(slot.old_values)
          .version(slot.service)
          .exists(slot.pod)
          .exists(slot.replication);
    }
  }
  return inputs;
}

// Units first: each stops its database in order. Then the object goes, and with it what it owns.
Decision end(const World& w, Memory& memory) {
  Decision d;
  d.doing = "being deleted: waits for its Units";
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer)) return d;
  bool units_left = false;
  for (const auto* slots : {&w.slots, &w.surplus})
    for (const auto& slot : *slots) {
      if (!slot.unit) continue;
      units_left = true;
      if (slot.replication)
        d.hold("UnitIsMember",
               fmt::format("{} takes part in MysqlReplication {}: delete that first", slot.name,
                           slot.replication->metadata.name));
      else if (!slot.unit->metadata.deletionTimestamp)
        d.add("delete Unit " + slot.name,
              Delete{ref_to(*slot.unit), slot.unit->metadata.uid.str(), {}});
    }
  if (!units_left)
    set_finalizer(d, ref_to(*w.object), w.object->metadata, kFinalizer, false);
  else
    write_status(w, memory, {}, d);
  return d;
}

std::vector<std::string> keep_owned(const World& w, Decision& d) {
  const auto ports = ports_of(w);
  if (!ports) {
    d.hold("PortsInvalid", ports.error().message);
    return {};
  }
  keep_configuration(w, d);
  keep_services(w, *ports, d);
  return keep_units(w, *ports, d);
}

}  // namespace

Decision UnitSetKind::decide(const World& w, Memory& memory, TimePoint) {
  if (!w.object) return {};
  if (w.object->metadata.deletionTimestamp) return end(w, memory);
  Decision d;
  d.doing = "keeping its Units";
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer))
    set_finalizer(d, ref_to(*w.object), w.object->metadata, kFinalizer, true);
  std::vector<std::string> updating;
  if (everything_is_there(w, d)) {
    memory.owned.keep(inputs_of(w), d, [&] { updating = keep_owned(w, d); });
  } else {
    d.doing = "waiting for what it refers to";
  }
  keep_notes(w, d);
  write_status(w, memory, updating, d);
  return d;
}

}  // namespace troupe::actors
