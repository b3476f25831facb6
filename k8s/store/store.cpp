#include "k8s/store/store.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>

#include "k8s/store/hash.hpp"
#include "runtime/model/id_index.hpp"

namespace troupe::k8s {
namespace {

using internal::mixed;
using SlotId = std::uint32_t;

// Locks: objects of one namespace share one, so that lists of dependents take a single lock.
constexpr std::size_t kShards = 16;

// Deletions that a shard remembers for each kind. An answer is late by seconds at most; older
// deletions are covered by the floor.
constexpr std::size_t kTombstones = 1024;

struct Key {
  std::string_view ns;
  std::string_view name;
  friend bool operator==(const Key&, const Key&) = default;
  friend auto operator<=>(const Key&, const Key&) = default;
};

Key key_of(const Snapshot& snapshot) { return {snapshot.ns(), snapshot.name()}; }

std::uint64_t hash_of(const Key& key) { return mixed(mixed(0, key.ns), key.name); }

bool by_key(const SnapshotPtr& a, const SnapshotPtr& b) { return key_of(*a) < key_of(*b); }

// What was deleted lately, by uid, and when.
class Tombstones {
 public:
  void add(std::string_view uid, ResourceVersion version) {
    if (uid.empty()) return;
    const std::uint64_t key = mixed(0, uid);
    const auto [at, is_new] = versions_.try_emplace(key, version);
    at->second = std::max(at->second, version);
    if (!is_new) return;
    order_.push_back(key);
    if (order_.size() > kTombstones) drop_oldest();
  }

  // Whether this version of the object is known to be gone.
  bool cover(const Snapshot& snapshot, Source source) const {
    const auto at = versions_.find(mixed(0, snapshot.uid()));
    if (at != versions_.end()) return snapshot.version() <= at->second;
    // An answer that is not newer than a forgotten deletion: the watch has passed it and would have
    // brought the object.
    return source == Source::Answer && snapshot.version() <= floor_;
  }

 private:
  void drop_oldest() {
    const auto oldest = versions_.find(order_.front());
    floor_ = std::max(floor_, oldest->second);
    versions_.erase(oldest);
    order_.pop_front();
  }

