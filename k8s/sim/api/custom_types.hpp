// CustomResourceDefinitions: what they must be, and the types that they bring.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/resource_type.hpp"
#include "k8s/sim/api/writer.hpp"

namespace troupe::sim {

inline constexpr std::string_view kCrdCollection = "customresourcedefinitions.apiextensions.k8s.io";

// One type for each served version, or what is wrong with the definition.
FieldResult<std::vector<ResourceType>> custom_types(const json::object& definition);

// Keeps the registry in step with the stored definitions: accepts names, establishes, removes, and
// deletes the instances of a definition that is being deleted.
class CrdRegistrar {
 public:
  explicit CrdRegistrar(Core& core);

  bool has_work() const { return !dirty_.empty(); }
  void work(Writer& writer, WallTime now);

 private:
  struct Served {
    std::int64_t generation = 0;
    std::string collection;
    std::vector<TypePtr> types;
  };

  void update(const std::string& name, Writer& writer, WallTime now);
  void serve(const std::string& name, const json::object& definition);
  void withdraw(const std::string& name);
  void clean_up(const std::string& name, const json::object& definition, Writer& writer,
                WallTime now);
  std::string name_conflict(const std::string& name, const json::object& definition) const;

  Core& core_;
  std::map<std::string, Served> served_;  // by the definition's name
  std::set<std::string> dirty_;
};

}  // namespace troupe::sim
