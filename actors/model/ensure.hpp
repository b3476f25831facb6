// Objects that a kind owns: built as JSON, applied only when something differs.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "actors/model/decision.hpp"
#include "k8s/api/metadata.hpp"
#include "k8s/api/snapshot.hpp"

namespace troupe::actors {

template <k8s::KindStruct T>
ObjectRef ref(std::string_view ns, std::string_view name) {
  return {k8s::kKindId<T>, std::string(ns), std::string(name)};
}
template <k8s::KindStruct T>
ObjectRef ref_to(const T& object) {
  return ref<T>(object.metadata.namespace_, object.metadata.name);
}

// {"apiVersion", "kind", "metadata": {"name", "namespace", "labels"}}
template <k8s::KindStruct T>
boost::json::object skeleton(std::string_view ns, std::string_view name) {
  const auto& table = k8s::kKind<T>;
  std::string api_version(table.group);
  if (!api_version.empty()) api_version += '/';
  api_version += table.version;
  return {{"apiVersion", api_version},
          {"kind", table.kind},
          {"metadata", {{"name", name}, {"namespace", ns}}}};
}

boost::json::object owner_reference(std::string_view api_version, std::string_view kind,
                                    std::string_view name, std::string_view uid);
// Its owner references if it is controlled by `object`.
template <k8s::KindStruct T>
boost::json::array owned_by(const T& object) {
  const auto& table = k8s::kKind<T>;
  std::string api_version(table.group);
  if (!api_version.empty()) api_version += '/';
  api_version += table.version;
  return {owner_reference(api_version, table.kind, object.metadata.name, object.metadata.uid)};
}

boost::json::object to_json(const k8s::TextMap& map);

// The annotation that says what `manager` applied last.
std::string applied_annotation(std::string_view manager);
std::string applied_hash(const boost::json::object& body);

// Applies `body` unless the live object's annotation says that exactly this was applied, its labels
// and annotations are there still, and nothing else of it has `drifted`. The annotation is written
// with it.
void ensure(Decision& decision, std::string_view kind, const ObjectRef& object,
            std::string_view manager, boost::json::object body, const k8s::ObjectMeta* live,
            bool drifted = false);

// Merges `patch` into the object, on condition that nobody has written it since `live` was seen.
void patch_as_seen(Decision& decision, std::string key, const ObjectRef& object,
                   const k8s::ObjectMeta& live, boost::json::object patch);
template <k8s::KindStruct T>
void patch_as_seen(Decision& decision, std::string key, const T& live, boost::json::object patch) {
  patch_as_seen(decision, std::move(key), ref_to(live), live.metadata, std::move(patch));
}

// Adds or removes a finalizer, on the same condition.
void set_finalizer(Decision& decision, const ObjectRef& object, const k8s::ObjectMeta& live,
                   std::string_view finalizer, bool present);

// That something happened to `about`: it began, or ended. At most once for the same text while it
// is remembered. What stands in an object's way is told by its conditions (conditions.hpp).
template <k8s::KindStruct T>
void tell(Decision& decision, const T& about, bool warning, std::string_view reason,
          std::string_view text) {
  std::string key = "event ";
  key += reason;
  decision.add(key + " " + std::string(text),
               EmitEvent{ref_to(about), about.metadata.uid.str(), warning, std::string(reason),
                         std::string(text)});
}

}  // namespace troupe::actors
