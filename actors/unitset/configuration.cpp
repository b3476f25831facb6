// Copies of the version's templates, and each Unit's values, which are its user's to edit.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"

namespace troupe::actors::unitset {
namespace {

using boost::json::object;

// What users laid over the old template, laid over the new one: maps key by key, else as a whole.
YAML::Node overlay(const YAML::Node& users, const YAML::Node& base) {
  if (!users.IsMap() || !base.IsMap()) return users;
  YAML::Node out = YAML::Clone(base);
  for (const auto& entry : users) {
    const auto key = entry.first.as<std::string>();
    const YAML::Node below = base[key];
    out[key] = below ? overlay(entry.second, below) : entry.second;
  }
  return out;
}

object owned_skeleton(const World& w, object body) {
  auto& metadata = body["metadata"].as_object();
  metadata["labels"] = to_json(w.object->metadata.labels);
  metadata["ownerReferences"] = owned_by(*w.object);
  metadata["annotations"] = object{{kVersionAnnotation, w.object->spec.version.view()}};
  return body;
}

// Made once from the version's, then the user's. Under a new version the key of the database is
// merged and keys that are new come in; what else the user has there stays.
object values_data(const World& w, const Slot& slot) {
  auto data = to_json(w.central_values->data);
  if (!slot.values) return data;
  for (const auto& [key, text] : slot.values->data) data[key.view()] = text.view();
  const auto type = w.object->spec.type;
  if (slot.values->data.contains(type))
    data[type.view()] =
        merge_values(slot.values->data.get(type),
                     slot.old_values ? slot.old_values->data.get(type).view() : std::string_view(),
                     w.central_values->data.get(type));
  return data;
}

void keep_values(const World& w, const Slot& slot, Decision& d) {
  if (!w.central_values || (slot.values && is_of_version(w, slot.values->metadata))) return;
  const auto ns = w.object->metadata.namespace_;
  const auto name = slot.name + std::string(kValuesSuffix);
  auto body = owned_skeleton(w, skeleton<k8s::ConfigMap>(ns, name));
  body["data"] = values_data(w, slot);
  const auto object = ref<k8s::ConfigMap>(ns, name);
  d.add(apply_key("ConfigMap", object, kManager),
        Apply{object, std::string(kManager), boost::json::serialize(body), false, {}});
}

}  // namespace

std::string merge_values(std::string_view users, std::string_view old_template,
                         std::string_view new_template) {
  if (users == old_template) return std::string(new_template);
  try {
    const auto merged =
        overlay(YAML::Load(std::string(users)), YAML::Load(std::string(new_template)));
    YAML::Emitter out;
    out << merged;
    return std::string(out.c_str()) + "\n";
  } catch (const YAML::Exception&) {
    // What cannot be read is not ours to repair: the agent says so when it renders.
    return std::string(users);
  }
}

void keep_configuration(const World& w, Decision& d) {
  const auto& o = *w.object;
  const auto ns = o.metadata.namespace_;
  if (w.central_template) {
    const auto name = o.metadata.name.str() + "-podtemplate";
    auto body = owned_skeleton(w, skeleton<k8s::PodTemplate>(ns, name));
    body["template"] = *w.base_template;
    ensure(d, "PodTemplate", ref<k8s::PodTemplate>(ns, name), kManager, std::move(body),
           w.pod_template ? &w.pod_template->metadata : nullptr);
  }
  if (w.central_config) {
    const auto name = o.metadata.name.str() + "-config-template";
    auto body = owned_skeleton(w, skeleton<k8s::ConfigMap>(ns, name));
    body["data"] = to_json(w.central_config->data);
    ensure(d, "ConfigMap", ref<k8s::ConfigMap>(ns, name), kManager, std::move(body),
           w.config ? &w.config->metadata : nullptr);
  }
  for (const auto& slot : w.slots) keep_values(w, slot, d);
}

}  // namespace troupe::actors::unitset
