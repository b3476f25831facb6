#include "k8s/api/openapi.hpp"

namespace troupe::k8s::internal {
namespace {

// What resource.Quantity's own schema allows in CRDs.
constexpr std::string_view kQuantityPattern =
    R"(^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$)";

json::object open_object() {
  return {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
}

json::object pod_template_schema() {
  json::object container = open_object();
  container["properties"] = json::object{{"name", {{"type", "string"}, {"minLength", 1}}}};
  container["required"] = json::array{"name"};
  json::object pod = open_object();
  pod["properties"] = json::object{{"containers",
                                    {{"type", "array"},
                                     {"minItems", 1},
                                     {"items", std::move(container)},
                                     {"x-kubernetes-list-type", "map"},
                                     {"x-kubernetes-list-map-keys", json::array{"name"}}}}};
  pod["required"] = json::array{"containers"};
  json::object schema{{"type", "object"}};
  schema["properties"] = json::object{{"metadata", open_object()}, {"spec", std::move(pod)}};
  schema["required"] = json::array{"spec"};
  return schema;
}

}  // namespace

json::object described(std::string_view doc, json::object schema) {
  if (!doc.empty()) schema["description"] = doc;
  return schema;
}

json::object text_schema(const Field& row) {
  json::object schema{{"type", "string"}};
  if (!row.format.empty()) schema["format"] = row.format;
  if (row.min_length) schema["minLength"] = *row.min_length;
  if (row.max_length) schema["maxLength"] = *row.max_length;
  if (!row.pattern.empty()) schema["pattern"] = row.pattern;
  return schema;
}

json::object integer_schema(const Field& row, std::string_view format) {
  json::object schema{{"type", "integer"}, {"format", format}};
  if (row.minimum) schema["minimum"] = *row.minimum;
  if (row.maximum) schema["maximum"] = *row.maximum;
  return schema;
}

json::object quantity_schema() {
  json::object schema = int_or_string_schema();
  schema["pattern"] = kQuantityPattern;
  return schema;
}

json::object int_or_string_schema() {
  return {{"anyOf", json::array{{{"type", "integer"}}, {{"type", "string"}}}},
          {"x-kubernetes-int-or-string", true}};
}

json::object raw_schema(RawShape shape) {
  switch (shape) {
    case RawShape::Object:
      return open_object();
    case RawShape::PodTemplate:
      return pod_template_schema();
    case RawShape::Any:
      break;
  }
  return {{"x-kubernetes-preserve-unknown-fields", true}};
}

void add_list_rules(json::object& schema, const Field& row) {
  if (row.min_items) schema["minItems"] = *row.min_items;
  if (row.max_items) schema["maxItems"] = *row.max_items;
  if (row.list == ListType::Atomic) {
    schema["x-kubernetes-list-type"] = "atomic";
  } else if (row.list == ListType::Set) {
    schema["x-kubernetes-list-type"] = "set";
  } else {
    schema["x-kubernetes-list-type"] = "map";
    json::array keys;
    for (std::string_view key : row.keys) keys.emplace_back(key);
    schema["x-kubernetes-list-map-keys"] = std::move(keys);
  }
}

void add_rules(json::object& schema, const Rule* begin, const Rule* end) {
  if (begin == end) return;
  json::array rules;
  for (const Rule* rule = begin; rule != end; ++rule) {
    rules.push_back({{"rule", rule->expression}, {"message", rule->message}});
  }
  schema["x-kubernetes-validations"] = std::move(rules);
}

}  // namespace troupe::k8s::internal
