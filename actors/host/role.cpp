#include "actors/host/role.hpp"

#include <yaml-cpp/yaml.h>

#include <map>
#include <utility>
#include <vector>

namespace troupe::actors {
namespace {

using Words = std::vector<std::string>;

// What is applied by server-side apply needs both "create" and "patch".
struct Rule {
  std::string group;
  Words resources;
  Words verbs;
};

// One kind may make objects of another. What they own holds up their deletion
// (blockOwnerDeletion), for which an admission plugin asks for "update" of their finalizers.
std::vector<Rule> rules_of_group(const std::string& group, const Words& plurals) {
  Words statuses, finalizers;
  for (const auto& plural : plurals) {
    statuses.push_back(plural + "/status");
    finalizers.push_back(plural + "/finalizers");
  }
  return {{group, plurals, {"get", "list", "watch", "create", "patch", "delete"}},
          {group, statuses, {"get", "patch"}},
          {group, finalizers, {"update"}}};
}

std::vector<Rule> rules_of_own(std::span<const RegisteredKind> kinds) {
  std::map<std::string, Words> groups;
  for (const auto& kind : kinds) {
    const auto& table = kind.info().table;
    groups[std::string(table.group)].emplace_back(table.plural);
  }
  std::vector<Rule> out;
  for (const auto& [group, plurals] : groups)
    for (auto& rule : rules_of_group(group, plurals)) out.push_back(std::move(rule));
  return out;
}

std::vector<Rule> rules_of_kubernetes() {
  const Words look{"get", "list", "watch"};
  const Words make{"get", "list", "watch", "create", "patch"};
  const Words keep{"get", "list", "watch", "create", "patch", "delete"};
  return {
      {"", {"pods", "services", "configmaps", "persistentvolumeclaims"}, keep},
      {"policy", {"poddisruptionbudgets"}, keep},
      // Copies of templates; certificates, passwords, the authority. They go with their owners.
      {"", {"podtemplates", "secrets"}, make},
      {"", {"nodes"}, look},
      {"storage.k8s.io", {"storageclasses"}, look},
      {"", {"events"}, {"create", "patch"}},
      // Who leads.
      {"coordination.k8s.io", {"leases"}, {"get", "create", "patch"}},
      // Whose token comes to the console, and whether that user may see it.
      {"authentication.k8s.io", {"tokenreviews"}, {"create"}},
      {"authorization.k8s.io", {"subjectaccessreviews"}, {"create"}},
  };
}

void emit(YAML::Emitter& out, const char* key, const Words& words) {
  out << YAML::Key << key << YAML::Value << YAML::Flow << words;
}

void emit(YAML::Emitter& out, const Rule& rule) {
  out << YAML::BeginMap;
  emit(out, "apiGroups", {rule.group});
  emit(out, "resources", rule.resources);
  emit(out, "verbs", rule.verbs);
  out << YAML::EndMap;
}

}  // namespace

std::string role_yaml(std::span<const RegisteredKind> kinds) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  out << YAML::Key << "apiVersion" << YAML::Value << "rbac.authorization.k8s.io/v1";
  out << YAML::Key << "kind" << YAML::Value << "ClusterRole";
  out << YAML::Key << "metadata" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "name" << YAML::Value << "troupe-operator" << YAML::EndMap;
  out << YAML::Key << "rules" << YAML::Value << YAML::BeginSeq;
  for (const auto& rule : rules_of_own(kinds)) emit(out, rule);
  for (const auto& rule : rules_of_kubernetes()) emit(out, rule);
  out << YAML::EndSeq << YAML::EndMap << YAML::Newline;
  return "# What the operator may do. Made by ./dev gen: actors/host/role.cpp says why.\n" +
         std::string(out.c_str());
}

}  // namespace troupe::actors
