#include "k8s/store/router.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <shared_mutex>

#include "k8s/store/hash.hpp"
#include "runtime/model/id_index.hpp"

namespace troupe::k8s {
namespace {

using internal::mixed;

constexpr std::size_t kShards = 16;

// Controllers above an object that are looked at: Pod, Unit, UnitSet, and whatever makes those. A
// bound, as owner references can form a ring.
constexpr int kMaxOwners = 8;

// Tags keep the ways of reading apart.
constexpr std::uint64_t kObject = 1, kLabel = 2, kOwner = 3, kKindTag = 4, kActor = 5;

std::uint64_t hash_of(std::uint64_t tag, KindId kind) {
  return mixed(tag, static_cast<std::uint64_t>(kind));
}

// The actor of an object: kept in the same table as the dependencies, under a tag of its own.
Dependency actor_of(KindId kind, std::string_view ns, std::string_view name) {
  return Dependency{mixed(mixed(hash_of(kActor, kind), ns), name)};
}

// Group of "group/version"; none in the core group's "v1".
std::string_view group_of(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

bool same_relations(const Snapshot& a, const Snapshot& b) {
  return a.meta().labels == b.meta().labels && a.meta().ownerReferences == b.meta().ownerReferences;
}

struct Shard {
  mutable std::shared_mutex mutex;
  IdIndex<std::uint64_t> actors;  // by what they depend on
};

}  // namespace

Dependency on_object(KindId kind, std::string_view ns, std::string_view name) {
  return Dependency{mixed(mixed(hash_of(kObject, kind), ns), name)};
}

Dependency on_label(KindId kind, std::string_view ns, std::string_view label,
                    std::string_view value) {
  return Dependency{mixed(mixed(mixed(hash_of(kLabel, kind), ns), label), value)};
}

Dependency on_owner(KindId kind, std::string_view owner_uid) {
  return Dependency{mixed(hash_of(kOwner, kind), owner_uid)};
}

Dependency on_kind(KindId kind, std::string_view ns) {
  return Dependency{mixed(hash_of(kKindTag, kind), ns)};
}

struct Router::Impl {
  explicit Impl(const Store& from) : store(from) {}

  const Store& store;
  std::array<Shard, kShards> shards;

  // From bits in the middle: the tables use the top ones and the lowest.
  Shard& shard(Dependency on) { return shards[(static_cast<std::uint64_t>(on) >> 28) % kShards]; }

  void add(ActorId actor, Dependency on) {
    Shard& at = shard(on);
    const std::unique_lock lock(at.mutex);
    at.actors.insert(static_cast<std::uint64_t>(on), actor.value);
  }

  void remove(ActorId actor, Dependency on) {
    Shard& at = shard(on);
    const std::unique_lock lock(at.mutex);
    at.actors.erase(static_cast<std::uint64_t>(on), actor.value);
  }

  // Appends who depends on it; whether there is anybody.
  bool collect(Dependency on, std::vector<ActorId>& wake) {
    const Shard& at = shard(on);
    const std::shared_lock lock(at.mutex);
    const auto found = at.actors.find(static_cast<std::uint64_t>(on));
    for (const auto id : found) wake.push_back(ActorId{id});
    return !found.empty();
  }

  // The nearest actor among the controllers of an object, from the lowest up.
  void collect_owner(const Snapshot& of, std::vector<ActorId>& wake) {
    SnapshotPtr current(&of);
    for (int i = 0; i < kMaxOwners && current; ++i) {
      const OwnerReference* owner = controller_of(current->meta());
      if (!owner) return;
      const KindId kind = kind_id(group_of(owner->apiVersion), owner->kind);
      // Owners share the namespace, or are objects of the cluster.
      const Text ns = current->ns();
      if (collect(actor_of(kind, ns, owner->name), wake)) return;
      SnapshotPtr above = store.get(kind, ns, owner->name);
      if (!above && !ns.empty()) {
        if (collect(actor_of(kind, {}, owner->name), wake)) return;
        above = store.get(kind, {}, owner->name);
      }
      current = std::move(above);
    }
  }

