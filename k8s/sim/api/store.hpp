// Objects in memory, with a bounded history of changes.
//
// One counter gives every change in every collection its resourceVersion, as etcd does. A
// collection is an ordered map from key ("ns/name", or "name") to an immutable object, and the
// newest changes, from which watches start in the past and lists see an older state. A change
// older than the history is compacted: who asks for it gets 410.
//
// Single-threaded, no clock. Objects that were handed out stay valid and never change.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/object.hpp"

namespace troupe::sim {

struct ResourceType;
using TypePtr = std::shared_ptr<const ResourceType>;

struct StoredObject;
using ObjectPtr = std::shared_ptr<const StoredObject>;

// What has been derived from an object, kept because many readers want the same.
struct RenderCache {
  std::shared_ptr<const std::string> text;  // see render.hpp
  TypePtr view_type;
  ObjectPtr view;
};

struct StoredObject {
  std::uint64_t resource_version = 0;
  TypePtr written_as;  // the version whose shape `value` has
  json::value value;   // always an object
  mutable RenderCache cache;

  const json::object& object() const { return value.get_object(); }
};

enum class ChangeType { Added, Modified, Deleted };

struct Change {
  ChangeType type = ChangeType::Added;
  std::uint64_t resource_version = 0;
  ObjectPtr object;    // for Deleted: the last state, under the deletion's resourceVersion
  ObjectPtr previous;  // null for Added
};

std::string object_key(std::string_view ns, std::string_view name);
std::string object_key(const json::object& object);

class Collection {
 public:
  using Objects = std::map<std::string, ObjectPtr, std::less<>>;
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  explicit Collection(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  ObjectPtr find(std::string_view key) const;
  const Objects& objects() const { return objects_; }
  const std::deque<Change>& history() const { return history_; }
  // Changes up to and including this one are forgotten.
  std::uint64_t compacted_revision() const { return compacted_; }

  // The objects in one namespace ("" for all) with keys above `after`, as of `revision`, in key
  // order, at most `limit`. Nothing when that revision has been compacted.
  std::optional<std::vector<ObjectPtr>> snapshot(std::string_view ns, std::string_view after,
                                                 std::uint64_t revision,
                                                 std::size_t limit = kNoLimit) const;

 private:
  friend class Store;
  std::string name_;
  Objects objects_;
  std::deque<Change> history_;
  std::uint64_t compacted_ = 0;
};

class Store {
 public:
  // Per collection. Enough for a watch to reconnect after seconds at thousands of changes a
  // second; each entry keeps one old object alive.
  static constexpr std::size_t kDefaultHistory = 16'384;

  using Listener = std::function<void(const Collection&, const Change&)>;

  explicit Store(std::size_t history = kDefaultHistory) : history_limit_(history) {}

  Collection& collection(std::string_view name);
  const Collection* find_collection(std::string_view name) const;
  // Forgets an emptied collection's objects, as after the removal of its CRD.
  void drop(std::string_view name);

  // Stores an object under its next resourceVersion, which is written into its metadata.
  ObjectPtr put(Collection& collection, json::object object, TypePtr written_as);
  // Removes the object of that key; `last` is the state that watchers see in the event.
  ObjectPtr remove(Collection& collection, std::string_view key, const ObjectPtr& last);

  std::uint64_t revision() const { return revision_; }
  // Forgets all changes up to a revision, in every collection.
  void compact(std::uint64_t revision);

  // Called after every change, before put() or remove() returns, in the order of subscription.
  void subscribe(Listener listener) { listeners_.push_back(std::move(listener)); }

 private:
  void record(Collection& collection, Change change);

  std::map<std::string, std::unique_ptr<Collection>, std::less<>> collections_;
  std::vector<Listener> listeners_;
  std::size_t history_limit_;
  std::uint64_t revision_ = 1;
};

// A copy under another resourceVersion: what a watcher gets when an object leaves its selector.
ObjectPtr with_resource_version(const StoredObject& object, std::uint64_t resource_version);

}  // namespace troupe::sim
