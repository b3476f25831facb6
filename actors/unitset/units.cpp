// Units: made all at once, updated one after the other, removed one at a time from the top.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::unitset {
namespace {

using boost::json::array;
using boost::json::object;

array claims(const World& w) {
  array out;
  for (const auto& s : w.object->spec.storages) {
    object spec{{"accessModes", array{"ReadWriteOnce"}},
                {"resources", {{"requests", {{"storage", s.size.view()}}}}}};
    if (!s.storageClassName.empty()) spec["storageClassName"] = s.storageClassName.view();
    out.push_back({{"metadata", {{"name", s.name.view()}}}, {"spec", std::move(spec)}});
  }
  return out;
}

void apply(const World& w, const Slot& slot, const object& body, Decision& d) {
  ensure(d, "Unit", ref<k8s::Unit>(w.object->metadata.namespace_, slot.name), kManager, body,
         slot.unit ? &slot.unit->metadata : nullptr, !is_current(slot, body));
}

// One that was isolated, or taken out, is given none; and nobody is by a replication that has not
// been formed yet, or goes.
bool has_role_to_come(const k8s::MysqlReplication& r, std::string_view unit) {
  if (r.status.currentSource.empty() || r.metadata.deletionTimestamp) return false;
  const auto& replicas = r.spec.replica;
  return r.spec.source.name == unit ||
         std::any_of(replicas.begin(), replicas.end(), [unit](const auto& member) {
           return member.name == unit && !member.isolated;
         });
}

// What keeps it from serving; empty: nothing. A Unit that is ready is not yet a replica: it is that
// once its replication says so.
std::string why_away(const Slot& s) {
  if (!is_ready(s)) return s.name + " is not ready";
  const bool has_role = s.pod && s.pod->metadata.labels.contains(kReadonlyLabel);
  if (has_role || !s.replication || !has_role_to_come(*s.replication, s.name)) return {};
  return fmt::format("{} has no role in MysqlReplication {} yet", s.name,
                     s.replication->metadata.name);
}

bool is_source(const Slot& s) {
  return s.replication && s.replication->status.currentSource == s.name;
}

// Highest ordinal first, sources last; none below the partition.
std::vector<std::size_t> turns(const World& w) {
  const auto first =
      static_cast<std::size_t>(std::max(0, w.object->spec.updateStrategy.rollingUpdate.partition));
  std::vector<std::size_t> order;
  for (auto i = w.slots.size(); i > first; --i) order.push_back(i - 1);
  std::stable_partition(order.begin(), order.end(),
                        [&w](std::size_t i) { return !is_source(w.slots[i]); });
  return order;
}

// So many of those that are away are named in a message.
constexpr std::size_t kNamedAway = 3;

// By Unit, why it is away.
using Away = std::map<std::string, std::string>;

std::string update_waits(const Slot& slot, const Away& away, std::size_t allowed) {
  std::string named;
  std::size_t others = 0;
  for (const auto& [unit, why] : away)
    if (unit != slot.name && others++ < kNamedAway) named += (named.empty() ? "" : "; ") + why;
  if (others > kNamedAway) named += fmt::format("; and {} more", others - kNamedAway);
  return fmt::format("{} is updated when no more than {} other Units are away: {}", slot.name,
                     allowed - 1, named);
}

// Never more than maxUnavailable away.
std::vector<std::string> roll(const World& w, const std::vector<object>& bodies, Decision& d) {
  Away away;
  for (const auto& slot : w.slots)
    if (auto why = why_away(slot); !why.empty()) away.emplace(slot.name, std::move(why));
  const auto allowed = static_cast<std::size_t>(
      std::max(1, w.object->spec.updateStrategy.rollingUpdate.maxUnavailable));
  std::vector<std::string> updating;
  bool waits = false;
  for (const auto i : turns(w)) {
    const auto& slot = w.slots[i];
    if (!slot.unit || is_current(slot, bodies[i])) continue;
    // One that is down already loses nothing by being updated, and may be mended by it.
    if (is_ready(slot) && away.size() - away.count(slot.name) >= allowed) {
      if (!std::exchange(waits, true))
        d.hold(std::string(kUpdateWaits), update_waits(slot, away, allowed));
      continue;
    }
    away.emplace(slot.name, slot.name + " is being updated");
    updating.push_back(slot.name);
    apply(w, slot, bodies[i], d);
  }
  return updating;
}

// The user decides when: a Unit whose Pod is gone takes the new shape.
std::vector<std::string> update_those_without_pod(const World& w, const std::vector<object>& bodies,
                                                  Decision& d) {
  std::vector<std::string> updating;
  for (std::size_t i = 0; i < w.slots.size(); ++i) {
    if (!w.slots[i].unit || w.slots[i].pod || is_current(w.slots[i], bodies[i])) continue;
    updating.push_back(w.slots[i].name);
    apply(w, w.slots[i], bodies[i], d);
  }
  return updating;
}

// What becomes of the data is decided by why the Unit goes, and the Unit has to know before it
// goes.
bool knows_its_end(const World& w, const Slot& slot, Decision& d) {
  const auto wanted = w.object->spec.persistentVolumeClaimRetentionPolicy.whenScaled;
  const auto& unit = *slot.unit;
  if (unit.spec.persistentVolumeClaimRetentionPolicy.whenDeleted == wanted) return true;
  patch_as_seen(
      d, "set the retention policy of Unit " + slot.name, unit,
      {{"spec",
        {{"persistentVolumeClaimRetentionPolicy", {{"whenDeleted", k8s::to_string(wanted)}}}}}});
  return false;
}

// One at a time, the highest ordinal first.
void shrink(const World& w, Decision& d) {
  for (const auto& service : w.leftover_services)
    d.add("delete Service " + service->metadata.name.str(),
          Delete{ref_to(*service), service->metadata.uid.str(), {}});
  for (const auto& values : w.leftover_values)
    d.add("delete ConfigMap " + values->metadata.name.str(),
          Delete{ref_to(*values), values->metadata.uid.str(), {}});
  if (w.surplus.empty()) return;
  const auto& last = w.surplus.back();
  if (last.replication) {
    d.hold("UnitIsMember",
           fmt::format("{} takes part in MysqlReplication {}: take it out of that first", last.name,
                       last.replication->metadata.name));
    return;
  }
  if (!last.unit->metadata.deletionTimestamp && knows_its_end(w, last, d))
    d.add("delete Unit " + last.name,
          Delete{ref_to(*last.unit), last.unit->metadata.uid.str(), {}});
}

}  // namespace

