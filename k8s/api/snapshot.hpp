// Immutable objects as the store keeps them: one allocation that holds the typed object and all
// that it points at, counted by reference, shared between threads without locks.
//
//   ObjectPtr<UnitSet> set = ...;
//   if (set && set->spec.units > 3) ...
//
// A struct copied out of it still points into it, so keep the pointer, not only the copy; never
// copy out of a temporary one.
//
// SnapshotPtr is the same without the type; its metadata can be read, and as<T>() gives the type
// back. Whoever holds a pointer may keep any Text, List or Raw of the object as long.
#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "k8s/api/kind.hpp"
#include "k8s/api/metadata.hpp"
#include "k8s/api/relocate.hpp"

namespace troupe::k8s {

class Snapshot;
template <KindStruct T>
class ObjectPtr;
using SnapshotPtr = boost::intrusive_ptr<const Snapshot>;

// The head of the allocation; the typed object follows it, then arrays, then characters.
class alignas(kPartAlignment) Snapshot {
 public:
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  KindId kind() const { return kind_; }
  // Every kind starts with its metadata, which is therefore found without knowing the kind.
  const ObjectMeta& meta() const { return object<ObjectMeta>(); }
  Text name() const { return meta().name; }
  Text ns() const { return meta().namespace_; }
  Text uid() const { return meta().uid; }
  ResourceVersion version() const { return meta().resourceVersion; }
  bool deleting() const { return bool(meta().deletionTimestamp); }
  // Size of the allocation.
  std::size_t bytes() const { return bytes_; }

 private:
  template <KindStruct T>
  friend class ObjectPtr;
  template <KindStruct T>
  friend ObjectPtr<T> snapshot_of(const T& object);

  Snapshot(KindId kind, std::uint32_t bytes, bool sensitive)
      : kind_(kind), bytes_(bytes), sensitive_(sensitive) {}
  ~Snapshot() = default;

  template <class T>
  const T& object() const {
    return *std::launder(
        reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(this) + sizeof(Snapshot)));
  }

  friend void intrusive_ptr_add_ref(const Snapshot* s) {
    s->references_.fetch_add(1, std::memory_order_relaxed);
  }
  friend void intrusive_ptr_release(const Snapshot* s) {
    if (s->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(s);
  }
  static void destroy(const Snapshot* snapshot);

  mutable std::atomic<std::uint32_t> references_{0};
  KindId kind_;
  std::uint32_t bytes_;
  bool sensitive_;
};

namespace internal {

// Hands out the room behind the object.
class SnapshotCursor {
 public:
  SnapshotCursor(std::byte* objects, std::byte* characters)
      : objects_(objects), characters_(reinterpret_cast<char*>(characters)) {}

  Text text(std::string_view from) { return copy(from); }
  Raw raw(std::string_view from) { return Raw::from_padded(copy(from)); }
  template <class T>
  T* allocate(std::size_t n) {
    T* at = reinterpret_cast<T*>(objects_);
    objects_ += aligned_size(n * sizeof(T));
    return at;
  }

 private:
  std::string_view copy(std::string_view from) {
    if (from.empty()) return {};
    char* at = characters_;
    std::memcpy(at, from.data(), from.size());
    characters_ += from.size();
    return {at, from.size()};
  }

  std::byte* objects_;
  char* characters_;
};

}  // namespace internal

// A snapshot of kind T, or none.
template <KindStruct T>
class ObjectPtr {
 public:
  ObjectPtr() = default;
  ObjectPtr(std::nullptr_t) {}  // NOLINT: implicit on purpose

  explicit operator bool() const { return bool(snapshot_); }
  const T* get() const { return snapshot_ ? &snapshot_->object<T>() : nullptr; }
  const T& operator*() const { return snapshot_->object<T>(); }
  const T* operator->() const { return &snapshot_->object<T>(); }
  const SnapshotPtr& snapshot() const { return snapshot_; }
  // The same snapshot, not the same content.
  friend bool operator==(const ObjectPtr&, const ObjectPtr&) = default;

 private:
  template <KindStruct U>
  friend ObjectPtr<U> as(SnapshotPtr snapshot);
  explicit ObjectPtr(SnapshotPtr snapshot) : snapshot_(std::move(snapshot)) {}
  SnapshotPtr snapshot_;
};

// The snapshot with its type, or none if it is of another kind.
template <KindStruct T>
ObjectPtr<T> as(SnapshotPtr snapshot) {
  if (snapshot && snapshot->kind() != kKindId<T>) snapshot = nullptr;
  return ObjectPtr<T>(std::move(snapshot));
}

// A snapshot of `object`; it and all that it points at are copied.
template <KindStruct T>
ObjectPtr<T> snapshot_of(const T& object) {
  static_assert(std::is_standard_layout_v<T> && offsetof(T, metadata) == 0,
                "a kind's first member is ObjectMeta metadata");
  static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kPartAlignment);
  Extent extent;
  measure(object, extent);
  const std::size_t head = sizeof(Snapshot) + aligned_size(sizeof(T));
  const std::size_t padding = extent.has_raw ? kRawPadding : 0;
  const std::size_t bytes = head + extent.objects + extent.characters + padding;
  auto* memory = static_cast<std::byte*>(::operator new(bytes));
  auto* snapshot =
      new (memory) Snapshot(kKindId<T>, static_cast<std::uint32_t>(bytes), kKind<T>.sensitive);
  internal::SnapshotCursor cursor(memory + head, memory + head + extent.objects);
  new (memory + sizeof(Snapshot)) T(relocated(object, cursor));
  std::memset(memory + bytes - padding, 0, padding);
  return as<T>(SnapshotPtr(snapshot));
}

}  // namespace troupe::k8s
