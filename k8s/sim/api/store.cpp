#include "k8s/sim/api/store.hpp"

#include <algorithm>

namespace troupe::sim {
namespace {

bool in_namespace(std::string_view key, std::string_view ns) {
  return ns.empty() || (key.size() > ns.size() && key.starts_with(ns) && key[ns.size()] == '/');
}

ObjectPtr make_object(json::object object, std::uint64_t revision, TypePtr written_as) {
  metadata_of(object)["resourceVersion"] = std::to_string(revision);
  auto stored = std::make_shared<StoredObject>();
  stored->resource_version = revision;
  stored->written_as = std::move(written_as);
  stored->value = std::move(object);
  return stored;
}

}  // namespace

std::string object_key(std::string_view ns, std::string_view name) {
  if (ns.empty()) return std::string(name);
  return std::string(ns).append("/").append(name);
}

std::string object_key(const json::object& object) {
  return object_key(namespace_of(object), name_of(object));
}

ObjectPtr Collection::find(std::string_view key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::optional<std::vector<ObjectPtr>> Collection::snapshot(std::string_view ns,
                                                           std::string_view after,
                                                           std::uint64_t revision,
                                                           std::size_t limit) const {
  if (revision < compacted_) return std::nullopt;
  const auto first = ns.empty() ? std::string() : std::string(ns).append("/");
  const auto wanted = [&](std::string_view key) { return key > after && in_namespace(key, ns); };
  // Undo what came later: the oldest such change of a key says what it was at `revision`.
  std::map<std::string, ObjectPtr> earlier;
  for (auto change = history_.rbegin();
       change != history_.rend() && change->resource_version > revision; ++change) {
    auto key = object_key(change->object->object());
    if (wanted(key)) earlier[std::move(key)] = change->previous;
  }
  std::vector<ObjectPtr> result;
  const auto take = [&](const ObjectPtr& object) {
    if (object != nullptr && result.size() < limit) result.push_back(object);
  };
  auto undone = earlier.begin();
  auto it = objects_.lower_bound(std::max<std::string_view>(after, first));
  for (; it != objects_.end() && in_namespace(it->first, ns) && result.size() < limit; ++it) {
    for (; undone != earlier.end() && undone->first < it->first; ++undone) take(undone->second);
    const bool changed = undone != earlier.end() && undone->first == it->first;
    if (!changed && wanted(it->first)) take(it->second);
  }
  for (; undone != earlier.end(); ++undone) take(undone->second);
  return result;
}

Collection& Store::collection(std::string_view name) {
  auto found = collections_.find(name);
  if (found == collections_.end()) {
    found = collections_.emplace(name, std::make_unique<Collection>(std::string(name))).first;
    found->second->compacted_ = revision_;
  }
  return *found->second;
}

const Collection* Store::find_collection(std::string_view name) const {
  const auto found = collections_.find(name);
  return found == collections_.end() ? nullptr : found->second.get();
}

void Store::drop(std::string_view name) {
  const auto found = collections_.find(name);
  if (found == collections_.end()) return;
  auto& dropped = *found->second;
  dropped.objects_.clear();
  dropped.history_.clear();
  dropped.compacted_ = revision_;
}

ObjectPtr Store::put(Collection& collection, json::object object, TypePtr written_as) {
  const auto key = object_key(object);
  auto stored = make_object(std::move(object), ++revision_, std::move(written_as));
  auto& slot = collection.objects_[key];
  Change change{slot == nullptr ? ChangeType::Added : ChangeType::Modified, revision_, stored,
                slot};
  // The history keeps old objects; what was derived from them would rarely be used again.
  if (slot != nullptr) slot->cache = {};
  slot = stored;
  record(collection, std::move(change));
  return stored;
}

ObjectPtr Store::remove(Collection& collection, std::string_view key, const ObjectPtr& last) {
  const auto found = collection.objects_.find(key);
  if (found == collection.objects_.end()) return nullptr;
  auto final_state = with_resource_version(*last, ++revision_);
  auto previous = found->second;
  collection.objects_.erase(found);
  record(collection, {ChangeType::Deleted, revision_, final_state, std::move(previous)});
  return final_state;
}

void Store::record(Collection& collection, Change change) {
  collection.history_.push_back(change);
  if (collection.history_.size() > history_limit_) {
    collection.compacted_ = collection.history_.front().resource_version;
    collection.history_.pop_front();
  }
  for (const auto& listener : listeners_) listener(collection, change);
}

void Store::compact(std::uint64_t revision) {
  revision = std::min(revision, revision_);
  for (auto& [name, collection] : collections_) {
    auto& history = collection->history_;
    while (!history.empty() && history.front().resource_version <= revision) history.pop_front();
    collection->compacted_ = std::max(collection->compacted_, revision);
  }
}

ObjectPtr with_resource_version(const StoredObject& object, std::uint64_t resource_version) {
  return make_object(object.object(), resource_version, object.written_as);
}

}  // namespace troupe::sim
