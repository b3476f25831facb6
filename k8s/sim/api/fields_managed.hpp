// metadata.managedFields: decoding, encoding, and the rules on its entries. Private to fields.cpp.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "k8s/sim/api/fields.hpp"
#include "k8s/sim/api/fields_set.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

// More entries of operation Update than this are merged, oldest first, as in the real server.
inline constexpr std::size_t kMaxUpdateManagers = 10;

struct ManagedEntry {
  std::string manager;
  bool is_apply = false;
  std::string api_version;
  std::string subresource;
  std::string time;  // RFC 3339; empty: none
  FieldSet fields;

  // Entries are told apart by this; an applier keeps its entry across versions.
  bool same_manager(const ManagedEntry& other) const;
};

// The array at metadata.managedFields of an object; empty when there is none.
const json::array& managed_fields_of(const json::value& object);

Result<ManagedEntries> decode_managed(const json::array& entries);

// Sets or removes metadata.managedFields, in the order of the real server, which `entries` take as
// well. What the object has there is `stored`, which can be empty: it stays where it is still
// right.
void encode_managed(ManagedEntries& entries, const ManagedEntries& stored, json::value& object);

json::value without_managed(const json::value& object);

// Fields that nobody owns: identity and what the server sets.
const FieldSet& stripped_fields();

// Merges the oldest updaters into "ancient-changes", one entry a version.
void cap_updaters(ManagedEntries& entries);

// `"m1" with subresource "scale" using v1`: a manager as conflict messages name it.
std::string describe_manager(const ManagedEntry& entry);

}  // namespace troupe::sim
