#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/model/conditions.hpp"
#include "actors/model/credentials.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::unitset {
namespace {

using k8s::SyncState;

template <class Synced, class Moving>
SyncState state_of(const World& w, Synced synced, Moving moving) {
  if (std::all_of(w.slots.begin(), w.slots.end(), synced)) return SyncState::Synced;
  return std::any_of(w.slots.begin(), w.slots.end(), moving) ? SyncState::Syncing
                                                             : SyncState::NotSynced;
}

bool has_version(const World& w, const Slot& s) {
  return s.unit && s.unit->metadata.annotations.get(kVersionAnnotation) == w.object->spec.version;
}

// From the change of its specification until its new Pod serves.
bool is_updating(const Slot& s, const std::vector<std::string>& begun) {
  if (!s.unit) return false;
  const auto& status = s.unit->status;
  const bool unseen =
      status.observedGeneration != 0 && status.observedGeneration != s.unit->metadata.generation;
  return unseen || !status.task.empty() ||
         std::find(begun.begin(), begun.end(), s.name) != begun.end();
}

// Amounts, not their spelling; what is rounded up is large enough.
bool is_at_least(std::string_view has, std::string_view wanted) {
  const auto a = k8s::Amount::parse(has), b = k8s::Amount::parse(wanted);
  return a && b && *a >= *b;
}

bool volumes_fit(const World& w, const Slot& s) {
  const auto& storages = w.object->spec.storages;
  return s.unit && std::all_of(storages.begin(), storages.end(), [&s](const auto& storage) {
           const auto* claim = s.unit->status.persistentVolumeClaim.find(
               &k8s::ClaimInfo::name, fmt::format("{}-{}", s.name, storage.name));
           return claim && is_at_least(claim->capacity.storage.text, storage.size);
         });
}

// The Unit has been told.
bool volumes_are_asked_for(const World& w, const Slot& s) {
  const auto& storages = w.object->spec.storages;
  return s.unit && std::all_of(storages.begin(), storages.end(), [&s](const auto& storage) {
           for (const auto& claim : s.unit->spec.volumeClaimTemplates)
             if (claim.metadata.name == storage.name)
               return is_at_least(claim.spec.resources.requests.get("storage").text, storage.size);
           return false;
         });
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

k8s::Opt<k8s::UnitServiceStatus> unit_services(const World& w, k8s::Arena& arena) {
  std::vector<std::pair<k8s::Text, k8s::Text>> services;
  for (const auto& slot : w.slots)
    if (slot.service) services.emplace_back(arena.text(slot.name), slot.service->metadata.name);
  if (services.empty()) return {};
  return k8s::UnitServiceStatus{arena.map(std::move(services))};
}

void count(const World& w, const std::vector<std::string>& updating, k8s::UnitSetStatus& s,
           k8s::Arena& arena) {
  std::string names;
  for (const auto* slots : {&w.slots, &w.surplus})
    for (const auto& slot : *slots) {
      if (!slot.unit) continue;
      ++s.units;
      if (slot.unit->status.phase == k8s::UnitPhase::Ready) ++s.readyUnits;
      if (is_updating(slot, updating)) names += (names.empty() ? "" : ",") + slot.name;
    }
  s.inUpdate = arena.text(names.empty() ? k8s::kNothingInUpdate : names);
  const auto moving = [&](const Slot& x) { return is_updating(x, updating); };
  s.unitImageSynced = state_of(
      w, [&](const Slot& x) { return has_version(w, x) && !moving(x); }, moving);
  s.unitResourceSynced = state_of(
      w, [&](const Slot& x) { return resources_fit(w, x); }, moving);
  s.unitPVCSynced = state_of(
      w, [&](const Slot& x) { return volumes_fit(w, x); },
      [&](const Slot& x) { return volumes_are_asked_for(w, x); });
}

bool is_leaving(const World& w, const Slot& s) {
  return w.object->metadata.deletionTimestamp || s.unit->metadata.deletionTimestamp;
}

// Of those that are wanted; those that leave are told apart from them.
void set_ready(const World& w, Conditions& conditions) {
  std::size_t ready = 0;
  std::vector<std::string> leaving;
  for (const auto& slot : w.slots) {
    if (!slot.unit) continue;
    if (is_leaving(w, slot))
      leaving.push_back(slot.name);
    else if (slot.unit->status.phase == k8s::UnitPhase::Ready)
      ++ready;
  }
  for (const auto& slot : w.surplus) leaving.push_back(slot.name);
  const bool ends = bool(w.object->metadata.deletionTimestamp);
  const auto wanted = ends ? 0 : w.slots.size();
  auto text = ends ? "it is being deleted" : fmt::format("{} of {} Units are ready", ready, wanted);
  if (!leaving.empty())
    text += fmt::format("; {} {} leaving", fmt::join(leaving, ", "),
                        leaving.size() == 1 ? "is" : "are");
  const bool all = ready == wanted;
  conditions.set("Ready", all && leaving.empty(),
                 !all               ? "UnitsNotReady"
                 : !leaving.empty() ? "UnitsLeaving"
                                    : "AllUnitsReady",
                 text);
}

// The trouble of the first Unit that is held back, and how many are.
void hold_troubles_of_units(const World& w, Decision& d) {
  std::size_t units = 0, held = 0;
  const Slot* first = nullptr;
  const k8s::Condition* trouble = nullptr;
  for (const auto* slots : {&w.slots, &w.surplus})
    for (const auto& slot : *slots) {
      if (!slot.unit) continue;
      ++units;
      const auto* c = k8s::find_condition(slot.unit->status.conditions, kReconciled);
      const bool is_held = c && c->status == k8s::ConditionStatus::False;
      if (!is_held || c->reason == kHandsOverFirst || held++ > 0) continue;
      first = &slot;
      trouble = c;
    }
  if (!first) return;
  // They have one Secret, so it does not matter whose word it is.
  const auto rule = trouble->reason.str();
  if (rule == kCredentialsMissing || rule == kCredentialsInvalid)
    return d.hold(rule, trouble->message.str());
  d.hold(rule, fmt::format("{} of {} Units {} held back; {}: {}: {}", held, units,
                           held == 1 ? "is" : "are", first->name, rule, trouble->message));
}

}  // namespace

void write_status(const World& w, Memory& memory, const std::vector<std::string>& updating,
                  Decision& d) {
  const auto& o = *w.object;
  hold_refused(w.refused, d);
  hold_troubles_of_units(w, d);
  // The first one gives the condition its reason.
  std::stable_partition(d.guards.begin(), d.guards.end(),
                        [](const Guard& g) { return g.rule != kUpdateWaits; });
  k8s::Arena arena;
  k8s::UnitSetStatus s;
  s.observedGeneration = o.metadata.generation;
  count(w, updating, s, arena);
  if (w.external) s.externalService = k8s::ExternalServiceStatus{w.external->metadata.name};
  s.unitService = unit_services(w, arena);

  Conditions conditions(arena, o.status.conditions, o.metadata.generation, w.wall);
  conditions.reconciled(d.guards);
  set_ready(w, conditions);
  s.conditions = conditions.list();
  if (k8s::same_json_text(s, o.status)) return;

  tell_changes(d, o, conditions, {kReconciled}, {kUpdateWaits}, memory.warned);
  auto body = skeleton<k8s::UnitSet>(o.metadata.namespace_, o.metadata.name);
  body["metadata"].as_object()["uid"] = o.metadata.uid.view();
  body["status"] = boost::json::parse(k8s::to_json_text(s));
  d.add("status", Apply{ref_to(o), std::string(kManager), boost::json::serialize(body), true, {}});
}

}  // namespace troupe::actors::unitset
