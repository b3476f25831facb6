// From an OpenAPI v3 schema of a CRD to the SchemaNodes that values are checked with. For
// schema_compile*.cpp only, one file a subject: the tree of nodes (schema_compile.cpp), rules on
// values, what makes a schema structural, and CEL rules.
//
// Every fault of the schema is collected, under the path and with the words of the real API server.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "k8s/sim/api/object.hpp"
#include "k8s/sim/api/schema.hpp"

namespace troupe::sim {

class SchemaCompiler {
 public:
  enum class Level { Root, Item, Field };

  explicit SchemaCompiler(const SchemaOptions& options) : options_(options) {}

  SchemaNodePtr compile_root(const json::value& schema);
  std::vector<FieldError> take_errors();

 private:
  using Node = std::shared_ptr<SchemaNode>;

  Node compile(const json::value& schema, const std::string& path, Level level, int depth);
  Node compile_nested(const json::value& schema, const std::string& path, bool skip_any_of,
                      int depth);
  void read_shape(const json::object& s, const std::string& path, SchemaNode& node, Level level,
                  int depth);
  void read_children(const json::object& s, const std::string& path, SchemaNode& node, int depth);
  void read_additional(const json::object& s, const std::string& path, SchemaNode& node,
                       Level level);
  void read_rules(const json::object& s, const std::string& path, SchemaNode& node,
                  bool skip_any_of, int depth);
  void read_bounds(const json::object& s, ValueRules& rules);
  void read_junctors(const json::object& s, const std::string& path, ValueRules& rules,
                     bool skip_any_of, int depth);
  void read_list_type(const json::object& s, const std::string& path, SchemaNode& node);
  void check_map_keys(const std::string& path, const SchemaNode& node);
  void read_validations(const json::object& s, const std::string& path, SchemaNode& node);
  void read_validation(const json::object& rule, const std::string& path, SchemaNode& node);
  void check_type(const json::object& s, const std::string& path, const SchemaNode& node,
                  Level level);
  void check_nested_is_structural(const json::object& s, const std::string& path);
  void check_metadata(const json::object& s, const std::string& path, Level level);
  void check_default(const std::string& path, const SchemaNode& node);
  void add_type_meta(SchemaNode& node, bool is_root);

  void fail(FieldError error) { errors_.push_back(std::move(error)); }

  const SchemaOptions& options_;
  std::vector<FieldError> errors_;
};

// anyOf: [{type: integer}, {type: string}], which x-kubernetes-int-or-string may carry along.
bool is_int_or_string_pattern(const json::value* any_of);

// The texts of a list; empty where there is none.
std::vector<std::string> texts_at(const json::object& schema, std::string_view key);

}  // namespace troupe::sim
