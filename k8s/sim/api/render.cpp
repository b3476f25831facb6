#include "k8s/sim/api/render.hpp"

namespace troupe::sim {
namespace {

json::value converted(const ResourceType& type, const StoredObject& object) {
  json::value value = object.value;
  auto& root = value.get_object();
  if (type.strategy.adopt && object.written_as != nullptr) {
    type.strategy.adopt(root, *object.written_as);
  }
  set_type_meta(root, type.api_version(), type.kind);
  if (type.custom && type.schema) {
    if (!type.preserve_unknown) type.schema->prune(value);
    type.schema->apply_defaults(value);
  }
  return value;
}

}  // namespace

ObjectPtr view(const TypePtr& type, const ObjectPtr& object) {
  if (object == nullptr || object->written_as == type) return object;
  auto& cache = object->cache;
  if (cache.view_type != type) {
    auto seen = std::make_shared<StoredObject>();
    seen->resource_version = object->resource_version;
    seen->written_as = type;
    seen->value = converted(*type, *object);
    cache.view = std::move(seen);
    cache.view_type = type;
  }
  return cache.view;
}

std::shared_ptr<const std::string> members_text(const ObjectPtr& viewed) {
  auto& cache = viewed->cache;
  if (cache.text == nullptr) {
    auto text = std::make_shared<std::string>();
    for (const auto& [key, value] : viewed->object()) {
      if (key == "apiVersion" || key == "kind") continue;
      if (!text->empty()) *text += ',';
      *text += json::serialize(json::string(key));
      *text += ':';
      *text += json::serialize(value);
    }
    *text += '}';
    text->shrink_to_fit();
    cache.text = std::move(text);
  }
  return cache.text;
}

void append_object_text(std::string& out, const ResourceType& type, const ObjectPtr& viewed) {
  out.append("{\"apiVersion\":\"").append(type.api_version());
  out.append("\",\"kind\":\"").append(type.kind).append("\",");
  out.append(*members_text(viewed));
}

std::string object_text(const ResourceType& type, const ObjectPtr& viewed) {
  std::string out;
  append_object_text(out, type, viewed);
  return out;
}

}  // namespace troupe::sim
