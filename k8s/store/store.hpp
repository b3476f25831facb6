// The newest snapshot of every watched object.
//
// Watch streams and answers to our own writes put snapshots in; actors read. Within one resource
// versions are ordered, which makes one rule enough for both: a snapshot enters unless the store,
// or the tombstone of its uid, has the same version or a newer one. So a write is visible to who
// made it at once, its echo on the watch wakes nobody, and what arrives late is dropped.
//
// Thread-safe. A put gives back what changed; nobody is called back. Reads return pointers that
// stay good for as long as they are held. Results of lists are sorted by namespace and name. Lists
// by label or owner cost what they find; lists of a whole kind or namespace, and by label over all
// namespaces, look at every object of the kind.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/api/kind.hpp"
#include "k8s/api/snapshot.hpp"

namespace troupe::k8s {

// Where a snapshot comes from.
enum class Source : std::uint8_t {
  Watch,   // a list or a watch
  Answer,  // the answer to a GET or to a write of our own: it may arrive after the deletion
};

enum class ChangeType : std::uint8_t { Added, Modified, Deleted };

// What a put or a removal changed.
struct Change {
  ChangeType type = ChangeType::Added;
  SnapshotPtr before;  // null if Added
  SnapshotPtr after;   // null if Deleted

  const Snapshot& any() const { return after ? *after : *before; }
  KindId kind() const { return any().kind(); }
};

struct StoreOptions {
  // Labels by which objects can be listed.
  std::vector<std::string> indexed_labels;
};

class Store {
 public:
  explicit Store(StoreOptions options);
  ~Store();

  // ---- Writing ----

  // Nothing if the store knows this version or a newer one.
  std::optional<Change> put(SnapshotPtr snapshot, Source source = Source::Watch);
  // A DELETED event with the object's last state; the version is the deletion's own. Nothing if the
  // store holds something newer.
  std::optional<Change> remove(const Snapshot& last);

  // A relist: begin, put every object that was listed with the token, finish. Objects of the kind
  // (in `ns`, if not empty) that were not listed are gone, unless their version is newer than the
  // list's.
  class Relist {
   public:
    KindId kind() const { return kind_; }

   private:
    friend class Store;
    KindId kind_{};
    std::string ns_;
    std::uint32_t mark_ = 0;
  };
  Relist begin_relist(KindId kind, std::string_view ns = {});
  std::optional<Change> put(SnapshotPtr snapshot, const Relist& relist);
  std::vector<Change> finish_relist(const Relist& relist, ResourceVersion list_version);

  // ---- Reading; an empty `ns` means all namespaces, or an object of the cluster ----

  SnapshotPtr get(KindId kind, std::string_view ns, std::string_view name) const;
  std::vector<SnapshotPtr> list(KindId kind, std::string_view ns = {}) const;
  // `label` is one of StoreOptions::indexed_labels.
  std::vector<SnapshotPtr> list_by_label(KindId kind, std::string_view ns, std::string_view label,
                                         std::string_view value) const;
  // Objects whose controller has that uid.
  std::vector<SnapshotPtr> list_by_owner(KindId kind, std::string_view ns,
                                         std::string_view owner_uid) const;

  template <KindStruct T>
  ObjectPtr<T> get(std::string_view ns, std::string_view name) const {
    return as<T>(get(kKindId<T>, ns, name));
  }

  bool is_indexed(std::string_view label) const;
  const std::vector<std::string>& indexed_labels() const;

  struct Size {
    std::size_t objects = 0;
    std::size_t bytes = 0;  // of their snapshots
  };
  Size size(KindId kind) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::k8s
