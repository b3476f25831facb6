#include <fmt/format.h>

#include "actors/model/conditions.hpp"
#include "actors/model/ensure.hpp"
#include "k8s/api/encode.hpp"
#include "tests/unit/actors/configmirror/kind.hpp"

namespace troupe::actors {
namespace {

using World = ConfigMirrorKind::World;

constexpr std::string_view kManager = "troupe-configmirror";
constexpr std::string_view kFinalizer = "example.troupe.dev/copy";
// On the copy: whose it is. It has no owner reference, so that the finalizer has something to do.
constexpr std::string_view kMirrorLabel = "example.troupe.dev/mirror";

bool is_ours(const World& w) {
  return w.target && w.target->metadata.labels.get(kMirrorLabel) == w.object->metadata.name;
}

Decision end(const World& w) {
  Decision d;
  d.doing = "being deleted";
  if (is_ours(w))
    d.add("delete ConfigMap", Delete{ref_to(*w.target), w.target->metadata.uid.str(), {}});
  else if (k8s::has_finalizer(w.object->metadata, kFinalizer))
    set_finalizer(d, ref_to(*w.object), w.object->metadata, kFinalizer, false);
  return d;
}

void keep_copy(const World& w, Decision& d) {
  const auto& o = *w.object;
  if (!w.source)
    return d.hold("SourceMissing", fmt::format("ConfigMap {}/{} (spec.source) does not exist",
                                               o.metadata.namespace_, o.spec.source));
  if (w.target && !is_ours(w))
    return d.hold("NameTaken", fmt::format("ConfigMap {}/{} is not a copy: name another target",
                                           o.metadata.namespace_, o.spec.target));
  auto body = skeleton<k8s::ConfigMap>(o.metadata.namespace_, o.spec.target);
  body["metadata"].as_object()["labels"] = {{kMirrorLabel, o.metadata.name.view()}};
  body["data"] = to_json(w.source->data);
  const bool drifted = w.target && to_json(w.target->data) != body["data"];
  ensure(d, "ConfigMap", ref<k8s::ConfigMap>(o.metadata.namespace_, o.spec.target), kManager,
         std::move(body), w.target ? &w.target->metadata : nullptr, drifted);
}

void write_status(const World& w, Decision& d) {
  const auto& o = *w.object;
  hold_refused(w.refused, d);
  k8s::Arena arena;
  k8s::ConfigMirrorStatus s;
  s.observedGeneration = o.metadata.generation;
  if (is_ours(w)) s.keys = static_cast<std::int32_t>(w.target->data.size());
  Conditions conditions(arena, o.status.conditions, o.metadata.generation, w.wall);
  conditions.reconciled(d.guards);
  s.conditions = conditions.list();
  if (k8s::to_json_text(s) == k8s::to_json_text(o.status)) return;
  tell_changes(d, o, conditions, {kReconciled});
  auto body = skeleton<k8s::ConfigMirror>(o.metadata.namespace_, o.metadata.name);
  body["status"] = boost::json::parse(k8s::to_json_text(s));
  d.add("status", Apply{ref_to(o), std::string(kManager), boost::json::serialize(body), true, {}});
}

}  // namespace

Decision ConfigMirrorKind::decide(const World& w, Memory&, TimePoint) {
  if (!w.object) return {};
  if (w.object->metadata.deletionTimestamp) return end(w);
  Decision d;
  d.doing = "keeping its copy";
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer))
    set_finalizer(d, ref_to(*w.object), w.object->metadata, kFinalizer, true);
  keep_copy(w, d);
  write_status(w, d);
  return d;
}

}  // namespace troupe::actors
