// Sets of ids by the hash of what they are looked up by: the indices of whatever holds something
// for every managed object.
//
// Nearly every key has one id, and there are several keys for every managed object: such a key
// costs 8 bytes and the id. Keys with more ids point to a sorted vector. Hashes are taken for the
// keys themselves; whoever cannot bear a collision checks what it finds. Not thread-safe.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <vector>

namespace troupe {

// Id is an unsigned integer; ids use all of its bits but the highest.
template <class Id>
class IdIndex {
 public:
  // The ids of a key, ascending; good until the next change.
  std::span<const Id> find(std::uint64_t key) const {
    const auto found = entries_.find(split(key));
    if (found == entries_.end()) return {};
    if (is_one(found->second)) return {&found->second, 1};
    return lists_[found->second - kMany];
  }

  void insert(std::uint64_t key, Id id) {
    const auto [entry, is_new] = entries_.try_emplace(split(key), id);
    if (is_new || entry->second == id) return;
    if (is_one(entry->second)) entry->second = kMany + new_list(entry->second);
    std::vector<Id>& list = lists_[entry->second - kMany];
    const auto at = std::lower_bound(list.begin(), list.end(), id);
    if (at == list.end() || *at != id) list.insert(at, id);
  }

  void erase(std::uint64_t key, Id id) {
    const auto entry = entries_.find(split(key));
    if (entry == entries_.end()) return;
    if (is_one(entry->second)) {
      if (entry->second == id) entries_.erase(entry);
      return;
    }
    const Id number = entry->second - kMany;
    std::vector<Id>& list = lists_[number];
    const auto at = std::lower_bound(list.begin(), list.end(), id);
    if (at == list.end() || *at != id) return;
    list.erase(at);
    if (list.size() > 1) return;
    entry->second = list.front();
    list = {};
    free_.push_back(number);
  }

 private:
  // From here on: the number of a list.
  static constexpr Id kMany = Id{1} << (std::numeric_limits<Id>::digits - 1);

  // Aligned to 4 bytes, so that an entry with a small id has 12.
  struct Key {
    std::uint32_t high, low;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    using is_avalanching = void;
    std::size_t operator()(const Key& key) const {
      return (std::uint64_t{key.high} << 32) | key.low;
    }
  };
  static Key split(std::uint64_t key) {
    return {static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key)};
  }
  static bool is_one(Id id) { return id < kMany; }

  Id new_list(Id first) {
    if (free_.empty()) {
      lists_.push_back({first});
      return static_cast<Id>(lists_.size() - 1);
    }
    const Id number = free_.back();
    free_.pop_back();
    lists_[number] = {first};
    return number;
  }

  boost::unordered_flat_map<Key, Id, Hash> entries_;
  std::deque<std::vector<Id>> lists_;
  std::vector<Id> free_;
};

}  // namespace troupe
