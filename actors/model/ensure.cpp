#include "actors/model/ensure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "actors/model/json.hpp"

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

// FNV-1a of its text: the same in every build.
std::string applied_hash(const boost::json::object& body) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : boost::json::serialize(body))
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return fmt::format("{:016x}", hash);
}

namespace {

bool holds(const k8s::TextMap& live, const boost::json::value* wanted) {
  if (!wanted || !wanted->is_object()) return true;
  const auto& all = wanted->as_object();
  return std::all_of(all.begin(), all.end(), [&live](const auto& pair) {
    return pair.value().is_string() && live.get(pair.key()) == pair.value().as_string();
  });
}

// Labels and annotations are what people remove by hand, and what others select by.
bool has_lost_labels(const boost::json::object& body, const k8s::ObjectMeta& live) {
  const auto* metadata = body.if_contains("metadata");
  if (!metadata || !metadata->is_object()) return false;
  return !holds(live.labels, metadata->as_object().if_contains("labels")) ||
         !holds(live.annotations, metadata->as_object().if_contains("annotations"));
}

}  // namespace

void ensure(Decision& decision, std::string_view kind, const ObjectRef& object,
            std::string_view manager, boost::json::object body, const k8s::ObjectMeta* live,
            bool drifted) {
  const auto annotation = applied_annotation(manager);
  const auto hash = applied_hash(body);
  if (live && !drifted && live->annotations.get(annotation) == hash &&
      !has_lost_labels(body, *live))
    return;
  object_at(object_at(body, "metadata"), "annotations")[annotation] = hash;
  decision.add(apply_key(kind, object, manager),
               Apply{object, std::string(manager), boost::json::serialize(body)});
}

void patch_as_seen(Decision& decision, std::string key, const ObjectRef& object,
                   const k8s::ObjectMeta& live, boost::json::object patch) {
  object_at(patch, "metadata")["resourceVersion"] = std::to_string(live.resourceVersion.value);
  decision.add(std::move(key),
               MergePatch{object, boost::json::serialize(patch), live.resourceVersion});
}

void set_finalizer(Decision& decision, const ObjectRef& object, const k8s::ObjectMeta& live,
                   std::string_view finalizer, bool present) {
  boost::json::array wanted;
  for (const auto& f : live.finalizers)
    if (f != finalizer) wanted.emplace_back(f.view());
  if (present) wanted.emplace_back(finalizer);
  patch_as_seen(decision, present ? "add finalizer" : "remove finalizer", object, live,
                {{"metadata", {{"finalizers", std::move(wanted)}}}});
}

}  // namespace troupe::actors
