// Memory for API structs that are built rather than decoded: statuses, desired objects, test data.
//
//   Arena arena;
//   UnitSetStatus status;
//   status.inUpdate = arena.text(fmt::format("{}-{}", set, ordinal));
//   status.conditions = arena.list({ready, progressing});
//
// What it hands out lives as long as the Arena. Nothing in it is destroyed one by one, so it holds
// trivially destructible values only. Not thread-safe.
#pragma once

#include <boost/mp11/algorithm.hpp>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory_resource>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "k8s/api/relocate.hpp"
#include "k8s/api/types.hpp"

namespace troupe::k8s {

class Arena {
 public:
  Arena() = default;
  // Takes from `first` before it allocates; `first` outlives the Arena.
  explicit Arena(std::span<std::byte> first) : memory_(first.data(), first.size()) {}

  Text text(std::string_view from);
  Raw raw(std::string_view json);

  template <class T>
  List<T> list(std::span<const T> items) {
    if (items.empty()) return {};
    T* copies = allocate<T>(items.size());
    std::uninitialized_copy(items.begin(), items.end(), copies);
    return std::span<const T>(copies, items.size());
  }
  template <class T>
  List<T> list(std::initializer_list<T> items) {
    return list(std::span<const T>(items.begin(), items.size()));
  }
  template <class T>
  List<T> list(const std::vector<T>& items) {
    return list(std::span<const T>(items));
  }

  // A key given twice keeps its last value. Keys and values are not copied: texts in them must
  // already outlive the Arena's users.
  template <class T>
  Map<T> map(std::vector<std::pair<Text, T>> entries);
  template <class T>
  Map<T> map(std::initializer_list<std::pair<Text, T>> entries) {
    return map(std::vector<std::pair<Text, T>>(entries));
  }
  // Copies keys and values.
  TextMap map(const std::map<std::string, std::string>& entries);

  // A deep copy: everything that `value` points at is in this Arena too.
  template <class T>
  T copy(const T& value) {
    return relocated(value, *this);
  }

  // Room for `n` objects, uninitialized.
  template <class T>
  T* allocate(std::size_t n) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(memory_.allocate(n * sizeof(T), alignof(T)));
  }

  // Frees all that was handed out.
  void reset() { memory_.release(); }

 private:
  std::pmr::monotonic_buffer_resource memory_;
};

template <class T>
Map<T> Arena::map(std::vector<std::pair<Text, T>> entries) {
  using Entry = typename Map<T>::Entry;
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Entry* sorted = allocate<Entry>(entries.size());
  std::size_t size = 0;
  for (const auto& [key, value] : entries) {
    if (size > 0 && sorted[size - 1].key == key) --size;
    new (&sorted[size++]) Entry{key, value};
  }
  return Map<T>(List<Entry>(std::span<const Entry>(sorted, size)));
}

}  // namespace troupe::k8s
