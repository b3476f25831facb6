// Garbage collection: who owns whom, and what goes when an owner goes.
//
// Follows the store. An object whose owners are all gone is deleted; one that still has an owner
// only loses the references to those that are gone. Foreground deletion removes dependents first,
// orphaning cuts them loose. Work is queued, and done a bounded amount at a time.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <unordered_map>

#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/writer.hpp"

namespace troupe::sim {

class OwnerGraph {
 public:
  explicit OwnerGraph(Core& core);

  bool has_work() const { return !queue_.empty(); }
  // Looks at up to `limit` objects.
  void work(Writer& writer, WallTime now, std::size_t limit);

 private:
  struct Place {
    std::string collection;
    std::string key;
    auto operator<=>(const Place&) const = default;
  };

  void follow(const Collection& collection, const Change& change);
  void enqueue(Place place);
  void look_at(const Place& place, Writer& writer, WallTime now);
  void collect(const Place& place, const json::object& object, Writer& writer, WallTime now);
  void orphan_dependents(const Place& place, const json::object& owner);
  void delete_dependents(const Place& place, const json::object& owner, Writer& writer,
                         WallTime now);
  void remove(const Place& place, const json::object& object, std::string_view propagation,
              Writer& writer, WallTime now);
  bool is_gone(const json::value& owner, std::string_view ns) const;

  Core& core_;
  std::unordered_map<std::string, Place> places_;                // by uid
  std::unordered_map<std::string, std::set<Place>> dependents_;  // by the owner's uid
  std::deque<Place> queue_;
  std::set<Place> queued_;
};

}  // namespace troupe::sim
