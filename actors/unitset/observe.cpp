#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"

namespace troupe::actors {
namespace {

using unitset::Slot;

std::string template_name(const k8s::UnitSetSpec& spec, std::string_view version) {
  return spec.edition.empty() ? fmt::format("{}-{}", spec.type, version)
                              : fmt::format("{}-{}-{}", spec.type, spec.edition, version);
}

// One that exists: whoever is gone keeps nobody.
k8s::ObjectPtr<k8s::MysqlReplication> replication_of(const Slot& slot, Sight& sight) {
  if (!slot.unit) return {};
  const auto& meta = slot.unit->metadata;
  const auto owner = meta.labels.get(kOwnerLabel);
  return owner.empty() ? nullptr : sight.get<k8s::MysqlReplication>(meta.namespace_, owner);
}

Slot look(std::string name, const UnitSetKind::World& w, Sight& sight) {
  const auto ns = w.object->metadata.namespace_;
  Slot s;
  s.unit = sight.get<k8s::Unit>(ns, name);
  s.pod = sight.get<k8s::Pod>(ns, name);
  s.values = sight.get<k8s::ConfigMap>(ns, name + std::string(unitset::kValuesSuffix));
  s.service = sight.get<k8s::Service>(ns, name + "-svc");
  s.replication = replication_of(s, sight);
  s.name = std::move(name);
  const auto made_for =
      s.values ? s.values->metadata.annotations.get(kVersionAnnotation) : k8s::Text();
  if (!made_for.empty() && made_for != w.object->spec.version)
    s.old_values = sight.get<k8s::ConfigMap>(
        w.operator_namespace, template_name(w.object->spec, made_for) + "-config-value");
  return s;
}

// The ordinal of a Unit of this set, by its label.
std::optional<int> ordinal_of(const k8s::Unit& unit) {
  const auto text = unit.metadata.labels.get(kUnitOrdinalLabel).view();
  int n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool has_unit(const UnitSetKind::World& w, std::string_view unit) {
  const auto named = [unit](const Slot& s) { return s.name == unit; };
  return std::any_of(w.slots.begin(), w.slots.end(), named) ||
         std::any_of(w.surplus.begin(), w.surplus.end(), named);
}

k8s::ObjectPtr<k8s::PodTemplate> base_template(const UnitSetKind::World& w) {
  if (w.central_template) return w.central_template;
  const bool same = w.pod_template && unitset::is_of_version(w, w.pod_template->metadata);
  return same ? w.pod_template : nullptr;
}

// Surplus Units are gone before what was made for them is.
void find_leftovers(UnitSetKind::World& w, Sight& sight) {
  const auto& meta = w.object->metadata;
  for (auto& service : sight.owned_by<k8s::Service>(meta.namespace_, meta.uid)) {
    const auto unit = service->metadata.labels.get(kUnitLabel);
    if (!unit.empty() && !has_unit(w, unit)) w.leftover_services.push_back(std::move(service));
  }
  for (auto& map : sight.owned_by<k8s::ConfigMap>(meta.namespace_, meta.uid)) {
    auto name = map->metadata.name.view();
    if (!name.ends_with(unitset::kValuesSuffix)) continue;
    name.remove_suffix(unitset::kValuesSuffix.size());
    if (!has_unit(w, name)) w.leftover_values.push_back(std::move(map));
  }
}

}  // namespace

UnitSetKind::World UnitSetKind::observe(const ObjectRef& self, Sight& sight) {
  World w;
  w.wall = sight.wall();
  w.refused = sight.refused();
  w.object = sight.get<k8s::UnitSet>(self.ns, self.name);
  if (!w.object) return w;
  const auto& spec = w.object->spec;
  w.operator_namespace = sight.settings().operator_namespace;
  w.template_name = template_name(spec, spec.version);
  w.central_template = sight.get<k8s::PodTemplate>(w.operator_namespace, w.template_name);
  w.central_config =
      sight.get<k8s::ConfigMap>(w.operator_namespace, w.template_name + "-config-template");
  w.central_values =
      sight.get<k8s::ConfigMap>(w.operator_namespace, w.template_name + "-config-value");
  w.pod_template = sight.get<k8s::PodTemplate>(self.ns, self.name + "-podtemplate");
  w.config = sight.get<k8s::ConfigMap>(self.ns, self.name + "-config-template");
  if (const auto base = base_template(w)) w.base_template = parse_object(base->template_.text());
  w.headless = sight.get<k8s::Service>(self.ns, self.name + "-headless-svc");
  w.external = sight.get<k8s::Service>(self.ns, self.name + "-svc");
  if (!spec.sharedConfigName.empty())
    w.shared = sight.get<k8s::ConfigMap>(self.ns, spec.sharedConfigName);
  if (spec.secret) w.secret = sight.get<k8s::SecretObject>(self.ns, spec.secret->name);
  if (spec.certificateSecret)
    w.certificate_authority = sight.get<k8s::SecretObject>(self.ns, spec.certificateSecret->name);

  for (int i = 0; i < spec.units; ++i)
    w.slots.push_back(look(fmt::format("{}-{}", self.name, i), w, sight));
  std::vector<std::pair<int, std::string>> beyond;
  for (const auto& unit : sight.owned_by<k8s::Unit>(self.ns, w.object->metadata.uid)) {
    const auto ordinal = ordinal_of(*unit);
    if (ordinal && *ordinal >= spec.units) beyond.emplace_back(*ordinal, unit->metadata.name.str());
  }
  std::sort(beyond.begin(), beyond.end());
  for (auto& [ordinal, name] : beyond) w.surplus.push_back(look(std::move(name), w, sight));
  find_leftovers(w, sight);
  return w;
}

}  // namespace troupe::actors
