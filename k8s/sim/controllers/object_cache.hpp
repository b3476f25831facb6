// What the parts beside the API server know of one resource: every object of it, kept current by a
// watch, shared by all of them. On the API server's thread only.
//
// Listeners are told of each change in order, from inside the watch's callback; as that may happen
// in the middle of somebody's write, they note what to look at (WorkQueue) and do nothing else.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/local_client.hpp"

namespace troupe::sim {

struct ObjectKey {
  std::string ns;  // empty: cluster-scoped
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
};

ObjectKey key_of(const boost::json::value& object);

using CachedObject = std::shared_ptr<const boost::json::value>;

class ObjectCache {
 public:
  using Objects = std::map<ObjectKey, CachedObject>;
  // `before` is null for an object that is new, `after` for one that is gone.
  using Listener = std::function<void(const CachedObject& before, const CachedObject& after)>;

  ObjectCache(LocalClient& api, std::string resource);

  void subscribe(Listener listener);
  // Fills the cache and keeps it current until destroyed or stopped.
  void start();
  void stop() { watch_.reset(); }

  // Null when there is none.
  CachedObject find(const ObjectKey& key) const;
  const Objects& all() const { return objects_; }
  // Every object of one namespace.
  std::vector<CachedObject> in_namespace(std::string_view ns) const;

 private:
  void on_event(WatchEventType type, const boost::json::value& object);

  LocalClient& api_;
  const std::string resource_;
  Objects objects_;
  std::vector<Listener> listeners_;
  std::unique_ptr<LocalWatch> watch_;
};

// The caches of one simulated cluster, by resource ("pods", "endpointslices.discovery.k8s.io").
class ObjectCaches {
 public:
  explicit ObjectCaches(LocalClient& api) : api_(api) {}

  // Made when first asked for. Ask before start().
  ObjectCache& of(std::string_view resource);
  // Starts them all; listeners hear of everything that exists.
  void start();
  void stop();

 private:
  LocalClient& api_;
  std::map<std::string, std::unique_ptr<ObjectCache>, std::less<>> caches_;
};

}  // namespace troupe::sim
