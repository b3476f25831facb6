// Objects as trees of owned fields: what a value owns, how two differ, how one merges into another.
//
// The walk follows the schema: atomic maps and lists are one field, keyed lists go by their keys,
// sets by their values. Where the schema says nothing, maps are granular and lists atomic. Private
// to fields.cpp, apart from its tests.
#pragma once

#include <boost/json.hpp>
#include <optional>

#include "k8s/sim/api/fields_set.hpp"
#include "k8s/sim/api/schema_node.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

struct Comparison {
  FieldSet added, modified, removed;
};

// The fields of a value. Items without their key count by position.
FieldSet tree_fields(const json::value& value, const SchemaNode& schema);

// What is wrong with a configuration to apply: fields that the schema does not declare,
// duplicates and items without their key in keyed lists; empty when nothing is.
std::string tree_defect(const json::value& value, const SchemaNode& schema);

Comparison tree_compare(const json::value& before, const json::value& after,
                        const SchemaNode& schema);

// `config` laid over `live`. Keyed lists take the order of `config` for what both have.
json::value tree_merge(const json::value& live, const json::value& config,
                       const SchemaNode& schema);

json::value tree_remove(const json::value& value, const FieldSet& fields, const SchemaNode& schema);

}  // namespace troupe::sim