  // Who is above the object, and whose lists by label or owner hold it.
  void collect_related(const Snapshot& of, std::vector<ActorId>& wake) {
    collect_owner(of, wake);
    const ObjectMeta& meta = of.meta();
    for (const std::string& label : store.indexed_labels()) {
      const Text* value = meta.labels.find(label);
      if (!value) continue;
      collect(on_label(of.kind(), meta.namespace_, label, *value), wake);
      collect(on_label(of.kind(), {}, label, *value), wake);
    }
    if (const OwnerReference* owner = controller_of(meta)) {
      collect(on_owner(of.kind(), owner->uid), wake);
    }
  }
};

Router::Router(const Store& store) : impl_(std::make_unique<Impl>(store)) {}
Router::~Router() = default;

void Router::add_actor(ActorId actor, KindId kind, std::string_view ns, std::string_view name) {
  impl_->add(actor, actor_of(kind, ns, name));
}

void Router::remove_actor(ActorId actor, KindId kind, std::string_view ns, std::string_view name) {
  impl_->remove(actor, actor_of(kind, ns, name));
}

void Router::depend(ActorId actor, Dependency on) { impl_->add(actor, on); }
void Router::forget(ActorId actor, Dependency on) { impl_->remove(actor, on); }

void Router::route(const Change& change, std::vector<ActorId>& wake) const {
  const auto already = static_cast<std::ptrdiff_t>(wake.size());
  const Snapshot& object = change.any();
  const KindId kind = object.kind();
  impl_->collect(actor_of(kind, object.ns(), object.name()), wake);
  impl_->collect(on_object(kind, object.ns(), object.name()), wake);
  impl_->collect(on_kind(kind, object.ns()), wake);
  if (!object.ns().empty()) impl_->collect(on_kind(kind, {}), wake);
  impl_->collect_related(object, wake);
  if (change.before && change.after && !same_relations(*change.before, *change.after)) {
    impl_->collect_related(*change.before, wake);
  }
  std::sort(wake.begin() + already, wake.end());
  wake.erase(std::unique(wake.begin() + already, wake.end()), wake.end());
}

void Dependencies::clear(Router& router, ActorId actor) {
  for (const Dependency each : known_) router.forget(actor, each);
  known_.clear();
}

Reader::Reader(const Store& store, Router& router, ActorId actor, Dependencies& dependencies)
    : store_(store), router_(router), actor_(actor), dependencies_(dependencies) {
  read_.reserve(dependencies.known_.size());
}

Reader::~Reader() {
  std::sort(read_.begin(), read_.end());
  read_.erase(std::unique(read_.begin(), read_.end()), read_.end());
  std::vector<Dependency>& known = dependencies_.known_;
  if (read_ == known) return;
  for (const Dependency each : known) {
    if (!std::binary_search(read_.begin(), read_.end(), each)) router_.forget(actor_, each);
  }
  known.assign(read_.begin(), read_.end());
  known.shrink_to_fit();
}

void Reader::note(Dependency on) {
  read_.push_back(on);
  // Before the look-up: a change that it misses wakes the actor again.
  const std::vector<Dependency>& known = dependencies_.known_;
  if (!std::binary_search(known.begin(), known.end(), on)) router_.depend(actor_, on);
}

SnapshotPtr Reader::get(KindId kind, std::string_view ns, std::string_view name) {
  note(on_object(kind, ns, name));
  return store_.get(kind, ns, name);
}

std::vector<SnapshotPtr> Reader::list(KindId kind, std::string_view ns) {
  note(on_kind(kind, ns));
  return store_.list(kind, ns);
}

std::vector<SnapshotPtr> Reader::list_by_label(KindId kind, std::string_view ns,
                                               std::string_view label, std::string_view value) {
  note(on_label(kind, ns, label, value));
  return store_.list_by_label(kind, ns, label, value);
}

std::vector<SnapshotPtr> Reader::list_by_owner(KindId kind, std::string_view ns,
                                               std::string_view owner_uid) {
  note(on_owner(kind, owner_uid));
  return store_.list_by_owner(kind, ns, owner_uid);
}

}  // namespace troupe::k8s
