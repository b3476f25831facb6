#include "k8s/sim/api/openapi_v2.hpp"

#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <array>
#include <utility>

namespace troupe::sim {
namespace {

// A CRD of 3 MiB may nest as deep as the server reads bodies, and each of its levels is two here.
constexpr std::size_t kMaxDepth = 512;
constexpr std::string_view kComponents = "#/components/schemas/";
constexpr std::string_view kDefinitions = "#/definitions/";
constexpr std::array<std::string_view, 5> kNotInSwagger = {"allOf", "anyOf", "not", "nullable",
                                                           "oneOf"};

bool is_true(const json::object& schema, std::string_view name) {
  const auto* value = schema.if_contains(name);
  return value && value->is_bool() && value->get_bool();
}

bool has_type(const json::object& schema, std::string_view type) {
  const auto* value = schema.if_contains("type");
  return value && value->is_string() && value->get_string() == type;
}

bool is_extension(std::string_view name) { return name.starts_with("x-"); }

const json::string* reference_of(const json::object& schema) {
  if (const auto* direct = schema.if_contains("$ref")) return direct->if_string();
  const auto* all_of = schema.if_contains("allOf");
  if (!all_of || !all_of->is_array() || all_of->get_array().size() != 1) return nullptr;
  const auto* only = all_of->get_array()[0].if_object();
  const auto* wrapped = only ? only->if_contains("$ref") : nullptr;
  return wrapped ? wrapped->if_string() : nullptr;
}

// Quantities and the like: kubectl takes any scalar where Swagger says text.
bool may_be_text(const json::object& schema) {
  const auto* one_of = schema.if_contains("oneOf");
  return one_of && one_of->is_array() &&
         std::ranges::any_of(one_of->get_array(), [](const json::value& one) {
           return one.is_object() && has_type(one.get_object(), "string");
         });
}

json::object to_reference(const json::object& schema, std::string_view target) {
  json::object out;
  out["$ref"] = std::string(kDefinitions).append(target.substr(kComponents.size()));
  for (const auto& [name, value] : schema) {
    if (name == "description" || name == "default" || is_extension(name)) out[name] = value;
  }
  return out;
}

json::value to_swagger(const json::value& schema);

json::object each_to_swagger(const json::object& schemas) {
  json::object out;
  for (const auto& [name, schema] : schemas) out[name] = to_swagger(schema);
  return out;
}

// A property that may be null cannot be required of clients that know no null.
void forget_required_nulls(const json::object& schema, json::object& out) {
  const auto* properties = schema.if_contains("properties");
  auto* required = out.if_contains("required");
  if (!required || !required->is_array() || !properties || !properties->is_object()) return;
  json::array kept;
  for (const auto& name : required->get_array()) {
    const auto* property = properties->get_object().if_contains(name.get_string());
    if (!property || !property->is_object() || !is_true(property->get_object(), "nullable")) {
      kept.push_back(name);
    }
  }
  if (kept.empty()) {
    out.erase("required");
  } else {
    *required = std::move(kept);
  }
}

json::value to_swagger(const json::value& value) {
  if (!value.is_object()) return value;
  const auto& schema = value.get_object();
  if (const auto* target = reference_of(schema)) return to_reference(schema, *target);
  const bool nullable = is_true(schema, "nullable");
  const bool open = is_true(schema, "x-kubernetes-preserve-unknown-fields");
  json::object out;
  for (const auto& [name, member] : schema) {
    if (std::ranges::find(kNotInSwagger, std::string_view(name)) != kNotInSwagger.end()) continue;
    const bool structure = name == "properties" || name == "items";
    if (structure && (nullable || open)) continue;
    const bool nested = name == "items" || name == "additionalProperties";
    out[name] = name == "properties" && member.is_object() ? each_to_swagger(member.get_object())
                : nested                                   ? to_swagger(member)
                                                           : member;
  }
  const bool bare_array = has_type(schema, "array") && !out.contains("items");
  if (nullable || bare_array || (open && has_type(schema, "object"))) out.erase("type");
  if (!out.contains("type") && may_be_text(schema)) out["type"] = "string";
  forget_required_nulls(schema, out);
  return out;
}

// A message of texts and messages. The numbers of the fields are those of gnostic's
// openapiv2/OpenAPIv2.proto, which no package has.
class Message {
 public:
  Message& put(unsigned field, std::string_view content) {
    google::protobuf::UnknownFieldSet one;
    one.AddLengthDelimited(static_cast<int>(field))->assign(content);
    std::string bytes;
    one.SerializeToString(&bytes);
    bytes_ += bytes;
    return *this;
  }
  Message& put(unsigned field, const Message& message) { return put(field, message.bytes_); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

Message any_of(const json::value& value) {
  constexpr unsigned kYaml = 2;  // of which JSON is a part
  return Message().put(kYaml, json::serialize(value));
}

Message named(std::string_view name, const Message& value) {
  return Message().put(1, name).put(2, value);
}

Message schema_message(const json::object& schema);

Message schemas_by_name(const json::object& schemas) {
  constexpr unsigned kNamedSchema = 1;
  Message out;
  for (const auto& [name, schema] : schemas) {
    if (schema.is_object()) out.put(kNamedSchema, named(name, schema_message(schema.get_object())));
  }
  return out;
}

void put_structure(const json::object& schema, Message& out) {
  constexpr unsigned kRequired = 19, kEnum = 20, kAdditional = 21, kItems = 23, kProperties = 25;
  constexpr unsigned kSchema = 1;  // of an ItemsItem and an AdditionalPropertiesItem
  for (const auto& [name, value] : schema) {
    if (name == "required") {
      for (const auto& one : value.as_array()) out.put(kRequired, one.as_string());
    } else if (name == "enum") {
      for (const auto& one : value.as_array()) out.put(kEnum, any_of(one));
    } else if (name == "additionalProperties" && value.is_object()) {
      out.put(kAdditional, Message().put(kSchema, schema_message(value.get_object())));
    } else if (name == "items" && value.is_object()) {
      out.put(kItems, Message().put(kSchema, schema_message(value.get_object())));
    } else if (name == "properties" && value.is_object()) {
      out.put(kProperties, schemas_by_name(value.get_object()));
    }
  }
}

Message schema_message(const json::object& schema) {
  constexpr unsigned kReference = 1, kFormat = 2, kDescription = 4, kDefault = 5, kType = 22,
                     kExtension = 31;
  constexpr unsigned kTypeName = 1;  // of a TypeItem
  Message out;
  for (const auto& [name, value] : schema) {
    if (is_extension(name)) out.put(kExtension, named(name, any_of(value)));
    if (name == "default") out.put(kDefault, any_of(value));
    if (!value.is_string()) continue;
    const std::string_view text = value.get_string();
    if (name == "$ref") out.put(kReference, text);
    if (name == "format") out.put(kFormat, text);
    if (name == "description") out.put(kDescription, text);
    if (name == "type") out.put(kType, Message().put(kTypeName, text));
  }
  put_structure(schema, out);
  return out;
}

std::string to_protobuf(const json::object& document) {
  constexpr unsigned kSwagger = 1, kInfo = 2, kPaths = 8, kDefinitionsField = 9;
  constexpr unsigned kTitle = 1, kVersion = 2;  // of an Info
  const auto& info = document.at("info").as_object();
  return Message()
      .put(kSwagger, document.at("swagger").as_string())
      .put(kInfo, Message()
                      .put(kTitle, info.at("title").as_string())
                      .put(kVersion, info.at("version").as_string()))
      .put(kPaths, Message())
      .put(kDefinitionsField, schemas_by_name(document.at("definitions").as_object()))
      .take();
}

}  // namespace

SwaggerDocument swagger_document(const std::vector<OpenApiDocument>& v3) {
  json::object definitions;
  for (const auto& part : v3) {
    const auto parsed = json::parse(part.body, {}, {.max_depth = kMaxDepth});
    for (const auto& [name, schema] : parsed.at("components").at("schemas").as_object()) {
      definitions[name] = to_swagger(schema);
    }
  }
  const json::object document{{"swagger", "2.0"},
                              {"info", {{"title", "Kubernetes"}, {"version", "v1"}}},
                              {"paths", json::object()},
                              {"definitions", std::move(definitions)}};
  SwaggerDocument out{json::serialize(document), to_protobuf(document), {}};
  out.hash = content_hash(out.json);
  return out;
}

}  // namespace troupe::sim
