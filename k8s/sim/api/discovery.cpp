#include "k8s/sim/api/discovery.hpp"

#include <algorithm>

namespace troupe::sim {
namespace {

json::array to_array(const std::vector<std::string>& items) {
  return json::array(items.begin(), items.end());
}

std::vector<std::string> verbs_of(const ResourceType& type) {
  if (!type.verbs.empty()) return type.verbs;
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

// Groups in the order of their first registration.
std::vector<std::string> groups_of(const Registry& registry) {
  std::vector<std::string> groups;
  for (const auto& type : registry.types()) {
    if (!type->group.empty() &&
        std::find(groups.begin(), groups.end(), type->group) == groups.end()) {
      groups.push_back(type->group);
    }
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

std::vector<std::string> versions_of(const Registry& registry, std::string_view group) {
  std::vector<std::string> versions;
  for (const auto& type : registry.types()) {
    const auto known = std::find(versions.begin(), versions.end(), type->version);
    if (type->group == group && known == versions.end()) versions.push_back(type->version);
  }
  return versions;
}

json::object group_document(const Registry& registry, const std::string& group) {
  json::array versions;
  for (const auto& version : versions_of(registry, group)) {
    versions.push_back(
        json::object{{"groupVersion", api_version(group, version)}, {"version", version}});
  }
  json::value preferred = versions.empty() ? json::value(json::object()) : versions.front();
  return {{"name", group},
          {"versions", std::move(versions)},
          {"preferredVersion", std::move(preferred)}};
}

void add_names(json::object& entry, const ResourceType& type) {
  if (!type.short_names.empty()) entry["shortNames"] = to_array(type.short_names);
  if (!type.categories.empty()) entry["categories"] = to_array(type.categories);
}

json::object kind_of(std::string_view group, std::string_view version, std::string_view kind) {
  return {{"group", group}, {"version", version}, {"kind", kind}};
}

json::object aggregated_resource(const ResourceType& type) {
  json::object entry{{"resource", type.plural},
                     {"responseKind", kind_of(type.group, type.version, type.kind)},
                     {"scope", type.namespaced ? "Namespaced" : "Cluster"},
                     {"singularResource", type.singular},
                     {"verbs", to_array(verbs_of(type))}};
  add_names(entry, type);
  json::array subresources;
  for (const auto& sub : type.subresources) {
    subresources.push_back(json::object{{"subresource", sub.name},
                                        {"responseKind", kind_of(sub.group, sub.version, sub.kind)},
                                        {"verbs", to_array(sub.verbs)}});
  }
  if (!subresources.empty()) entry["subresources"] = std::move(subresources);
  return entry;
}

}  // namespace

json::object api_versions(std::string_view server_address) {
  return {
      {"kind", "APIVersions"},
      {"versions", json::array{"v1"}},
      {"serverAddressByClientCIDRs",
       json::array{json::object{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", server_address}}}}};
}

json::object api_groups(const Registry& registry) {
  json::array groups;
  for (const auto& group : groups_of(registry)) groups.push_back(group_document(registry, group));
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

std::optional<json::object> api_group(const Registry& registry, std::string_view group) {
  if (versions_of(registry, group).empty()) return std::nullopt;
  auto document = group_document(registry, std::string(group));
  document["kind"] = "APIGroup";
  document["apiVersion"] = "v1";
  return document;
}

std::optional<json::object> api_resources(const Registry& registry, std::string_view group,
                                          std::string_view version) {
  json::array resources;
  for (const auto& type : registry.types()) {
    if (type->group != group || type->version != version) continue;
    json::object entry{{"name", type->plural},
                       {"singularName", type->singular},
                       {"namespaced", type->namespaced},
                       {"kind", type->kind},
                       {"verbs", to_array(verbs_of(*type))}};
    add_names(entry, *type);
    resources.push_back(std::move(entry));
    for (const auto& sub : type->subresources) {
      json::object below{{"name", type->plural + "/" + sub.name},
                         {"singularName", ""},
                         {"namespaced", type->namespaced},
                         {"kind", sub.kind},
                         {"verbs", to_array(sub.verbs)}};
      if (sub.group != type->group || sub.version != type->version) {
        below["group"] = sub.group;
        below["version"] = sub.version;
      }
      resources.push_back(std::move(below));
    }
  }
  if (resources.empty()) return std::nullopt;
  return json::object{{"kind", "APIResourceList"},
                      {"apiVersion", "v1"},
                      {"groupVersion", api_version(group, version)},
                      {"resources", std::move(resources)}};
}

json::object aggregated_discovery(const Registry& registry, bool core) {
  json::array items;
  const auto groups = core ? std::vector<std::string>{""} : groups_of(registry);
  for (const auto& group : groups) {
    json::array versions;
    for (const auto& version : versions_of(registry, group)) {
      json::array resources;
      for (const auto& type : registry.types()) {
        if (type->group == group && type->version == version) {
          resources.push_back(aggregated_resource(*type));
        }
      }
      versions.push_back(json::object{
          {"version", version}, {"resources", std::move(resources)}, {"freshness", "Current"}});
    }
    items.push_back(json::object{{"metadata", {{"name", group}, {"creationTimestamp", nullptr}}},
                                 {"versions", std::move(versions)}});
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/v2"},
          {"metadata", json::object()},
          {"items", std::move(items)}};
}

json::object server_version() {
  return {{"major", "1"},    {"minor", "36"},           {"gitVersion", kKubernetesVersion},
          {"gitCommit", ""}, {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
          {"goVersion", ""}, {"compiler", "gcc"},       {"platform", "linux/amd64"}};
}

}  // namespace troupe::sim
