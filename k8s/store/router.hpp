// Which actors a change wakes: the object's own; the nearest one up its chain of controllers; and
// those that read something which the change may have altered.
//
// Actors read through a Reader, which notes each lookup as a dependency before it looks. So an
// actor is woken by whatever it read, also by the appearance of an object that was not there, and
// no change slips in between. Dependencies are hashes: two that collide cost a needless wake-up.
//
// Thread-safe. Routing never calls an actor; the caller sends the messages.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "k8s/store/store.hpp"
#include "runtime/model/ids.hpp"

namespace troupe::k8s {

// Something that can be read from the store.
enum class Dependency : std::uint64_t {};

Dependency on_object(KindId kind, std::string_view ns, std::string_view name);
// An empty `ns` means all namespaces.
Dependency on_label(KindId kind, std::string_view ns, std::string_view label,
                    std::string_view value);
Dependency on_owner(KindId kind, std::string_view owner_uid);
Dependency on_kind(KindId kind, std::string_view ns);

class Router {
 public:
  explicit Router(const Store& store);
  ~Router();

  // The actor of an object; it wakes for the object and for what it controls.
  void add_actor(ActorId actor, KindId kind, std::string_view ns, std::string_view name);
  void remove_actor(ActorId actor, KindId kind, std::string_view ns, std::string_view name);

  void depend(ActorId actor, Dependency on);
  void forget(ActorId actor, Dependency on);

  // Appends the actors to wake, each once.
  void route(const Change& change, std::vector<ActorId>& wake) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What an actor depends on: kept in its state from one run to the next, 8 bytes each.
class Dependencies {
 public:
  // Takes all of them back, when the actor ends.
  void clear(Router& router, ActorId actor);
  std::size_t size() const { return known_.size(); }

 private:
  friend class Reader;
  std::vector<Dependency> known_;  // sorted
};

// One run of an actor over the store. Its dependencies are what this run has read: those of earlier
// runs that were not read again are taken back when it ends.
class Reader {
 public:
  Reader(const Store& store, Router& router, ActorId actor, Dependencies& dependencies);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  SnapshotPtr get(KindId kind, std::string_view ns, std::string_view name);
  std::vector<SnapshotPtr> list(KindId kind, std::string_view ns = {});
  std::vector<SnapshotPtr> list_by_label(KindId kind, std::string_view ns, std::string_view label,
                                         std::string_view value);
  std::vector<SnapshotPtr> list_by_owner(KindId kind, std::string_view ns,
                                         std::string_view owner_uid);

  template <KindStruct T>
  ObjectPtr<T> get(std::string_view ns, std::string_view name) {
    return as<T>(get(kKindId<T>, ns, name));
  }
  template <KindStruct T>
  std::vector<ObjectPtr<T>> list(std::string_view ns = {}) {
    return all_as<T>(list(kKindId<T>, ns));
  }
  template <KindStruct T>
  std::vector<ObjectPtr<T>> list_by_label(std::string_view ns, std::string_view label,
                                          std::string_view value) {
    return all_as<T>(list_by_label(kKindId<T>, ns, label, value));
  }
  template <KindStruct T>
  std::vector<ObjectPtr<T>> list_by_owner(std::string_view ns, std::string_view owner_uid) {
    return all_as<T>(list_by_owner(kKindId<T>, ns, owner_uid));
  }

 private:
  template <KindStruct T>
  static std::vector<ObjectPtr<T>> all_as(std::vector<SnapshotPtr> snapshots) {
    std::vector<ObjectPtr<T>> objects;
    objects.reserve(snapshots.size());
    for (SnapshotPtr& snapshot : snapshots) objects.push_back(as<T>(std::move(snapshot)));
    return objects;
  }
  void note(Dependency on);

  const Store& store_;
  Router& router_;
  ActorId actor_;
  Dependencies& dependencies_;
  std::vector<Dependency> read_;
};

}  // namespace troupe::k8s
