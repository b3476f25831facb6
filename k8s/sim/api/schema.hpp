// Structural schemas as the API server applies them to objects: prune, default, validate.
//
// A Schema is a cheap handle on an immutable tree; copies share it and any thread may use it.
// Every function works on the object alone: no clock, no I/O. The order in a write is prune(),
// apply_defaults(), validate(); on a read from storage only apply_defaults().
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "k8s/sim/api/schema_error.hpp"
#include "k8s/sim/api/schema_node.hpp"

namespace troupe::sim {

struct SchemaOptions {
  // Where errors of the schema itself are reported. The real server lifts a schema that all
  // versions share to this path; for versions that differ it is "spec.versions[N].schema...".
  std::string path = "spec.validation.openAPIV3Schema";
  // Schema of metadata at the root and in embedded resources; null: metadata is not tracked.
  SchemaNodePtr object_meta;
};

class Schema {
 public:
  // Custom resources: compiles spec.versions[].schema.openAPIV3Schema, or says everything that
  // keeps it from being structural, and which CEL rules do not compile. Callers outside of tests
  // want compile_custom_resource_schema() (builtin_schemas.hpp), which brings ObjectMeta.
  static FieldResult<Schema> compile(const json::value& open_api_v3_schema,
                                     const SchemaOptions& options = {});

  // `unique_lists`: whether lists of type set and map refuse duplicates. Custom resources do;
  // built-in kinds have rules of their own (a pod may name an environment variable twice).
  explicit Schema(SchemaNodePtr root, bool unique_lists = true)
      : root_(std::move(root)), unique_lists_(unique_lists) {}

  // Removes what the schema does not know. Returns the paths of what it removed, as the strict
  // decoder names them: "spec.foo", "spec.list[0].bar".
  std::vector<std::string> prune(json::value& object) const;

  // Sets defaults; drops nulls where null is not allowed and there is no default; gives
  // quantities of built-in kinds their canonical text.
  void apply_defaults(json::value& object) const;

  // Everything wrong with the object; `old` is the stored object in an update. An unchanged
  // part that is invalid passes an update (ratcheting), transition rules run only in updates.
  std::vector<FieldError> validate(const json::value& object,
                                   const json::value* old = nullptr) const;

  const SchemaNode& root() const { return *root_; }
  const SchemaNodePtr& root_ptr() const { return root_; }

 private:
  SchemaNodePtr root_;
  bool unique_lists_ = true;
};

}  // namespace troupe::sim
