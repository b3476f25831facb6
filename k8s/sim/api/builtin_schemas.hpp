// Schemas of the kinds that every API server has: core, apps, batch, rbac and so on.
//
// The field lists are data (builtin_schemas_*.cpp, a compact text; builtin_schemas_text.hpp says
// its grammar) from which come both the compiled Schema and the OpenAPI components. Built on first
// use, immutable afterwards; any thread may read them.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/schema.hpp"

namespace troupe::sim {

struct BuiltinKind {
  std::string group;  // "" for core
  std::string version;
  std::string kind;
  std::string component;  // the name in OpenAPI: "io.k8s.api.core.v1.Pod"
};

// Null when there is no such built-in kind.
const Schema* find_builtin_schema(std::string_view group, std::string_view version,
                                  std::string_view kind);

// The same where the kind is known to exist; throws std::out_of_range when not.
const Schema& builtin_schema(std::string_view group, std::string_view version,
                             std::string_view kind);

const std::vector<BuiltinKind>& builtin_kinds();

// components/schemas of OpenAPI v3 for all built-in types, with $ref between them and
// x-kubernetes-group-version-kind on the kinds.
const json::object& builtin_components();

// metav1.ObjectMeta, for the metadata of custom resources.
SchemaNodePtr object_meta_schema();

// Schema::compile() with apiVersion, kind and metadata added as the API server does.
FieldResult<Schema> compile_custom_resource_schema(
    const json::value& open_api_v3_schema, std::string path = "spec.validation.openAPIV3Schema");

}  // namespace troupe::sim