object unit_body(const World& w, const Slot& slot, int ordinal, const std::vector<Port>& ports) {
  const auto& o = *w.object;
  auto body = skeleton<k8s::Unit>(o.metadata.namespace_, slot.name);
  auto& metadata = body["metadata"].as_object();
  auto labels = to_json(o.metadata.labels);
  labels[kUnitSetLabel] = o.metadata.name.view();
  labels[kUnitLabel] = slot.name;
  labels[kUnitOrdinalLabel] = std::to_string(ordinal);
  metadata["labels"] = std::move(labels);
  metadata["annotations"] = {{kMainContainerAnnotation, o.spec.type.view()},
                             {kVersionAnnotation, o.spec.version.view()}};
  metadata["ownerReferences"] = owned_by(o);
  const auto when_deleted = o.spec.persistentVolumeClaimRetentionPolicy.whenDeleted;
  object spec{
      {"unbindNode", true},
      {"template", pod_template(w, slot, ordinal, ports)},
      {"volumeClaimTemplates", claims(w)},
      {"configTemplateName", o.metadata.name.str() + "-config-template"},
      {"configValueName", slot.name + std::string(kValuesSuffix)},
      {"persistentVolumeClaimRetentionPolicy", {{"whenDeleted", k8s::to_string(when_deleted)}}}};
  if (!o.spec.sharedConfigName.empty()) spec["sharedConfigName"] = o.spec.sharedConfigName.view();
  body["spec"] = std::move(spec);
  return body;
}

// The retention policy changes on the way down, and back when the set grows again before that.
bool is_current(const Slot& slot, const object& body) {
  if (!slot.unit) return false;
  const auto& policy = slot.unit->spec.persistentVolumeClaimRetentionPolicy;
  const auto& wanted =
      body.at("spec").as_object().at("persistentVolumeClaimRetentionPolicy").as_object();
  return k8s::to_string(policy.whenDeleted) == text_at(wanted, "whenDeleted") &&
         slot.unit->metadata.annotations.get(applied_annotation(kManager)) == applied_hash(body);
}

bool is_ready(const Slot& slot) {
  return slot.unit && slot.unit->status.phase == k8s::UnitPhase::Ready &&
         slot.unit->status.observedGeneration == slot.unit->metadata.generation;
}

std::vector<std::string> keep_units(const World& w, const std::vector<Port>& ports, Decision& d) {
  std::vector<object> bodies;
  for (std::size_t i = 0; i < w.slots.size(); ++i)
    bodies.push_back(unit_body(w, w.slots[i], static_cast<int>(i), ports));
  for (std::size_t i = 0; i < w.slots.size(); ++i)
    if (!w.slots[i].unit) apply(w, w.slots[i], bodies[i], d);
  shrink(w, d);
  return w.object->spec.updateStrategy.type == k8s::UpdateStrategyType::OnDelete
             ? update_those_without_pod(w, bodies, d)
             : roll(w, bodies, d);
}

}  // namespace troupe::actors::unitset
