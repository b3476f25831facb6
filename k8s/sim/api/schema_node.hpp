// A structural schema in compiled form: the tree that pruning, defaulting, validation, field
// ownership and strategic merge walk.
//
// Nodes are immutable once compiled and shared: a pod template of six kinds exists once. Safe to
// read from any thread. Names follow the OpenAPI keywords they come from.
#pragma once

#include <boost/container/flat_map.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace troupe::sim {

namespace json = boost::json;

namespace cel {
class Program;
}

struct SchemaNode;
using SchemaNodePtr = std::shared_ptr<const SchemaNode>;

enum class SchemaType { Any, Object, Array, String, Integer, Number, Boolean };
// As the keyword `type` says it; empty for Any.
std::string_view to_string(SchemaType type);

enum class ListType { Atomic, Set, Map };

// One rule of x-kubernetes-validations.
struct ValidationRule {
  std::string rule;
  std::shared_ptr<const cel::Program> program;
  std::shared_ptr<const cel::Program> message_program;  // messageExpression; may be null
  std::string message;
  std::string reason;      // "" means FieldValueInvalid
  std::string field_path;  // relative: ".serverName"
  bool uses_old = false;   // a transition rule
  bool optional_old = false;
};

// The keywords that say something about a value without shaping it. Also stands alone inside
// oneOf, anyOf, allOf and not, where structural schemas allow nothing else.
struct ValueRules {
  std::vector<json::value> enum_values;
  std::string pattern;
  std::shared_ptr<const re2::RE2> pattern_regex;
  std::string format;
  std::optional<double> minimum, maximum, multiple_of;
  bool exclusive_minimum = false, exclusive_maximum = false;
  std::optional<std::int64_t> min_length, max_length, min_items, max_items, min_properties,
      max_properties;
  bool unique_items = false;
  std::vector<std::string> required;
  std::vector<SchemaNodePtr> one_of, any_of, all_of;
  SchemaNodePtr negated;  // not
};

struct SchemaNode {
  SchemaType type = SchemaType::Any;
  bool nullable = false;
  bool int_or_string = false;
  bool preserve_unknown = false;
  bool embedded_resource = false;
  // Built-in kinds: a Go struct held by value, which the real server has even when it is empty.
  bool by_value = false;
  // Built-in kinds: canonical text is stored ("1000m" becomes "1").
  bool quantity = false;

  boost::container::flat_map<std::string, SchemaNodePtr, std::less<>> properties;
  SchemaNodePtr additional;         // the value type of a map
  bool additional_allowed = false;  // additionalProperties: true
  SchemaNodePtr items;

  std::optional<json::value> default_value;
  bool has_nested_defaults = false;  // this node or one below it has a default

  ListType list_type = ListType::Atomic;
  std::vector<std::string> list_map_keys;
  bool atomic_map = false;

  std::string patch_merge_key;  // strategic merge, built-in kinds
  bool patch_merge = false;
  bool patch_retain_keys = false;

  ValueRules rules;
  std::vector<ValidationRule> validations;
  bool has_nested_validations = false;

  // The schema of a member; null when the schema says nothing about it.
  const SchemaNode* property(std::string_view name) const;
  // As property(), but also the value type of a map.
  const SchemaNode* member(std::string_view name) const;
};

}  // namespace troupe::sim
