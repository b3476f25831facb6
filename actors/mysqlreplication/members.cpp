// Which Units belong to this replication. Two that name the same one must never both command it: so
// the Unit itself says whose it is, and is claimed and given back by writes that fail if it was
// written in between.
#include <fmt/format.h>

#include <algorithm>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors::mysqlreplication {
namespace {

// An empty owner is none.
void write_owner(const k8s::Unit& unit, std::string_view owner, std::string_view verb,
                 Decision& d) {
  boost::json::object labels;
  labels[kOwnerLabel] = nullptr;
  if (!owner.empty()) labels[kOwnerLabel] = owner;
  patch_as_seen(d, fmt::format("{} Unit {}", verb, unit.metadata.name), unit,
                {{"metadata", {{"labels", std::move(labels)}}}});
}

void release(const k8s::Unit& unit, Decision& d) { write_owner(unit, {}, "release", d); }

}  // namespace

std::string_view owner_of(const k8s::Unit& unit) { return unit.metadata.labels.get(kOwnerLabel); }

bool is_ours(const World& w, const Node& n) {
  return n.unit && owner_of(*n.unit) == w.object->metadata.name.view();
}

std::string_view other_owner(const World& w, const Node& n) {
  return n.unit && n.owner_exists && !is_ours(w, n) ? owner_of(*n.unit) : std::string_view();
}

void keep_members(const World& w, Decision& d) {
  const auto name = w.object->metadata.name.view();
  const bool formed = !w.object->status.currentSource.empty();
  std::vector<const Node*> nodes;
  for (const auto& n : w.nodes)
    if (!n.former && (formed || !n.isolated))
      nodes.push_back(&n);  // nobody waits for those that are isolated
  std::sort(nodes.begin(), nodes.end(),
            [](const Node* a, const Node* b) { return a->name < b->name; });
  for (const auto* n : nodes) {
    if (is_ours(w, *n)) continue;
    const bool free = n->unit && !n->unit->metadata.deletionTimestamp && other_owner(w, *n).empty();
    if (free) write_owner(*n->unit, name, "claim", d);
    // One after the other, in an order that is everybody's: so that of two that begin at once, one
    // gets all and not each a part.
    if (!formed) break;
  }
  for (const auto& unit : w.leavers) {
    const auto of_unit = [&unit](const auto& pod) {
      return pod->metadata.name == unit->metadata.name;
    };
    // Its Pod's labels are ours to remove only as long as the Unit is.
    if (std::none_of(w.strays.begin(), w.strays.end(), of_unit)) release(*unit, d);
  }
}

void release_members(const World& w, Decision& d) {
  for (const auto& n : w.nodes)
    if (is_ours(w, n)) release(*n.unit, d);
  for (const auto& unit : w.leavers) release(*unit, d);
}

bool has_members(const World& w) {
  return !w.leavers.empty() ||
         std::any_of(w.nodes.begin(), w.nodes.end(), [&w](const Node& n) { return is_ours(w, n); });
}

}  // namespace troupe::actors::mysqlreplication
