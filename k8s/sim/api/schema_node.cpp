#include "k8s/sim/api/schema_node.hpp"

namespace troupe::sim {

const SchemaNode* SchemaNode::property(std::string_view name) const {
  const auto it = properties.find(name);
  return it == properties.end() ? nullptr : it->second.get();
}

const SchemaNode* SchemaNode::member(std::string_view name) const {
  const auto* declared = property(name);
  return declared ? declared : additional.get();
}

}  // namespace troupe::sim
