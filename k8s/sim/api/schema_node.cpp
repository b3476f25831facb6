#include "k8s/sim/api/schema_node.hpp"

#include <algorithm>

namespace troupe::sim {

std::string_view to_string(SchemaType type) {
  switch (type) {
    case SchemaType::Object:
      return "object";
    case SchemaType::Array:
      return "array";
    case SchemaType::String:
      return "string";
    case SchemaType::Integer:
      return "integer";
    case SchemaType::Number:
      return "number";
    case SchemaType::Boolean:
      return "boolean";
    case SchemaType::Any:
      return "";
  }
  return "";
}

const SchemaNode* SchemaNode::property(std::string_view name) const {
  // Their lengths tell nearly all of them apart.
  const auto it = std::ranges::find(properties, name, &decltype(properties)::value_type::first);
  return it == properties.end() ? nullptr : it->second.get();
}

const SchemaNode* SchemaNode::member(std::string_view name) const {
  const auto* declared = property(name);
  return declared ? declared : additional.get();
}

}  // namespace troupe::sim
