// OpenAPI v3 structural schema of a kind, made from its description. Included by codec.hpp only.
#pragma once

#include <boost/json.hpp>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "k8s/api/describe.hpp"
#include "k8s/api/encode.hpp"
#include "k8s/api/relocate.hpp"

namespace troupe::k8s::internal {

namespace json = boost::json;

// The parts that do not depend on the member's type.
json::object text_schema(const Field& row);
json::object integer_schema(const Field& row, std::string_view format);
json::object quantity_schema();
json::object int_or_string_schema();
json::object raw_schema(RawShape shape);
void add_list_rules(json::object& schema, const Field& row);
void add_rules(json::object& schema, const Rule* begin, const Rule* end);
// `description` in front, then what the row says of any type.
json::object described(std::string_view doc, json::object schema);

template <Described T>
json::object struct_schema(std::string_view doc, const T& defaults);

// Schema of a value: `row` holds the rules for it, `value` the defaults of what is in it.
template <class T>
json::object value_schema(const Field& row, const T& value) {
  if constexpr (kIsOpt<T>) {
    return value_schema(row, typename T::value_type{});
  } else if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return integer_schema(row, "int32");
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return integer_schema(row, "int64");
  } else if constexpr (std::is_same_v<T, Text> || std::is_same_v<T, ResourceVersion>) {
    return text_schema(row);
  } else if constexpr (std::is_same_v<T, Time> || std::is_same_v<T, MicroTime>) {
    return {{"type", "string"}, {"format", "date-time"}};
  } else if constexpr (std::is_same_v<T, Quantity>) {
    return quantity_schema();
  } else if constexpr (std::is_same_v<T, IntOrString>) {
    return int_or_string_schema();
  } else if constexpr (std::is_same_v<T, Raw>) {
    return raw_schema(row.raw);
  } else if constexpr (std::is_enum_v<T>) {
    json::array texts;
    for (const auto& each : enum_texts<T>()) texts.emplace_back(each.text);
    return {{"type", "string"}, {"enum", std::move(texts)}};
  } else if constexpr (kIsList<T>) {
    using Item = std::remove_cvref_t<decltype(value[0])>;
    json::object schema{{"type", "array"}, {"items", value_schema(Field{}, Item{})}};
    add_list_rules(schema, row);
    return schema;
  } else if constexpr (kIsMap<T>) {
    using Value = std::remove_cvref_t<decltype(*value.find({}))>;
    json::object schema{{"type", "object"},
                        {"additionalProperties", value_schema(Field{}, Value{})}};
    if (row.max_items) schema["maxProperties"] = *row.max_items;
    return schema;
  } else {
    return struct_schema({}, value);
  }
}

template <class T>
json::object member_schema(const Field& row, const T& value) {
  json::object schema = described(row.doc, value_schema(row, value));
  if (row.nullable) schema["nullable"] = true;
  if (row.defaulted) schema["default"] = json::parse(to_json_text(value));
  add_rules(schema, row.rules.begin(), row.rules.end());
  return schema;
}

template <Described T>
json::object struct_schema(std::string_view doc, const T& defaults) {
  json::object properties;
  json::array required;
  for_each_field<T>([&](auto member, const Field& row) {
    properties[row.name] = member_schema(row, defaults.*member);
    if (row.required) required.emplace_back(row.name);
  });
  json::object schema = described(doc.empty() ? Schema<T>::kDoc : doc, {{"type", "object"}});
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  if constexpr (requires { Schema<T>::kPreserveUnknown; }) {
    schema["x-kubernetes-preserve-unknown-fields"] = Schema<T>::kPreserveUnknown;
  }
  if constexpr (requires { Schema<T>::kRules; }) {
    add_rules(schema, std::begin(Schema<T>::kRules), std::end(Schema<T>::kRules));
  }
  return schema;
}

// The whole object: what a CRD's openAPIV3Schema holds. metadata is the API server's own.
template <KindStruct T>
json::object object_schema() {
  json::object schema = struct_schema(Schema<T>::kDoc, T{});
  json::object& properties = schema["properties"].as_object();
  properties["metadata"] = json::object{{"type", "object"}};
  properties["apiVersion"] =
      described("Group and version of the kind.", json::object{{"type", "string"}});
  properties["kind"] = described("The kind.", json::object{{"type", "string"}});
  return schema;
}

}  // namespace troupe::k8s::internal
