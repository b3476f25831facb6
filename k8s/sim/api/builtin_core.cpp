// namespaces, nodes, config maps, secrets, service accounts, leases.
#include <fmt/format.h>

#include "k8s/sim/api/base64.hpp"
#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/table.hpp"
#include "k8s/sim/api/tokens.hpp"

namespace troupe::sim {
namespace {

ApiResult<void> prepare_namespace(WriteScope&, json::object& object, const json::object* old) {
  const std::string name(name_of(object));
  child(metadata_of(object), "labels")["kubernetes.io/metadata.name"] = name;
  if (old == nullptr) {
    set_at(object, "spec.finalizers", json::array{"kubernetes"});
    set_at(object, "status.phase", "Active");
  } else if (const auto* spec = old->if_contains("spec")) {
    object["spec"] = *spec;  // only the finalize subresource changes it
  }
  return {};
}

bool has_content_finalizer(const json::object& ns) {
  const auto* finalizers = array_at(ns, "spec.finalizers");
  return finalizers != nullptr && !finalizers->empty();
}

ResourceType namespaces() {
  ResourceType type{
      .group = "",
      .version = "v1",
      .kind = "Namespace",
      .plural = "namespaces",
      .singular = "namespace",
      .short_names = {"ns"},
      .namespaced = false,
      .has_status = true,
      .name_rule = NameRule::DnsLabel,
      .selectable_fields = {"status.phase"},
      .columns = {name_column(), path_column("Status", "status.phase"), age_column()}};
  type.verbs = {"create", "delete", "get", "list", "patch", "update", "watch"};
  type.strategy.prepare = prepare_namespace;
  type.strategy.holds_deletion = has_content_finalizer;
  type.strategy.begin_deletion = [](WriteScope&, json::object& object) {
    set_at(object, "status.phase", "Terminating");
  };
  return type;
}

std::string node_roles(const json::object& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::string roles;
  if (const auto* labels = object_at(node, "metadata.labels")) {
    for (const auto& [key, value] : *labels) {
      if (!key.starts_with(kPrefix)) continue;
      if (!roles.empty()) roles += ',';
      roles += key.substr(kPrefix.size());
    }
  }
  return roles.empty() ? "<none>" : roles;
}

std::string node_status(const json::object& node) {
  std::string status = "Unknown";
  if (const auto* conditions = array_at(node, "status.conditions")) {
    for (const auto& c : *conditions) {
      if (string_at(c, "type") != "Ready") continue;
      status = string_at(c, "status") == "True" ? "Ready" : "NotReady";
    }
  }
  if (true_at(node, "spec.unschedulable")) status += ",SchedulingDisabled";
  return status;
}

std::string node_address(const json::object& node, std::string_view kind) {
  if (const auto* addresses = array_at(node, "status.addresses")) {
    for (const auto& a : *addresses) {
      if (string_at(a, "type") == kind) return std::string(string_at(a, "address"));
    }
  }
  return "<none>";
}

ResourceType nodes() {
  const auto address = [](std::string name, std::string kind) {
    return Column{.name = std::move(name), .priority = 1, .cell = [kind](const auto& o, WallTime) {
                    return json::value(node_address(o, kind));
                  }};
  };
  ResourceType type{
      .group = "",
      .version = "v1",
      .kind = "Node",
      .plural = "nodes",
      .singular = "node",
      .short_names = {"no"},
      .namespaced = false,
      .has_status = true,
      .selectable_fields = {"spec.unschedulable"},
      .columns = {name_column(),
                  {.name = "Status",
                   .cell = [](const auto& o, WallTime) { return json::value(node_status(o)); }},
                  {.name = "Roles",
                   .cell = [](const auto& o, WallTime) { return json::value(node_roles(o)); }},
                  age_column(),
                  path_column("Version", "status.nodeInfo.kubeletVersion"),
                  address("Internal-IP", "InternalIP"),
                  address("External-IP", "ExternalIP"),
                  path_column("OS-Image", "status.nodeInfo.osImage", 1, "<unknown>"),
                  path_column("Kernel-Version", "status.nodeInfo.kernelVersion", 1, "<unknown>"),
                  path_column("Container-Runtime", "status.nodeInfo.containerRuntimeVersion", 1,
                              "<unknown>")}};
  return type;
}

std::size_t members(const json::object& object, std::initializer_list<const char*> names) {
  std::size_t count = 0;
  for (const auto* name : names) {
    if (const auto* map = object_at(object, name)) count += map->size();
  }
  return count;
}

Column data_column(std::initializer_list<const char*> names) {
  return {.name = "Data",
          .cell = [names = std::vector<const char*>(names)](const auto& o, WallTime) {
            std::size_t count = 0;
            for (const auto* name : names) count += members(o, {name});
            return json::value(std::to_string(count));
          }};
}

void validate_data_keys(const json::object& object, std::string_view map,
                        std::vector<FieldError>& errors) {
  const auto* data = object_at(object, map);
  if (data == nullptr) return;
  for (const auto& [key, value] : *data) {
    const bool valid = !key.empty() && key.size() <= 253 && key != "." && key != ".." &&
                       key.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789-_.") == std::string_view::npos;
    if (valid) continue;
    errors.push_back(invalid(
        fmt::format("{}[{}]", map, std::string_view(key)), json::serialize(json::string(key)),
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
        "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
        "'[-._a-zA-Z0-9]+')"));
  }
}

// `immutable: true` may not be taken back, and freezes the data.
void validate_immutable(const json::object& object, const json::object* old,
                        std::initializer_list<const char*> maps, std::vector<FieldError>& errors) {
  if (old == nullptr || !true_at(*old, "immutable")) return;
  constexpr std::string_view kFrozen = "field is immutable when `immutable` is set";
  if (!true_at(object, "immutable")) errors.push_back(forbidden("immutable", kFrozen));
  for (const auto* map : maps) {
    const auto* before = find(*old, map);
    const auto* after = find(object, map);
    const bool same = before == nullptr || after == nullptr ? before == after : *before == *after;
    if (!same) errors.push_back(forbidden(map, kFrozen));
  }
}

ResourceType config_maps() {
  ResourceType type{.group = "",
                    .version = "v1",
                    .kind = "ConfigMap",
                    .plural = "configmaps",
                    .singular = "configmap",
                    .short_names = {"cm"},
                    .columns = {name_column(), data_column({"data", "binaryData"}), age_column()}};
  type.strategy.validate = [](const WriteScope&, const json::object& object,
                              const json::object* old, std::vector<FieldError>& errors) {
    validate_data_keys(object, "data", errors);
    validate_data_keys(object, "binaryData", errors);
    validate_immutable(object, old, {"data", "binaryData"}, errors);
  };
  return type;
}

void read_secret(json::object& object) {
  const auto* plain = object_at(object, "stringData");
  if (plain != nullptr) {
    auto& data = child(object, "data");
    for (const auto& [key, value] : *plain) {
      if (value.is_string()) data[key] = base64_encode(value.get_string());
    }
  }
  object.erase("stringData");
}

ApiResult<void> prepare_secret(WriteScope&, json::object& object, const json::object*) {
  if (string_at(object, "type").empty()) object["type"] = "Opaque";
  read_secret(object);  // of an apply, which owns the fields as it names them
  return {};
}

void validate_secret(const WriteScope&, const json::object& object, const json::object* old,
                     std::vector<FieldError>& errors) {
  validate_data_keys(object, "data", errors);
  validate_immutable(object, old, {"data"}, errors);
  if (const auto* data = object_at(object, "data")) {
    for (const auto& [key, value] : *data) {
      const auto* text = value.if_string();
      if (text == nullptr || base64_decode(*text)) continue;
      errors.push_back(invalid(fmt::format("data[{}]", std::string_view(key)), "\"<redacted>\"",
                               "illegal base64 data"));
    }
  }
  const auto kind = string_at(object, "type");
  if (old != nullptr && string_at(*old, "type") != kind) {
    errors.push_back(invalid("type", json::serialize(json::string(kind)), "field is immutable"));
  }
  const auto must_hold = [&](std::string_view key) {
    const auto* data = object_at(object, "data");
    if (data == nullptr || !data->contains(key))
      errors.push_back(required(fmt::format("data[{}]", key)));
  };
  if (kind == "kubernetes.io/tls") {
    must_hold("tls.crt");
    must_hold("tls.key");
  } else if (kind == "kubernetes.io/dockerconfigjson") {
    must_hold(".dockerconfigjson");
  }
}

ResourceType secrets() {
  ResourceType type{
      .group = "",
      .version = "v1",
      .kind = "Secret",
      .plural = "secrets",
      .singular = "secret",
      .selectable_fields = {"type"},
      .columns = {name_column(), path_column("Type", "type"), data_column({"data"}), age_column()}};
  type.strategy.read = read_secret;
  type.strategy.prepare = prepare_secret;
  type.strategy.validate = validate_secret;
  return type;
}

ResourceType service_accounts() {
  return {.group = "",
          .version = "v1",
          .kind = "ServiceAccount",
          .plural = "serviceaccounts",
          .singular = "serviceaccount",
          .short_names = {"sa"},
          .columns = {name_column(),
                      {.name = "Secrets",
                       .cell =
                           [](const auto& o, WallTime) {
                             const auto* secrets = array_at(o, "secrets");
                             return json::value(secrets == nullptr ? 0 : secrets->size());
                           }},
                      age_column()},
          .subresources = {
              {"token", "authentication.k8s.io", "v1", "TokenRequest", {"create"}, request_token}}};
}

ResourceType leases() {
  return {.group = "coordination.k8s.io",
          .version = "v1",
          .kind = "Lease",
          .plural = "leases",
          .singular = "lease",
          .unconditional_update = false,
          .create_on_update = true,
          .columns = {name_column(), path_column("Holder", "spec.holderIdentity"), age_column()}};
}

}  // namespace

std::vector<ResourceType> core_types() {
  return {namespaces(), nodes(), config_maps(), secrets(), service_accounts(), leases()};
}

}  // namespace troupe::sim
