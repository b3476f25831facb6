// The compact text in which the built-in types are written down, and its parser.
//
//   package core io.k8s.api.core.v1 core v1     alias, OpenAPI prefix, group, version
//   kind Pod "documentation"                    a stored kind: apiVersion and kind are implied
//   type Volume atomic "documentation"          atomic: owned as one field
//     name!! string "documentation"             ! documented as required, !! also checked
//     ports []ContainerPort keys=containerPort,protocol merge=containerPort
//
// Types: string bool int32 int64 double bytes time microtime quantity intstr any object jsonschema,
// a type of the package or alias.Type; [] is a list of, {} a map to. Lists are atomic unless they
// have `set` or `keys=`. `value`: held by value in Go, so always present. `merge[=KEY]`, `retain`:
// strategic merge. `default=JSON` (no blanks), `enum=A|B`.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::sim {

struct BuiltinField {
  std::string name;
  std::string type;  // as written, with prefixes; named types with their component
  std::string documentation;
  bool required = false;
  bool enforced = false;
  bool by_value = false;
  bool is_set = false;
  bool atomic = false;
  bool merge = false;
  bool retain = false;
  std::string merge_key;
  std::vector<std::string> keys;
  std::vector<std::string> enum_values;
  std::optional<boost::json::value> default_value;
};

struct BuiltinType {
  std::string component;  // "io.k8s.api.core.v1.Pod"
  std::string name;
  std::string group;
  std::string version;
  std::string documentation;
  bool is_kind = false;
  bool atomic = false;
  std::vector<BuiltinField> fields;
};

// The texts, by theme.
extern const std::string_view kMetaTypes;
extern const std::string_view kCoreTypes;
extern const std::string_view kWorkloadTypes;
extern const std::string_view kClusterTypes;
extern const std::string_view kNetworkTypes;

// Throws std::logic_error on a malformed line: the texts are part of the program.
std::vector<BuiltinType> parse_builtin_types(const std::vector<std::string_view>& texts);

}  // namespace troupe::sim
