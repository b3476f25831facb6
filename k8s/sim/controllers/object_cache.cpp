#include "k8s/sim/controllers/object_cache.hpp"

#include <utility>

#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {

ObjectKey key_of(const boost::json::value& object) {
  return {std::string(namespace_of(object)), std::string(name_of(object))};
}

ObjectCache::ObjectCache(LocalClient& api, std::string resource)
    : api_(api), resource_(std::move(resource)) {}

void ObjectCache::subscribe(Listener listener) { listeners_.push_back(std::move(listener)); }

void ObjectCache::start() {
  watch_ = api_.watch(resource_, "", [this](WatchEventType type, const boost::json::value& object) {
    on_event(type, object);
  });
}

CachedObject ObjectCache::find(const ObjectKey& key) const {
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

std::vector<CachedObject> ObjectCache::in_namespace(std::string_view ns) const {
  std::vector<CachedObject> found;
  for (auto at = objects_.lower_bound({std::string(ns), ""});
       at != objects_.end() && at->first.ns == ns; ++at) {
    found.push_back(at->second);
  }
  return found;
}

void ObjectCache::on_event(WatchEventType type, const boost::json::value& object) {
  ObjectKey key = key_of(object);
  CachedObject before = find(key);
  CachedObject after;
  if (type == WatchEventType::Deleted) {
    objects_.erase(key);
    if (before == nullptr) return;
  } else {
    after = std::make_shared<const boost::json::value>(object);
    objects_.insert_or_assign(std::move(key), after);
  }
  for (const Listener& listener : listeners_) listener(before, after);
}

ObjectCache& ObjectCaches::of(std::string_view resource) {
  auto found = caches_.find(resource);
  if (found == caches_.end()) {
    found = caches_
                .emplace(std::string(resource),
                         std::make_unique<ObjectCache>(api_, std::string(resource)))
                .first;
  }
  return *found->second;
}

void ObjectCaches::start() {
  for (const auto& [resource, cache] : caches_) cache->start();
}

void ObjectCaches::stop() {
  for (const auto& [resource, cache] : caches_) cache->stop();
}

}  // namespace troupe::sim