  boost::unordered_flat_map<std::uint64_t, ResourceVersion> versions_;
  std::deque<std::uint64_t> order_;
  ResourceVersion floor_;
};

// What an object is listed under; most have few.
using IndexKeys = boost::container::small_vector<std::uint64_t, 8>;

std::uint64_t owner_key(std::string_view uid) { return mixed(mixed(0, "owner"), uid); }

std::uint64_t label_key(std::string_view ns, std::string_view label, std::string_view value) {
  return mixed(mixed(mixed(mixed(0, "label"), ns), label), value);
}

IndexKeys index_keys(const Snapshot& snapshot, const std::vector<std::string>& labels) {
  IndexKeys keys;
  const ObjectMeta& meta = snapshot.meta();
  if (const OwnerReference* owner = controller_of(meta)) keys.push_back(owner_key(owner->uid));
  for (const std::string& label : labels) {
    if (const Text* value = meta.labels.find(label)) {
      keys.push_back(label_key(meta.namespace_, label, *value));
    }
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

// The objects of one kind in one shard.
class Table {
 public:
  explicit Table(const std::vector<std::string>& labels)
      : labels_(labels), by_name_(0, Hash{this}, Equal{this}) {}
  Table(const Table&) = delete;

  std::optional<Change> put(SnapshotPtr snapshot, Source source, std::uint32_t mark) {
    const auto found = by_name_.find(key_of(*snapshot));
    if (found == by_name_.end()) {
      if (tombstones_.cover(*snapshot, source)) return std::nullopt;
      return add(std::move(snapshot), mark);
    }
    Slot& slot = slots_[*found];
    if (mark != 0) slot.mark = mark;
    if (snapshot->version() <= slot.snapshot->version()) return std::nullopt;
    return replace(*found, std::move(snapshot));
  }

  std::optional<Change> remove(const Key& key, std::string_view uid, ResourceVersion version) {
    tombstones_.add(uid, version);
    const auto found = by_name_.find(key);
    if (found == by_name_.end()) return std::nullopt;
    if (slots_[*found].snapshot->version() > version) return std::nullopt;
    const SlotId id = *found;
    by_name_.erase(found);
    for (const std::uint64_t index_key : index_keys(*slots_[id].snapshot, labels_)) {
      index_.erase(index_key, id);
    }
    bytes_ -= slots_[id].snapshot->bytes();
    Change change{ChangeType::Deleted, std::move(slots_[id].snapshot), nullptr};
    slots_[id] = {};
    free_.push_back(id);
    return change;
  }

  // Removes what a relist did not bring.
  void sweep(std::string_view ns, std::uint32_t mark, ResourceVersion list_version,
             std::vector<Change>& changes) {
    for (std::size_t id = 0; id < slots_.size(); ++id) {
      const SnapshotPtr snapshot = slots_[id].snapshot;
      if (!snapshot || slots_[id].mark == mark) continue;
      if (!ns.empty() && snapshot->ns() != ns) continue;
      if (auto change = remove(key_of(*snapshot), snapshot->uid(), list_version)) {
        changes.push_back(std::move(*change));
      }
    }
  }

  SnapshotPtr get(const Key& key) const {
    const auto found = by_name_.find(key);
    return found == by_name_.end() ? nullptr : slots_[*found].snapshot;
  }

  template <class Filter>
  void collect(std::vector<SnapshotPtr>& out, Filter filter) const {
    for (const Slot& slot : slots_) {
      if (slot.snapshot && filter(*slot.snapshot)) out.push_back(slot.snapshot);
    }
  }

  // `filter` weeds out what shares the hash.
  template <class Filter>
  void collect(std::uint64_t index_key, std::vector<SnapshotPtr>& out, Filter filter) const {
    for (const SlotId id : index_.find(index_key)) {
      if (filter(*slots_[id].snapshot)) out.push_back(slots_[id].snapshot);
    }
  }

  std::size_t objects() const { return by_name_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    SnapshotPtr snapshot;
    std::uint32_t mark = 0;  // of the last relist that brought it
  };

  // The set holds slot numbers and finds them by the name of what is in the slot.
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    const Table* table;
    std::size_t operator()(SlotId id) const { return hash_of(table->key(id)); }
    std::size_t operator()(const Key& key) const { return hash_of(key); }
  };
  struct Equal {
    using is_transparent = void;
    const Table* table;
    bool operator()(SlotId a, SlotId b) const { return a == b; }
    bool operator()(const Key& a, SlotId b) const { return a == table->key(b); }
    bool operator()(SlotId a, const Key& b) const { return table->key(a) == b; }
  };

  Key key(SlotId id) const { return key_of(*slots_[id].snapshot); }

  Change add(SnapshotPtr snapshot, std::uint32_t mark) {
    SlotId id = static_cast<SlotId>(slots_.size());
    if (free_.empty()) {
      slots_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    slots_[id] = {snapshot, mark};
    bytes_ += snapshot->bytes();
    by_name_.insert(id);
    for (const std::uint64_t index_key : index_keys(*snapshot, labels_)) {
      index_.insert(index_key, id);
    }
    return {ChangeType::Added, nullptr, std::move(snapshot)};
  }

  Change replace(SlotId id, SnapshotPtr snapshot) {
    Slot& slot = slots_[id];
    const ObjectMeta& before = slot.snapshot->meta();
    const ObjectMeta& after = snapshot->meta();
    // The object was deleted and made again between two things that we saw.
    if (before.uid != after.uid) tombstones_.add(before.uid, after.resourceVersion);
    if (before.labels != after.labels || before.ownerReferences != after.ownerReferences) {
      const IndexKeys old_keys = index_keys(*slot.snapshot, labels_);
      const IndexKeys new_keys = index_keys(*snapshot, labels_);
      for (const std::uint64_t each : old_keys) {
        if (!std::binary_search(new_keys.begin(), new_keys.end(), each)) index_.erase(each, id);
      }
      for (const std::uint64_t each : new_keys) index_.insert(each, id);
    }
    bytes_ += snapshot->bytes();
    bytes_ -= slot.snapshot->bytes();
    Change change{ChangeType::Modified, std::move(slot.snapshot), snapshot};
    slot.snapshot = std::move(snapshot);
    return change;
  }

  const std::vector<std::string>& labels_;
  std::deque<Slot> slots_;
  std::vector<SlotId> free_;
  boost::unordered_flat_set<SlotId, Hash, Equal> by_name_;
  IdIndex<SlotId> index_;
  Tombstones tombstones_;
  std::size_t bytes_ = 0;
};

struct Shard {
  mutable std::shared_mutex mutex;
  boost::unordered_flat_map<KindId, std::unique_ptr<Table>> tables;

  const Table* find(KindId kind) const {
    const auto found = tables.find(kind);
    return found == tables.end() ? nullptr : found->second.get();
  }
};

}  // namespace

struct Store::Impl {
  explicit Impl(StoreOptions store_options) : options(std::move(store_options)) {}

  StoreOptions options;
  std::array<Shard, kShards> shards;
  std::atomic<std::uint32_t> last_mark{0};

  static std::size_t shard_number(std::string_view ns) { return mixed(0, ns) % kShards; }
  Shard& shard(std::string_view ns) { return shards[shard_number(ns)]; }
  const Shard& shard(std::string_view ns) const { return shards[shard_number(ns)]; }

  Table& table(Shard& shard, KindId kind) {
    std::unique_ptr<Table>& table = shard.tables[kind];
    if (!table) table = std::make_unique<Table>(options.indexed_labels);
    return *table;
  }

  std::optional<Change> put(SnapshotPtr snapshot, Source source, std::uint32_t mark) {
    Shard& at = shard(snapshot->ns());
    const std::unique_lock lock(at.mutex);
    return table(at, snapshot->kind()).put(std::move(snapshot), source, mark);
  }

  // Calls visit(table) for the shard of `ns`, or for all if it is empty: objects of the cluster lie
  // in the shard of the empty name.
  template <class Visit>
  void each_table(KindId kind, std::string_view ns, Visit visit) const {
    const auto visit_shard = [&](const Shard& each) {
      const std::shared_lock lock(each.mutex);
      if (const Table* found = each.find(kind)) visit(*found);
    };
    if (!ns.empty()) return visit_shard(shard(ns));
    for (const Shard& each : shards) visit_shard(each);
  }
};

Store::Store(StoreOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Store::~Store() = default;

std::optional<Change> Store::put(SnapshotPtr snapshot, Source source) {
  return impl_->put(std::move(snapshot), source, 0);
}

std::optional<Change> Store::remove(const Snapshot& last) {
  Shard& shard = impl_->shard(last.ns());
  const std::unique_lock lock(shard.mutex);
  return impl_->table(shard, last.kind()).remove(key_of(last), last.uid(), last.version());
}

Store::Relist Store::begin_relist(KindId kind, std::string_view ns) {
  Relist relist;
  relist.kind_ = kind;
  relist.ns_ = ns;
  relist.mark_ = ++impl_->last_mark;
  return relist;
}

std::optional<Change> Store::put(SnapshotPtr snapshot, const Relist& relist) {
  return impl_->put(std::move(snapshot), Source::Watch, relist.mark_);
}

std::vector<Change> Store::finish_relist(const Relist& relist, ResourceVersion list_version) {
  std::vector<Change> changes;
  for (Shard& shard : impl_->shards) {
    const std::unique_lock lock(shard.mutex);
    const auto found = shard.tables.find(relist.kind_);
    if (found == shard.tables.end()) continue;
    found->second->sweep(relist.ns_, relist.mark_, list_version, changes);
  }
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return by_key(a.before, b.before); });
  return changes;
}

SnapshotPtr Store::get(KindId kind, std::string_view ns, std::string_view name) const {
  const Shard& shard = impl_->shard(ns);
  const std::shared_lock lock(shard.mutex);
  const Table* table = shard.find(kind);
  return table ? table->get({ns, name}) : nullptr;
}

std::vector<SnapshotPtr> Store::list(KindId kind, std::string_view ns) const {
  std::vector<SnapshotPtr> found;
  impl_->each_table(kind, ns, [&](const Table& table) {
    table.collect(found, [&](const Snapshot& each) { return ns.empty() || each.ns() == ns; });
  });
  std::sort(found.begin(), found.end(), by_key);
  return found;
}

std::vector<SnapshotPtr> Store::list_by_label(KindId kind, std::string_view ns,
                                              std::string_view label,
                                              std::string_view value) const {
  if (!is_indexed(label)) {
    throw std::logic_error("label " + std::string(label) +
                           " is not indexed: name it in StoreOptions::indexed_labels");
  }
  std::vector<SnapshotPtr> found;
  const auto matches = [&](const Snapshot& each) {
    const Text* has = each.meta().labels.find(label);
    return has && *has == value && (ns.empty() || each.ns() == ns);
  };
  impl_->each_table(kind, ns, [&](const Table& table) {
    if (ns.empty()) {
      table.collect(found, matches);
    } else {
      table.collect(label_key(ns, label, value), found, matches);
    }
  });
  std::sort(found.begin(), found.end(), by_key);
  return found;
}

std::vector<SnapshotPtr> Store::list_by_owner(KindId kind, std::string_view ns,
                                              std::string_view owner_uid) const {
  std::vector<SnapshotPtr> found;
  impl_->each_table(kind, ns, [&](const Table& table) {
    table.collect(owner_key(owner_uid), found, [&](const Snapshot& each) {
      const OwnerReference* owner = controller_of(each.meta());
      return owner && owner->uid == owner_uid && (ns.empty() || each.ns() == ns);
    });
  });
  std::sort(found.begin(), found.end(), by_key);
  return found;
}

bool Store::is_indexed(std::string_view label) const {
  const auto& labels = impl_->options.indexed_labels;
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

const std::vector<std::string>& Store::indexed_labels() const {
  return impl_->options.indexed_labels;
}

Store::Size Store::size(KindId kind) const {
  Size size;
  impl_->each_table(kind, {}, [&](const Table& table) {
    size.objects += table.objects();
    size.bytes += table.bytes();
  });
  return size;
}

}  // namespace troupe::k8s
