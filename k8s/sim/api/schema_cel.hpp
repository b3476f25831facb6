// The meeting point of schemas and CEL: what types a rule sees, and running the rules.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "k8s/sim/api/cel.hpp"
#include "k8s/sim/api/schema_error.hpp"
#include "k8s/sim/api/schema_node.hpp"

namespace troupe::sim {

// The type of a value of this schema. Properties appear under their escaped names; what the
// schema does not declare does not exist for a rule. At the root of a resource only name and
// generateName of the metadata do.
cel::TypePtr cel_type_of(const SchemaNode& node, bool is_root = false);

// self and oldSelf for a rule at this node.
cel::Environment rule_environment(const SchemaNode& node, bool is_root, bool optional_old);

// Runs every rule of the tree over a structurally valid object.
std::vector<FieldError> validate_rules(const SchemaNode& root, const json::value& object,
                                       const json::value* old);

}  // namespace troupe::sim
