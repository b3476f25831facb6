// Lists that are sets or maps: identity of items, duplicates, and the old item that a new one
// corresponds to.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "k8s/sim/api/schema_error.hpp"
#include "k8s/sim/api/schema_node.hpp"

namespace troupe::sim {

// The key fields of an item of a keyed list as a small object, absent ones left out.
json::object list_key(const SchemaNode& list, const json::value& item);

// Every item that repeats an earlier one in lists of type set and map.
std::vector<FieldError> find_duplicates(const SchemaNode& root, const json::value& object);

// The items of the stored list, by key. Finds nothing for lists that are not keyed: their items
// cannot be told apart across an update.
class OldItems {
 public:
  OldItems(const SchemaNode& list, const json::value* old_list);
  const json::value* find(const json::value& item) const;

 private:
  const SchemaNode& list_;
  std::map<std::string, const json::value*> by_key_;
};

}  // namespace troupe::sim
