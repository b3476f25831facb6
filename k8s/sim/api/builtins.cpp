#include "k8s/sim/api/builtins.hpp"

#include "k8s/sim/api/builtin_schemas.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

void complete(ResourceType& type) {
  if (const auto* schema = find_builtin_schema(type.group, type.version, type.kind)) {
    type.schema = *schema;
  }
  if (type.collection.empty()) type.collection = to_string(type.name());
  if (type.columns.empty()) type.columns = {name_column(), age_column()};
  if (type.has_status && type.find_subresource("status") == nullptr) {
    type.subresources.push_back(
        {"status", type.group, type.version, type.kind, {"get", "patch", "update"}, nullptr});
  }
  if (type.scale) {
    type.subresources.push_back(
        {"scale", "autoscaling", "v1", "Scale", {"get", "patch", "update"}, nullptr});
  }
}

}  // namespace

void register_builtins(Registry& registry) {
  for (auto family : {core_types, pod_types, service_types, event_types, workload_types,
                      storage_types, policy_types, extension_types, review_types}) {
    for (auto& type : family()) {
      complete(type);
      registry.add(std::make_shared<ResourceType>(std::move(type)));
    }
  }
}

}  // namespace troupe::sim
