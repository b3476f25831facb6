#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"

namespace troupe::actors {
namespace {

using unitset::Slot;

Slot look(std::string name, std::string_view ns, Sight& sight) {
  Slot s;
  s.unit = sight.get<k8s::Unit>(ns, name);
  s.pod = sight.get<k8s::Pod>(ns, name);
  s.values = sight.get<k8s::ConfigMap>(ns, name + "-config-value");
  s.service = sight.get<k8s::Service>(ns, name + "-svc");
  s.name = std::move(name);
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

}  // namespace

UnitSetKind::World UnitSetKind::observe(const ObjectRef& self, Sight& sight) {
  World w;
  w.wall = sight.wall();
  w.object = sight.get<k8s::UnitSet>(self.ns, self.name);
  if (!w.object) return w;
  const auto& spec = w.object->spec;
  w.operator_namespace = sight.settings().operator_namespace;
  w.template_name = spec.edition.empty()
                        ? fmt::format("{}-{}", spec.type, spec.version)
                        : fmt::format("{}-{}-{}", spec.type, spec.edition, spec.version);
  w.central_template = sight.get<k8s::PodTemplate>(w.operator_namespace, w.template_name);
  w.central_config =
      sight.get<k8s::ConfigMap>(w.operator_namespace, w.template_name + "-config-template");
  w.central_values =
      sight.get<k8s::ConfigMap>(w.operator_namespace, w.template_name + "-config-value");
  w.pod_template = sight.get<k8s::PodTemplate>(self.ns, self.name + "-podtemplate");
  w.config = sight.get<k8s::ConfigMap>(self.ns, self.name + "-config-template");
  w.headless = sight.get<k8s::Service>(self.ns, self.name + "-headless-svc");
  w.external = sight.get<k8s::Service>(self.ns, self.name + "-svc");
  if (!spec.sharedConfigName.empty())
    w.shared = sight.get<k8s::ConfigMap>(self.ns, spec.sharedConfigName);
  if (spec.secret) w.secret = sight.get<k8s::SecretObject>(self.ns, spec.secret->name);

  for (int i = 0; i < spec.units; ++i)
    w.slots.push_back(look(fmt::format("{}-{}", self.name, i), self.ns, sight));
  std::vector<std::pair<int, std::string>> beyond;
  for (const auto& unit : sight.owned_by<k8s::Unit>(self.ns, w.object->metadata.uid)) {
    const auto ordinal = ordinal_of(*unit);
    if (ordinal && *ordinal >= spec.units) beyond.emplace_back(*ordinal, unit->metadata.name.str());
  }
  std::sort(beyond.begin(), beyond.end());
  for (auto& [ordinal, name] : beyond) w.surplus.push_back(look(std::move(name), self.ns, sight));
  return w;
}

}  // namespace troupe::actors
