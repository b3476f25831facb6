// Copies of the version's templates, and each Unit's values, which are its user's to edit.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"
#include "k8s/api/encode.hpp"

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

object data_of(const k8s::ConfigMap& map) { return to_json(map.data); }

object owned_skeleton(const World& w, object body) {
  auto& metadata = body["metadata"].as_object();
  metadata["labels"] = to_json(w.object->metadata.labels);
  metadata["ownerReferences"] = owned_by(*w.object);
  metadata["annotations"] = object{{kVersionAnnotation, w.object->spec.version.view()}};
  return body;
}

// Made once from the version's, then the user's; under a new version theirs goes over the new one.
void values(const World& w, const Slot& slot, Decision& d) {
  const auto& spec = w.object->spec;
  const auto ns = w.object->metadata.namespace_;
  if (!w.central_values) return;
  const auto name = slot.name + "-config-value";
  if (slot.values && slot.values->metadata.annotations.get(kVersionAnnotation) == spec.version)
    return;
  auto data = data_of(*w.central_values);
  if (slot.values && slot.values->data.contains(spec.type)) {
    const auto base = w.central_values->data.get(spec.type);
    data[spec.type.view()] = merge_values(slot.values->data.get(spec.type), {}, base);
  }
  auto body = owned_skeleton(w, skeleton<k8s::ConfigMap>(ns, name));
  body["data"] = std::move(data);
  const auto object = ref<k8s::ConfigMap>(ns, name);
  d.add(apply_key("ConfigMap", object, kManager),
        Apply{object, std::string(kManager), boost::json::serialize(body), false, {}});
}

}  // namespace

std::string merge_values(std::string_view users, std::string_view, std::string_view new_template) {
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
    auto body =
        owned_skeleton(w, skeleton<k8s::PodTemplate>(ns, o.metadata.name.str() + "-podtemplate"));
    body["template"] = boost::json::parse(w.central_template->template_.text());
    ensure(d, "PodTemplate", ref<k8s::PodTemplate>(ns, o.metadata.name.str() + "-podtemplate"),
           kManager, std::move(body), w.pod_template ? &w.pod_template->metadata : nullptr);
  }
  if (w.central_config) {
    const auto name = o.metadata.name.str() + "-config-template";
    auto body = owned_skeleton(w, skeleton<k8s::ConfigMap>(ns, name));
    body["data"] = data_of(*w.central_config);
    ensure(d, "ConfigMap", ref<k8s::ConfigMap>(ns, name), kManager, std::move(body),
           w.config ? &w.config->metadata : nullptr);
  }
  for (const auto& slot : w.slots) values(w, slot, d);
}

}  // namespace troupe::actors::unitset
