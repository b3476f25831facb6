#include "k8s/sim/api/owner_graph.hpp"

#include <algorithm>

namespace troupe::sim {
namespace {

const json::array& owners_of(const json::object& object) {
  static const json::array kNone;
  const auto* owners = array_at(object, "metadata.ownerReferences");
  return owners == nullptr ? kNone : *owners;
}

}  // namespace

OwnerGraph::OwnerGraph(Core& core) : core_(core) {
  core_.store.subscribe(
      [this](const Collection& collection, const Change& change) { follow(collection, change); });
}

void OwnerGraph::follow(const Collection& collection, const Change& change) {
  const auto& object = change.object->object();
  Place place{collection.name(), object_key(object)};
  if (change.previous != nullptr) {
    for (const auto& owner : owners_of(change.previous->object())) {
      const auto found = dependents_.find(std::string(string_at(owner, "uid")));
      if (found == dependents_.end()) continue;
      found->second.erase(place);
      if (found->second.empty()) dependents_.erase(found);
    }
  }
  const std::string uid(uid_of(object));
  if (change.type == ChangeType::Deleted) {
    places_.erase(uid);
    if (const auto found = dependents_.find(uid); found != dependents_.end()) {
      for (const auto& dependent : found->second) enqueue(dependent);
    }
    // An owner that waits for its dependents may go on.
    for (const auto& owner : owners_of(object)) {
      const auto found = places_.find(std::string(string_at(owner, "uid")));
      if (found != places_.end()) enqueue(found->second);
    }
    return;
  }
  places_[uid] = place;
  for (const auto& owner : owners_of(object)) {
    dependents_[std::string(string_at(owner, "uid"))].insert(place);
  }
  if (!owners_of(object).empty() || is_deleting(object)) enqueue(std::move(place));
}

void OwnerGraph::enqueue(Place place) {
  if (queued_.insert(place).second) queue_.push_back(std::move(place));
}

void OwnerGraph::work(Writer& writer, WallTime now, std::size_t limit) {
  for (; limit > 0 && !queue_.empty(); --limit) {
    const auto place = std::move(queue_.front());
    queue_.pop_front();
    queued_.erase(place);
    look_at(place, writer, now);
  }
}

void OwnerGraph::look_at(const Place& place, Writer& writer, WallTime now) {
  const auto* collection = core_.store.find_collection(place.collection);
  const auto stored = collection == nullptr ? nullptr : collection->find(place.key);
  if (stored == nullptr) return;
  const auto& object = stored->object();
  if (is_deleting(object)) {
    if (has_finalizer(object, "orphan")) orphan_dependents(place, object);
    if (has_finalizer(object, "foregroundDeletion")) delete_dependents(place, object, writer, now);
    return;
  }
  collect(place, object, writer, now);
}

// Whether an owner does not exist. Of a kind that is not served nothing is known, so it counts as
// there, as it does for the real collector.
bool OwnerGraph::is_gone(const json::value& owner, std::string_view ns) const {
  const auto version = parse_api_version(string_at(owner, "apiVersion"));
  const auto type =
      core_.registry.find_kind(version.group, version.version, string_at(owner, "kind"));
  if (type == nullptr) return false;
  const auto found = core_.find(type->collection, type->namespaced ? ns : std::string_view{},
                                string_at(owner, "name"));
  return found == nullptr || uid_of(found->object()) != string_at(owner, "uid");
}

void OwnerGraph::collect(const Place& place, const json::object& object, Writer& writer,
                         WallTime now) {
  const auto& owners = owners_of(object);
  json::array kept;
  bool held = false;  // by an owner that is not itself waiting for its dependents to go
  for (const auto& owner : owners) {
    if (is_gone(owner, namespace_of(object))) continue;
    kept.push_back(owner);
    const auto found = places_.find(std::string(string_at(owner, "uid")));
    const auto stored =
        found == places_.end()
            ? nullptr
            : core_.store.find_collection(found->second.collection)->find(found->second.key);
    held |= stored == nullptr || !is_deleting(stored->object()) ||
            !has_finalizer(stored->object(), "foregroundDeletion");
  }
  if (owners.empty() || (held && kept.size() == owners.size())) return;
  if (held) {
    edit_stored(core_, place.collection, place.key,
                [&](json::object& o) { metadata_of(o)["ownerReferences"] = kept; });
    return;
  }
  const auto propagation = has_finalizer(object, "orphan") ? "Orphan"
                           : !kept.empty() || has_finalizer(object, "foregroundDeletion")
                               ? "Foreground"
                               : "Background";
  remove(place, object, propagation, writer, now);
}

void OwnerGraph::remove(const Place& place, const json::object& object,
                        std::string_view propagation, Writer& writer, WallTime now) {
  const auto type = core_.registry.find_collection(place.collection);
  if (type == nullptr) return;
  const WriteRequest request{.type = type,
                             .ns = std::string(namespace_of(object)),
                             .name = std::string(name_of(object)),
                             .now = now};
  DeleteRequest options;
  options.uid = uid_of(object);
  options.propagation = propagation;
  (void)writer.remove(request, options);  // gone or replaced meanwhile: nothing left to collect
}

void OwnerGraph::orphan_dependents(const Place& place, const json::object& owner) {
  const std::string uid(uid_of(owner));
  const auto found = dependents_.find(uid);
  const auto dependents = found == dependents_.end() ? std::set<Place>() : found->second;
  for (const auto& dependent : dependents) {
    edit_stored(core_, dependent.collection, dependent.key, [&](json::object& object) {
      json::array kept;
      for (const auto& reference : owners_of(object)) {
        if (string_at(reference, "uid") != uid) kept.push_back(reference);
      }
      if (kept.empty()) {
        metadata_of(object).erase("ownerReferences");
      } else {
        metadata_of(object)["ownerReferences"] = std::move(kept);
      }
    });
  }
  edit_stored(core_, place.collection, place.key,
              [](json::object& object) { remove_finalizer(object, "orphan"); });
}

void OwnerGraph::delete_dependents(const Place& place, const json::object& owner, Writer& writer,
                                   WallTime now) {
  const std::string uid(uid_of(owner));
  const auto found = dependents_.find(uid);
  const auto dependents = found == dependents_.end() ? std::set<Place>() : found->second;
  bool blocked = false;
  for (const auto& dependent : dependents) {
    const auto* collection = core_.store.find_collection(dependent.collection);
    const auto stored = collection == nullptr ? nullptr : collection->find(dependent.key);
    if (stored == nullptr) continue;
    if (!is_deleting(stored->object())) collect(dependent, stored->object(), writer, now);
    if (collection->find(dependent.key) == nullptr) continue;
    const auto& references = owners_of(stored->object());
    blocked |= std::any_of(references.begin(), references.end(), [&](const auto& reference) {
      return string_at(reference, "uid") == uid &&
             true_at(reference.get_object(), "blockOwnerDeletion");
    });
  }
  if (blocked) return;
  edit_stored(core_, place.collection, place.key,
              [](json::object& object) { remove_finalizer(object, "foregroundDeletion"); });
}

}  // namespace troupe::sim
