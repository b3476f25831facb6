// rbac, disruption budgets, network policies, priority classes.
#include <fmt/format.h>

#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

constexpr auto kRbac = "rbac.authorization.k8s.io";

ResourceType rbac_type(std::string kind, std::string plural, bool namespaced) {
  std::string singular = kind;
  for (auto& c : singular) c = static_cast<char>(::tolower(c));
  ResourceType type{.group = kRbac,
                    .version = "v1",
                    .kind = std::move(kind),
                    .plural = std::move(plural),
                    .singular = std::move(singular),
                    .namespaced = namespaced,
                    .name_rule = NameRule::PathSegment,
                    .columns = {name_column(), age_column()}};
  return type;
}

ResourceType binding_type(std::string kind, std::string plural, bool namespaced) {
  auto type = rbac_type(std::move(kind), std::move(plural), namespaced);
  type.defaults = {{"roleRef.apiGroup", kRbac}};
  type.columns = {name_column(),
                  {.name = "Role",
                   .cell =
                       [](const auto& o, WallTime) {
                         return json::value(fmt::format("{}/{}", string_at(o, "roleRef.kind"),
                                                        string_at(o, "roleRef.name")));
                       }},
                  age_column()};
  type.strategy.prepare = [](WriteScope&, json::object& object, const json::object*) {
    auto* subjects = object.if_contains("subjects");
    if (subjects == nullptr || !subjects->is_array()) return ApiResult<void>();
    for (auto& entry : subjects->get_array()) {
      auto* subject = entry.if_object();
      if (subject == nullptr || subject->contains("apiGroup")) continue;
      if (string_at(*subject, "kind") != "ServiceAccount") (*subject)["apiGroup"] = kRbac;
    }
    return ApiResult<void>();
  };
  type.strategy.validate = [](const WriteScope&, const json::object& object,
                              const json::object* old, std::vector<FieldError>& errors) {
    const auto* before = old == nullptr ? nullptr : find(*old, "roleRef");
    const auto* after = find(object, "roleRef");
    if (before != nullptr && after != nullptr && *before != *after) {
      errors.push_back(invalid("roleRef", json::serialize(*after), "cannot change roleRef"));
    }
  };
  return type;
}

ResourceType disruption_budgets() {
  ResourceType type{
      .group = "policy",
      .version = "v1",
      .kind = "PodDisruptionBudget",
      .plural = "poddisruptionbudgets",
      .singular = "poddisruptionbudget",
      .short_names = {"pdb"},
      .has_status = true,
      .counts_generations = true,
      .columns = {name_column(), path_column("Min Available", "spec.minAvailable", 0, "N/A"),
                  path_column("Max Unavailable", "spec.maxUnavailable", 0, "N/A"),
                  path_column("Allowed Disruptions", "status.disruptionsAllowed", 0, "0"),
                  age_column()}};
  type.strategy.validate = [](const WriteScope&, const json::object& object, const json::object*,
                              std::vector<FieldError>& errors) {
    const auto* spec = object_at(object, "spec");
    if (spec != nullptr && spec->contains("minAvailable") && spec->contains("maxUnavailable")) {
      errors.push_back(invalid("spec", json::serialize(*spec),
                               "minAvailable and maxUnavailable cannot be both set"));
    }
  };
  return type;
}

ResourceType network_policies() {
  ResourceType type{
      .group = "networking.k8s.io",
      .version = "v1",
      .kind = "NetworkPolicy",
      .plural = "networkpolicies",
      .singular = "networkpolicy",
      .short_names = {"netpol"},
      .counts_generations = true,
      .columns = {name_column(),
                  {.name = "Pod-Selector",
                   .cell =
                       [](const auto& o, WallTime) {
                         const auto* labels = object_at(o, "spec.podSelector.matchLabels");
                         std::string text;
                         if (labels == nullptr) return json::value("<none>");
                         for (const auto& [key, value] : *labels) {
                           text += fmt::format(
                               "{}{}={}", text.empty() ? "" : ",", std::string_view(key),
                               value.is_string() ? std::string_view(value.get_string()) : "");
                         }
                         return json::value(text.empty() ? "<none>" : text);
                       }},
                  age_column()}};
  type.strategy.prepare = [](WriteScope&, json::object& object, const json::object*) {
    auto& spec = child(object, "spec");
    if (spec.contains("policyTypes")) return ApiResult<void>();
    json::array types{"Ingress"};
    if (spec.contains("egress")) types.emplace_back("Egress");
    spec["policyTypes"] = std::move(types);
    return ApiResult<void>();
  };
  return type;
}

ResourceType priority_classes() {
  return {.group = "scheduling.k8s.io",
          .version = "v1",
          .kind = "PriorityClass",
          .plural = "priorityclasses",
          .singular = "priorityclass",
          .short_names = {"pc"},
          .namespaced = false,
          .defaults = {{"preemptionPolicy", "PreemptLowerPriority"}},
          .columns = {name_column(), path_column("Value", "value"),
                      path_column("Global-Default", "globalDefault", 0, "false"), age_column()}};
}

}  // namespace

std::vector<ResourceType> policy_types() {
  return {rbac_type("Role", "roles", true),
          rbac_type("ClusterRole", "clusterroles", false),
          binding_type("RoleBinding", "rolebindings", true),
          binding_type("ClusterRoleBinding", "clusterrolebindings", false),
          disruption_budgets(),
          network_policies(),
          priority_classes()};
}

}  // namespace troupe::sim
