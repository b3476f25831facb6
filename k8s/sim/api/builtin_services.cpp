// services, endpoints, endpoint slices.
#include <fmt/format.h>

#include <set>

#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/service_allocator.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

bool has_cluster_address(std::string_view kind) { return kind != "ExternalName"; }
bool has_node_ports(const json::object& spec) {
  const auto kind = string_at(spec, "type");
  const auto* wanted = spec.if_contains("allocateLoadBalancerNodePorts");
  if (kind == "LoadBalancer") return wanted == nullptr || *wanted != json::value(false);
  return kind == "NodePort";
}

ApiError provided_address_taken(const json::object& service, std::string_view address,
                                std::string_view why) {
  return invalid_object("", "Service", name_of(service),
                        {invalid("spec.clusterIPs", fmt::format("[\"{}\"]", address),
                                 fmt::format("failed to allocate IP {}: {}", address, why))});
}

// Keeps the address of the old object, takes the one asked for, or the next free one.
ApiResult<void> allocate_address(WriteScope& scope, json::object& service,
                                 const json::object* old) {
  auto& spec = child(service, "spec");
  if (!has_cluster_address(string_at(spec, "type"))) {
    for (const auto* name :
         {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"}) {
      spec.erase(name);
    }
    return {};
  }
  auto address = std::string(string_at(spec, "clusterIP"));
  const auto before =
      old == nullptr ? std::string() : std::string(string_at(*old, "spec.clusterIP"));
  if (address.empty()) address = before;
  if (address.empty()) {
    const auto next = scope.core.services->next_address();
    if (!next) return internal_error("failed to allocate a serviceIP: range is full");
    address = *next;
  } else if (address != "None" && address != before) {
    if (!scope.core.services->in_cluster_range(address)) {
      return provided_address_taken(service, address,
                                    "the provided network does not match the current range");
    }
    if (scope.core.services->address_taken(address)) {
      return provided_address_taken(service, address, "provided IP is already allocated");
    }
  }
  spec["clusterIP"] = address;
  spec["clusterIPs"] = json::array{address};
  if (!spec.contains("ipFamilies")) spec["ipFamilies"] = json::array{"IPv4"};
  if (!spec.contains("ipFamilyPolicy")) spec["ipFamilyPolicy"] = "SingleStack";
  if (!spec.contains("internalTrafficPolicy")) spec["internalTrafficPolicy"] = "Cluster";
  return {};
}

// The node port that the same port had before.
std::int64_t former_node_port(const json::object* old, const json::object& port) {
  const auto* ports = old == nullptr ? nullptr : array_at(*old, "spec.ports");
  if (ports == nullptr) return 0;
  for (const auto& before : *ports) {
    if (int_at(before, "port") == int_at(port, "port") &&
        string_at(before, "protocol") == string_at(port, "protocol")) {
      return int_at(before, "nodePort").value_or(0);
    }
  }
  return 0;
}

ApiResult<void> allocate_node_port(WriteScope& scope, const json::object& service,
                                   const json::object* old, json::object& port,
                                   const std::string& path) {
  auto& allocator = *scope.core.services;
  const auto before = former_node_port(old, port);
  auto number = int_at(port, "nodePort").value_or(0);
  if (number == 0) number = before;
  if (number == 0) {
    const auto next = allocator.next_node_port();
    if (!next) return internal_error("failed to allocate a nodePort: range is full");
    number = *next;
  } else if (number != before) {
    if (number < ServiceAllocator::kFirstNodePort || number > ServiceAllocator::kLastNodePort) {
      return invalid_object(
          "", "Service", name_of(service),
          {invalid(path, std::to_string(number),
                   "provided port is not in the valid range. The range of valid ports is "
                   "30000-32767")});
    }
    if (allocator.node_port_taken(number)) {
      return invalid_object(
          "", "Service", name_of(service),
          {invalid(path, std::to_string(number), "provided port is already allocated")});
    }
  }
  port["nodePort"] = number;
  return {};
}

ApiResult<void> allocate_node_ports(WriteScope& scope, json::object& service,
                                    const json::object* old) {
  auto& spec = child(service, "spec");
  auto* ports = spec.if_contains("ports");
  if (ports == nullptr || !ports->is_array()) return {};
  const bool wanted = has_node_ports(spec);
  const bool had = old != nullptr && object_at(*old, "spec") != nullptr &&
                   has_node_ports(*object_at(*old, "spec"));
  std::size_t i = 0;
  for (auto& entry : ports->get_array()) {
    const auto path = fmt::format("spec.ports[{}].nodePort", i++);
    auto* port = entry.if_object();
    if (port == nullptr) continue;
    if (!wanted) {
      if (had) port->erase("nodePort");
      continue;
    }
    if (auto ok = allocate_node_port(scope, service, old, *port, path); !ok) return ok.error();
  }
  return {};
}

ApiResult<void> prepare_service(WriteScope& scope, json::object& service, const json::object* old) {
  auto& spec = child(service, "spec");
  const auto kind = std::string(string_at(spec, "type"));
  if (auto* ports = spec.if_contains("ports"); ports != nullptr && ports->is_array()) {
    for (auto& port : ports->get_array()) {
      auto* object = port.if_object();
      if (object != nullptr && !object->contains("targetPort") && object->contains("port")) {
        const json::value number = object->at("port");
        (*object)["targetPort"] = number;
      }
    }
  }
  if (kind == "NodePort" || kind == "LoadBalancer") {
    if (!spec.contains("externalTrafficPolicy")) spec["externalTrafficPolicy"] = "Cluster";
  } else {
    spec.erase("externalTrafficPolicy");
  }
  if (kind == "LoadBalancer") {
    if (!spec.contains("allocateLoadBalancerNodePorts")) {
      spec["allocateLoadBalancerNodePorts"] = true;
    }
  } else {
    spec.erase("allocateLoadBalancerNodePorts");
  }
  if (string_at(spec, "sessionAffinity") == "ClientIP" && !spec.contains("sessionAffinityConfig")) {
    set_at(spec, "sessionAffinityConfig.clientIP.timeoutSeconds", 10'800);
  }
  if (auto ok = allocate_address(scope, service, old); !ok) return ok.error();
  if (auto ok = allocate_node_ports(scope, service, old); !ok) return ok.error();
  if (old == nullptr) service["status"] = json::object{{"loadBalancer", json::object()}};
  return {};
}

void validate_service_ports(const json::object& spec, std::vector<FieldError>& errors) {
  const auto* ports = array_at(spec, "ports");
  const bool headless = string_at(spec, "clusterIP") == "None";
  const bool named_elsewhere = string_at(spec, "type") == "ExternalName";
  if ((ports == nullptr || ports->empty()) && !headless && !named_elsewhere) {
    errors.push_back(required("spec.ports"));
  }
  if (ports == nullptr) return;
  std::set<std::string, std::less<>> names;
  std::set<std::pair<std::int64_t, std::string>> seen;
  for (std::size_t i = 0; i < ports->size(); ++i) {
    const auto at = fmt::format("spec.ports[{}]", i);
    const auto& port = (*ports)[i];
    const auto number = int_at(port, "port").value_or(0);
    if (number < 1 || number > 65535) {
      errors.push_back(
          invalid(at + ".port", std::to_string(number), "must be between 1 and 65535, inclusive"));
    }
    const auto name = string_at(port, "name");
    if (name.empty() && ports->size() > 1) errors.push_back(required(at + ".name"));
    if (!name.empty() && !names.emplace(name).second) {
      errors.push_back(duplicate(at + ".name", fmt::format("\"{}\"", name)));
    }
    if (!seen.emplace(number, std::string(string_at(port, "protocol"))).second) {
      errors.push_back(duplicate(at, json::serialize(port)));
    }
  }
}

void validate_service(const WriteScope& scope, const json::object& service, const json::object* old,
                      std::vector<FieldError>& errors) {
  if (scope.subresource == "status") return;
  const auto* spec = object_at(service, "spec");
  if (spec == nullptr) return;
  const auto kind = string_at(*spec, "type");
  const std::set<std::string_view> kinds = {"ClusterIP", "ExternalName", "LoadBalancer",
                                            "NodePort"};
  if (!kinds.contains(kind)) {
    errors.push_back(not_supported("spec.type", fmt::format("\"{}\"", kind),
                                   {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"}));
  }
  if (kind == "ExternalName" && string_at(*spec, "externalName").empty()) {
    errors.push_back(required("spec.externalName"));
  }
  if (string_at(*spec, "clusterIP") == "None" && (kind == "NodePort" || kind == "LoadBalancer")) {
    errors.push_back(invalid("spec.clusterIPs[0]", "\"None\"",
                             "may not be set to 'None' for LoadBalancer services"));
  }
  validate_service_ports(*spec, errors);
  if (old == nullptr) return;
  const auto before = string_at(*old, "spec.clusterIP");
  const auto after = string_at(*spec, "clusterIP");
  if (!before.empty() && !after.empty() && before != after) {
    errors.push_back(
        invalid("spec.clusterIPs[0]", fmt::format("[\"{}\"]", after), "may not change once set"));
  }
}

std::string ports_text(const json::object& service) {
  const auto* ports = array_at(service, "spec.ports");
  if (ports == nullptr || ports->empty()) return "<none>";
  std::string text;
  for (const auto& port : *ports) {
    if (!text.empty()) text += ',';
    text += std::to_string(int_at(port, "port").value_or(0));
    if (const auto node = int_at(port, "nodePort").value_or(0)) text += fmt::format(":{}", node);
    text += fmt::format("/{}", string_at(port, "protocol"));
  }
  return text;
}

std::string external_text(const json::object& service) {
  const auto kind = string_at(service, "spec.type");
  std::string text;
  const auto add = [&](std::string_view address) {
    if (address.empty()) return;
    if (!text.empty()) text += ',';
    text += address;
  };
  if (kind == "ExternalName") add(string_at(service, "spec.externalName"));
  if (const auto* ingress = array_at(service, "status.loadBalancer.ingress")) {
    for (const auto& entry : *ingress) {
      const auto ip = string_at(entry, "ip");
      add(ip.empty() ? string_at(entry, "hostname") : ip);
    }
  }
  if (const auto* own = array_at(service, "spec.externalIPs")) {
    for (const auto& ip : *own) add(ip.is_string() ? std::string_view(ip.get_string()) : "");
  }
  if (text.empty()) return kind == "LoadBalancer" ? "<pending>" : "<none>";
  return text;
}

std::string selector_text(const json::object& service) {
  const auto* selector = object_at(service, "spec.selector");
  if (selector == nullptr || selector->empty()) return "<none>";
  std::set<std::string> parts;
  for (const auto& [key, value] : *selector) {
    parts.insert(fmt::format("{}={}", std::string_view(key),
                             value.is_string() ? std::string_view(value.get_string()) : ""));
  }
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ",") + part;
  return text;
}

ResourceType services() {
  const auto cell = [](std::string name, int priority, std::string (*text)(const json::object&)) {
    return Column{.name = std::move(name),
                  .priority = priority,
                  .cell = [text](const auto& o, WallTime) { return json::value(text(o)); }};
  };
  ResourceType type{
      .group = "",
      .version = "v1",
      .kind = "Service",
      .plural = "services",
      .singular = "service",
      .short_names = {"svc"},
      .categories = {"all"},
      .has_status = true,
      .name_rule = NameRule::DnsLabel,
      .selectable_fields = {"spec.clusterIP", "spec.type"},
      .defaults = {{"spec.type", "ClusterIP"},
                   {"spec.sessionAffinity", "None"},
                   {"spec.ports[].protocol", "TCP"}},
      .columns = {name_column(), path_column("Type", "spec.type"),
                  path_column("Cluster-IP", "spec.clusterIP", 0, "<none>"),
                  cell("External-IP", 0, external_text), cell("Port(s)", 0, ports_text),
                  age_column(), cell("Selector", 1, selector_text)}};
  type.strategy.prepare = prepare_service;
  type.strategy.validate = validate_service;
  return type;
}

// At most three, then how many there are beside.
std::string listed(const std::vector<std::string>& all, std::string_view none) {
  constexpr std::size_t kShown = 3;
  if (all.empty()) return std::string(none);
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), kShown); ++i) {
    text += (i == 0 ? "" : ",") + all[i];
  }
  if (all.size() > kShown) text += fmt::format(" + {} more...", all.size() - kShown);
  return text;
}

std::string endpoints_text(const json::object& endpoints) {
  std::vector<std::string> all;
  const auto* subsets = array_at(endpoints, "subsets");
  if (subsets == nullptr) return "<none>";
  for (const auto& subset : *subsets) {
    const auto* addresses = array_at(subset, "addresses");
    const auto* ports = array_at(subset, "ports");
    if (addresses == nullptr) continue;
    for (const auto& address : *addresses) {
      const auto ip = string_at(address, "ip");
      if (ports == nullptr) all.emplace_back(ip);
      if (ports == nullptr) continue;
      for (const auto& port : *ports) {
        all.push_back(fmt::format("{}:{}", ip, int_at(port, "port").value_or(0)));
      }
    }
  }
  return listed(all, "<none>");
}

ResourceType endpoints() {
  return {
      .group = "",
      .version = "v1",
      .kind = "Endpoints",
      .plural = "endpoints",
      .singular = "endpoints",
      .short_names = {"ep"},
      .defaults = {{"subsets[].ports[].protocol", "TCP"}},
      .columns = {name_column(),
                  {.name = "Endpoints",
                   .cell = [](const auto& o, WallTime) { return json::value(endpoints_text(o)); }},
                  age_column()}};
}

std::string slice_ports(const json::object& slice) {
  std::vector<std::string> all;
  if (const auto* ports = array_at(slice, "ports")) {
    for (const auto& port : *ports) {
      all.push_back(std::to_string(int_at(port, "port").value_or(0)));
    }
  }
  return listed(all, "<unset>");
}

std::string slice_addresses(const json::object& slice) {
  std::vector<std::string> all;
  if (const auto* list = array_at(slice, "endpoints")) {
    for (const auto& endpoint : *list) {
      const auto* addresses = array_at(endpoint, "addresses");
      if (addresses == nullptr) continue;
      for (const auto& address : *addresses) {
        if (address.is_string()) all.emplace_back(address.get_string());
      }
    }
  }
  return listed(all, "<unset>");
}

ResourceType endpoint_slices() {
  return {
      .group = "discovery.k8s.io",
      .version = "v1",
      .kind = "EndpointSlice",
      .plural = "endpointslices",
      .singular = "endpointslice",
      .counts_generations = true,
      .defaults = {{"ports[].protocol", "TCP"}, {"ports[].name", ""}},
      .columns = {name_column(),
                  path_column("AddressType", "addressType"),
                  {.name = "Ports",
                   .cell = [](const auto& o, WallTime) { return json::value(slice_ports(o)); }},
                  {.name = "Endpoints",
                   .cell = [](const auto& o, WallTime) { return json::value(slice_addresses(o)); }},
                  age_column()}};
}

}  // namespace

std::vector<ResourceType> service_types() { return {services(), endpoints(), endpoint_slices()}; }

}  // namespace troupe::sim
