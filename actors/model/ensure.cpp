#include "actors/model/ensure.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace troupe::actors {

boost::json::object owner_reference(std::string_view api_version, std::string_view kind,
                                    std::string_view name, std::string_view uid) {
  return {{"apiVersion", api_version},
          {"kind", kind},
          {"name", name},
          {"uid", uid},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

boost::json::object to_json(const k8s::TextMap& map) {
  boost::json::object out;
  for (const auto& [key, value] : map) out[key.view()] = value.view();
  return out;
}

std::string applied_annotation(std::string_view manager) {
  return fmt::format("troupe.dev/applied-by-{}", manager);
}

std::string applied_hash(const boost::json::object& body) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a: the same in every build
  for (const char c : boost::json::serialize(body))
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", hash);
}

void ensure(Decision& decision, std::string_view kind, const ObjectRef& object,
            std::string_view manager, boost::json::object body, const k8s::ObjectMeta* live,
            bool drifted) {
  const auto annotation = applied_annotation(manager);
  const auto hash = applied_hash(body);
  if (live && !drifted && live->annotations.get(annotation) == hash) return;
  auto& metadata = body["metadata"].as_object();
  metadata["annotations"].is_object() ? void()
                                      : void(metadata["annotations"] = boost::json::object());
  metadata["annotations"].as_object()[annotation] = hash;
  decision.add(apply_key(kind, object, manager),
               Apply{object, std::string(manager), boost::json::serialize(body)});
}

}  // namespace troupe::actors
