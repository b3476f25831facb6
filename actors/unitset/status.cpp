#include <fmt/format.h>

#include <algorithm>

#include "actors/model/conditions.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::unitset {
namespace {

using k8s::SyncState;

template <class Synced, class Moving>
SyncState state_of(const World& w, Synced synced, Moving moving) {
  const bool all = std::all_of(w.slots.begin(), w.slots.end(), synced);
  if (all) return SyncState::Synced;
  return std::any_of(w.slots.begin(), w.slots.end(), moving) ? SyncState::Syncing
                                                             : SyncState::NotSynced;
}

bool has_version(const World& w, const Slot& s) {
  return s.unit && s.unit->metadata.annotations.get(kVersionAnnotation) == w.object->spec.version;
}

bool is_moving(const Slot& s) { return s.unit && !s.unit->status.task.empty(); }

// Amounts, not their spelling; what is rounded up is large enough.
bool volumes_fit(const World& w, const Slot& s) {
  if (!s.unit) return false;
  for (const auto& storage : w.object->spec.storages) {
    const auto* claim = s.unit->status.persistentVolumeClaim.find(
        &k8s::ClaimInfo::name, fmt::format("{}-{}", s.name, storage.name));
    const auto wanted = k8s::Amount::parse(storage.size);
    const auto has =
        claim ? k8s::Amount::parse(claim->capacity.storage.text) : k8s::Amount::parse("0");
    if (!claim || !wanted || !has || *has < *wanted) return false;
  }
  return true;
}

bool same_amounts(const k8s::Map<k8s::Quantity>& wanted, const k8s::Map<k8s::Quantity>& has) {
  for (const auto& [name, amount] : wanted) {
    const auto* other = has.find(name);
    if (!other) return false;
    const auto a = k8s::Amount::parse(amount.text), b = k8s::Amount::parse(other->text);
    if (!a || !b || *a != *b) return false;
  }
  return true;
}

bool resources_fit(const World& w, const Slot& s) {
  if (!s.pod) return false;
  const auto* main = s.pod->spec.containers.find(&k8s::Container::name, w.object->spec.type);
  return main && same_amounts(w.object->spec.resources.limits, main->resources.limits) &&
         same_amounts(w.object->spec.resources.requests, main->resources.requests);
}

}  // namespace

void write_status(const World& w, const Decision& so_far, Decision& d) {
  const auto& o = *w.object;
  k8s::Arena arena;
  k8s::UnitSetStatus s;
  s.observedGeneration = o.metadata.generation;
  std::string in_update;
  for (const auto* slots : {&w.slots, &w.surplus})
    for (const auto& slot : *slots) {
      if (!slot.unit) continue;
      ++s.units;
      if (slot.unit->status.phase == k8s::UnitPhase::Ready) ++s.readyUnits;
      if (is_moving(slot)) in_update += (in_update.empty() ? "" : ",") + slot.name;
    }
  s.inUpdate = arena.text(in_update.empty() ? "false" : in_update);
  s.unitImageSynced = state_of(
      w, [&w](const Slot& x) { return has_version(w, x) && !is_moving(x); }, is_moving);
  s.unitPVCSynced = state_of(
      w, [&w](const Slot& x) { return volumes_fit(w, x); },
      [](const Slot& x) { return bool(x.unit); });
  s.unitResourceSynced = state_of(
      w, [&w](const Slot& x) { return resources_fit(w, x); }, is_moving);
  if (w.external) s.externalService = k8s::ExternalServiceStatus{w.external->metadata.name};
  std::vector<std::pair<k8s::Text, k8s::Text>> services;
  for (const auto& slot : w.slots)
    if (slot.service) services.emplace_back(arena.text(slot.name), slot.service->metadata.name);
  if (!services.empty()) s.unitService = k8s::UnitServiceStatus{arena.map(std::move(services))};

  Conditions conditions(arena, o.status.conditions, o.metadata.generation, w.wall);
  if (!so_far.guards.empty()) {
    conditions.set("Reconciled", false, so_far.guards.front().rule, so_far.guards.front().text);
  } else {
    conditions.set("Reconciled", true, "AllApplied", "everything is as the specification says");
  }
  const bool ready = s.readyUnits == o.spec.units && s.units == o.spec.units;
  conditions.set("Ready", ready, ready ? "AllUnitsReady" : "UnitsNotReady",
                 fmt::format("{} of {} Units are ready", s.readyUnits, o.spec.units));
  s.conditions = conditions.list();
  if (k8s::to_json_text(s) == k8s::to_json_text(o.status)) return;

  for (const auto& c : conditions.changed())
    if (c.type == "Reconciled" && c.status == k8s::ConditionStatus::False &&
        c.reason != "UpdateWaits")
      tell(d, o, true, c.reason, c.message);
  auto body = skeleton<k8s::UnitSet>(o.metadata.namespace_, o.metadata.name);
  body["metadata"].as_object()["uid"] = o.metadata.uid.view();
  body["status"] = boost::json::parse(k8s::to_json_text(s));
  d.add("status", Apply{ref_to(o), std::string(kManager), boost::json::serialize(body), true, {}});
}

}  // namespace troupe::actors::unitset
