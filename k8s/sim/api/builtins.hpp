// The kinds that every cluster has, as tables of ResourceType: one function a family.
#pragma once

#include <vector>

#include "k8s/sim/api/resource_type.hpp"

namespace troupe::sim {

std::vector<ResourceType> core_types();
std::vector<ResourceType> pod_types();      // pods, podtemplates
std::vector<ResourceType> service_types();  // services, endpoints, endpoint slices
std::vector<ResourceType> event_types();
std::vector<ResourceType> workload_types();
std::vector<ResourceType> storage_types();
std::vector<ResourceType> policy_types();  // rbac, disruption budgets, network policies, priorities
std::vector<ResourceType> extension_types();  // CRDs, webhooks
std::vector<ResourceType> review_types();

// All of them, with their schemas and the columns that they do not define themselves.
void register_builtins(Registry& registry);

// Defaults of a pod's spec that lies at `prefix`: "spec." or "spec.template.spec.".
std::vector<FieldDefault> pod_spec_defaults(std::string_view prefix);
void validate_pod_spec(const json::object& spec, const std::string& path,
                       std::vector<FieldError>& errors);

}  // namespace troupe::sim
