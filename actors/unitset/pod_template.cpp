// The Pod template of a Unit: the version's template, and over it what the UnitSet says.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::unitset {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

object& object_at(object& parent, std::string_view key) {
  auto& v = parent[key];
  if (!v.is_object()) v = object();
  return v.as_object();
}

array& array_at(object& parent, std::string_view key) {
  auto& v = parent[key];
  if (!v.is_array()) v = array();
  return v.as_array();
}

// Every container and init container.
template <class F>
void for_each_container(object& pod_spec, F f) {
  for (const auto key : {"initContainers", "containers"})
    for (auto& c : array_at(pod_spec, key))
      if (c.is_object()) f(c.as_object());
  if (array_at(pod_spec, "initContainers").empty()) pod_spec.erase("initContainers");
}

object* find_named(array& items, std::string_view name) {
  for (auto& item : items) {
    const auto* found = item.is_object() ? item.as_object().if_contains("name") : nullptr;
    if (found && found->is_string() && std::string_view(found->as_string()) == name)
      return &item.as_object();
  }
  return nullptr;
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

// The node that the annotation pins this Unit to; "noneSet" pins it to none.
std::optional<std::string> pinned_node(const World& w, const Slot& slot) {
  const auto text = w.object->metadata.annotations.get(kNodeMapAnnotation).view();
  boost::system::error_code ec;
  const auto map = boost::json::parse(text, ec);
  if (ec || !map.is_object()) return std::nullopt;
  const auto* node = map.as_object().if_contains(slot.name);
  if (!node || !node->is_string() || node->as_string() == "noneSet") return std::nullopt;
  return std::string(node->as_string());
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

k8s::ObjectPtr<k8s::PodTemplate> base_template(const World& w) {
  if (w.central_template) return w.central_template;
  const bool same = w.pod_template && w.pod_template->metadata.annotations.get(
                                          kVersionAnnotation) == w.object->spec.version;
  return same ? w.pod_template : nullptr;
}

Result<std::vector<Port>> ports_of(const World& w) {
  const auto& spec = w.object->spec;
  const auto key = fmt::format("{}_ports", spec.type);
  std::vector<Port> ports;
  if (w.shared && w.shared->data.contains(key)) {
    boost::system::error_code ec;
    const auto list = boost::json::parse(w.shared->data.get(key).view(), ec);
    if (ec || !list.is_array())
      return error(Code::Invalid,
                   fmt::format("ConfigMap {}: key {} must be a JSON array such as "
                               "[{{\"name\": \"mysql\", \"containerPort\": \"3306\"}}]",
                               spec.sharedConfigName, key));
    for (const auto& item : list.as_array()) {
      if (!item.is_object()) continue;
      Port p;
      const auto& o = item.as_object();
      if (const auto* name = o.if_contains("name"); name && name->is_string())
        p.name = name->as_string();
      if (const auto* protocol = o.if_contains("protocol"); protocol && protocol->is_string())
        p.protocol = protocol->as_string();
      if (const auto* n = o.if_contains("containerPort"))
        p.number = n->is_string() ? std::atoi(n->as_string().c_str())
                                  : static_cast<std::int32_t>(n->is_int64() ? n->as_int64() : 0);
      if (p.number < 1 || p.number > 65535)
        return error(Code::Invalid,
                     fmt::format("ConfigMap {}: key {}: port {} needs a containerPort from 1 to "
                                 "65535",
                                 spec.sharedConfigName, key, p.name));
      ports.push_back(std::move(p));
    }
    return ports;
  }
  auto text = boost::json::parse(base_template(w)->template_.text()).as_object();
  const auto* main = find_named(array_at(object_at(text, "spec"), "containers"), spec.type.view());
  if (!main)
    return error(Code::Invalid, fmt::format("PodTemplate {}/{} has no container named {}",
                                            w.operator_namespace, w.template_name, spec.type));
  if (const auto* list = main->if_contains("ports"); list && list->is_array())
    for (const auto& item : list->as_array()) {
      const auto& o = item.as_object();
      Port p;
      p.number = static_cast<std::int32_t>(o.at("containerPort").as_int64());
      if (const auto* name = o.if_contains("name")) p.name = name->as_string();
      if (const auto* protocol = o.if_contains("protocol")) p.protocol = protocol->as_string();
      ports.push_back(std::move(p));
    }
  return ports;
}

object pod_template(const World& w, const Slot& slot, int ordinal, const std::vector<Port>& ports) {
  auto out = boost::json::parse(base_template(w)->template_.text()).as_object();
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
