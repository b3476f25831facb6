// The Pod template of a Unit: the version's template, and over it what the UnitSet says.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::unitset {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

// Every container and init container.
template <class F>
void for_each_container(object& pod_spec, F f) {
  for (const auto key : {"initContainers", "containers"})
    for (auto& c : array_at(pod_spec, key))
      if (c.is_object()) f(c.as_object());
  if (array_at(pod_spec, "initContainers").empty()) pod_spec.erase("initContainers");
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

array generated_env(const World& w, const std::vector<Port>& ports) {
  const auto& spec = w.object->spec;
  array env;
  for (const auto& s : spec.storages)
    env.push_back({{"name", upper(s.name) + "_MOUNT"}, {"value", s.mountPath.view()}});
  for (const auto& e : spec.emptyDir)
    env.push_back({{"name", upper(e.name) + "_MOUNT"}, {"value", e.mountPath.view()}});
  if (spec.secret) {
    env.push_back({{"name", "SECRET_NAME"}, {"value", spec.secret->name.view()}});
    env.push_back({{"name", "SECRET_MOUNT"}, {"value", spec.secret->mountPath.view()}});
  }
  for (const auto& p : ports)
    env.push_back({{"name", upper(p.name) + "_PORT"}, {"value", std::to_string(p.number)}});
  return env;
}

// The first definition of a name wins: the spec's, ours, the template's.
void add_env(object& pod_spec, const World& w, const std::vector<Port>& ports) {
  auto ours = boost::json::parse(k8s::to_json_text(w.object->spec.env)).as_array();
  for (auto& e : generated_env(w, ports)) ours.push_back(std::move(e));
  for_each_container(pod_spec, [&ours](object& container) {
    array merged;
    const auto add = [&merged](const value& e) {
      if (!find_named(merged, std::string_view(e.as_object().at("name").as_string())))
        merged.push_back(e);
    };
    for (const auto& e : ours) add(e);
    for (const auto& e : array_at(container, "env")) add(e);
    container["env"] = std::move(merged);
  });
}

void add_volumes(object& pod_spec, const World& w, const Slot& slot) {
  const auto& spec = w.object->spec;
  auto& volumes = array_at(pod_spec, "volumes");
  std::vector<std::pair<std::string, object>> mounts;
  const auto mount = [&mounts](k8s::Text name, k8s::Text path, bool read_only) {
    object m{{"name", name.view()}, {"mountPath", path.view()}};
    if (read_only) m["readOnly"] = true;
    mounts.emplace_back(name.str(), std::move(m));
  };
  for (const auto& s : spec.storages) {
    volumes.push_back(
        {{"name", s.name.view()},
         {"persistentVolumeClaim", {{"claimName", fmt::format("{}-{}", slot.name, s.name)}}}});
    mount(s.name, s.mountPath, false);
  }
  for (const auto& e : spec.emptyDir) {
    object dir;
    if (!e.size.empty()) dir["sizeLimit"] = e.size.view();
    volumes.push_back({{"name", e.name.view()}, {"emptyDir", std::move(dir)}});
    mount(e.name, e.mountPath, false);
  }
  if (spec.secret) {
    volumes.push_back(
        {{"name", "secret"},
         {"secret", {{"secretName", spec.secret->name.view()}, {"defaultMode", 0644}}}});
    mount("secret", spec.secret->mountPath, true);
  }
  for_each_container(pod_spec, [&mounts](object& container) {
    auto& present = array_at(container, "volumeMounts");
    for (const auto& [name, m] : mounts)
      if (!find_named(present, name)) present.push_back(m);
  });
}

void add_main_container(object& pod_spec, const World& w, const std::vector<Port>& ports) {
  auto* main = find_named(array_at(pod_spec, "containers"), w.object->spec.type);
  if (!main) return;
  array list;
  for (const auto& p : ports)
    list.push_back({{"name", p.name}, {"containerPort", p.number}, {"protocol", p.protocol}});
  if (!list.empty()) (*main)["ports"] = std::move(list);
  const auto resources = boost::json::parse(k8s::to_json_text(w.object->spec.resources));
  if (!resources.as_object().empty()) (*main)["resources"] = resources;
}

void add_affinity(object& pod_spec, const World& w, const Slot& slot) {
  const auto& spec = w.object->spec;
  array requirements;
  for (const auto& p : spec.nodeAffinityPreset) {
    array values;
    for (const auto& v : p.values) values.emplace_back(v.view());
    requirements.push_back(
        {{"key", p.key.view()}, {"operator", "In"}, {"values", std::move(values)}});
  }
  if (const auto node = pinned_node(w, slot))
    requirements.push_back(
        {{"key", "kubernetes.io/hostname"}, {"operator", "In"}, {"values", array{*node}}});
  auto& affinity = object_at(pod_spec, "affinity");
  if (!requirements.empty()) {
    // Terms are alternatives, so what must hold goes into each of them.
    auto& required = object_at(object_at(affinity, "nodeAffinity"),
                               "requiredDuringSchedulingIgnoredDuringExecution");
    auto& terms = array_at(required, "nodeSelectorTerms");
    if (terms.empty()) terms.push_back(object());
    for (auto& term : terms)
      for (const auto& r : requirements)
        array_at(term.as_object(), "matchExpressions").push_back(r);
  }
  if (spec.podAntiAffinityPreset) {
    const object term{
        {"topologyKey", "kubernetes.io/hostname"},
        {"labelSelector", {{"matchLabels", {{kUnitSetLabel, w.object->metadata.name.view()}}}}}};
    auto& anti = object_at(affinity, "podAntiAffinity");
    if (*spec.podAntiAffinityPreset == k8s::AntiAffinityPreset::Hard)
      array_at(anti, "requiredDuringSchedulingIgnoredDuringExecution").push_back(term);
    else
      array_at(anti, "preferredDuringSchedulingIgnoredDuringExecution")
          .push_back({{"weight", 100}, {"podAffinityTerm", term}});
  }
  if (affinity.empty()) pod_spec.erase("affinity");
}

}  // namespace

object pod_template(const World& w, const Slot& slot, int ordinal, const std::vector<Port>& ports) {
  auto out = *w.base_template;
  auto& metadata = object_at(out, "metadata");
  auto& labels = object_at(metadata, "labels");
  for (const auto& [key, text] : w.object->metadata.labels) labels[key.view()] = text.view();
  labels[kUnitSetLabel] = w.object->metadata.name.view();
  labels[kUnitLabel] = slot.name;
  labels[kUnitOrdinalLabel] = std::to_string(ordinal);
  auto& annotations = object_at(metadata, "annotations");
  annotations[kMainContainerAnnotation] = w.object->spec.type.view();
  for (const auto key : {"name", "namespace", "creationTimestamp"}) metadata.erase(key);

  auto& spec = object_at(out, "spec");
  spec["hostname"] = slot.name;
  spec["subdomain"] = w.object->metadata.name.str() + "-headless-svc";
  spec["automountServiceAccountToken"] = false;
  add_volumes(spec, w, slot);
  add_env(spec, w, ports);
  add_main_container(spec, w, ports);
  add_affinity(spec, w, slot);
  return out;
}

}  // namespace troupe::actors::unitset
