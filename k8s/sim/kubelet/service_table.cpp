#include "k8s/sim/kubelet/service_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

bool is_ready(const json::value& endpoint) { return flag(endpoint, {"conditions", "ready"}, true); }

std::vector<Backend> backends_of(const std::vector<const json::value*>& slices,
                                 std::string_view port_name) {
  std::vector<Backend> backends;
  for (const json::value* slice : slices) {
    for (const json::value& port : items(*slice, {"ports"})) {
      if (text(port, {"name"}) != port_name) continue;
      for (const json::value& endpoint : items(*slice, {"endpoints"})) {
        if (!is_ready(endpoint)) continue;
        for (const json::value& address : items(endpoint, {"addresses"})) {
          backends.push_back(
              {scalar_text(address), static_cast<std::uint16_t>(number(port, {"port"}))});
        }
      }
    }
  }
  std::sort(backends.begin(), backends.end());
  backends.erase(std::unique(backends.begin(), backends.end()), backends.end());
  return backends;
}

std::vector<std::string> service_addresses(const json::value& service) {
  std::vector<std::string> addresses;
  const std::string_view own = text(service, {"spec", "clusterIP"});
  if (!own.empty() && own != "None") addresses.emplace_back(own);
  for (const json::value& external : items(service, {"spec", "externalIPs"})) {
    addresses.push_back(scalar_text(external));
  }
  for (const json::value& ingress : items(service, {"status", "loadBalancer", "ingress"})) {
    const std::string_view ip = text(ingress, {"ip"});
    if (!ip.empty()) addresses.emplace_back(ip);
  }
  return addresses;
}

bool is_headless(const json::value& service) {
  return text(service, {"spec", "clusterIP"}) == "None";
}

std::string lower(std::string_view name) {
  std::string result(name);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string dashed(std::string address) {
  std::replace(address.begin(), address.end(), '.', '-');
  return address;
}

}  // namespace

void add_forwards(ForwardTable& table, const json::value& service,
                  const std::vector<const json::value*>& slices,
                  const std::vector<std::string>& node_addresses) {
  const bool sticky = text(service, {"spec", "sessionAffinity"}) == "ClientIP";
  for (const json::value& port : items(service, {"spec", "ports"})) {
    if (text(port, {"protocol"}, "TCP") != "TCP") continue;
    const ForwardTarget target{fmt::format("{}/{}", namespace_of(service), name_of(service)),
                               backends_of(slices, text(port, {"name"})), sticky};
    const auto number_of = [&port](std::string_view member) {
      return static_cast<std::uint16_t>(number(port, {member}));
    };
    for (std::string& address : service_addresses(service)) {
      table[{std::move(address), number_of("port")}] = target;
    }
    if (number_of("nodePort") == 0) continue;
    for (const std::string& address : node_addresses) {
      table[{address, number_of("nodePort")}] = target;
    }
  }
}

void NameTable::add_service(const json::value& service,
                            const std::vector<const json::value*>& slices) {
  const std::string domain =
      lower(fmt::format("{}.{}.svc.{}", name_of(service), namespace_of(service), kClusterDomain));
  known_[domain] = true;
  if (text(service, {"spec", "type"}) == "ExternalName") {
    aliases_[domain] = text(service, {"spec", "externalName"});
    return;
  }
  if (is_headless(service)) {
    for (const json::value* slice : slices) add_endpoints(domain, service, *slice);
    return;
  }
  addresses_.emplace(domain, text(service, {"spec", "clusterIP"}));
  for (const json::value& port : items(service, {"spec", "ports"})) {
    const std::string name = lower(
        fmt::format("_{}._{}.{}", text(port, {"name"}), text(port, {"protocol"}, "TCP"), domain));
    services_.emplace(name, Target{domain, static_cast<std::uint16_t>(number(port, {"port"}))});
    known_[name] = true;
  }
}

void NameTable::add_endpoints(const std::string& domain, const json::value& service,
                              const json::value& slice) {
  const bool publish_all = flag(service, {"spec", "publishNotReadyAddresses"});
  for (const json::value& endpoint : items(slice, {"endpoints"})) {
    if (!is_ready(endpoint) && !publish_all) continue;
    for (const json::value& value : items(endpoint, {"addresses"})) {
      const std::string address = scalar_text(value);
      const std::string_view hostname = text(endpoint, {"hostname"});
      const std::string host =
          lower(fmt::format("{}.{}", hostname.empty() ? dashed(address) : hostname, domain));
      addresses_.emplace(domain, address);
      addresses_.emplace(host, address);
      known_[host] = true;
      if (!hostname.empty()) names_[address] = host;
      for (const json::value& port : items(slice, {"ports"})) {
        const std::string name = lower(fmt::format("_{}._{}.{}", text(port, {"name"}),
                                                   text(port, {"protocol"}, "TCP"), domain));
        services_.emplace(name, Target{host, static_cast<std::uint16_t>(number(port, {"port"}))});
        known_[name] = true;
      }
    }
  }
}

bool NameTable::knows(std::string_view name) const { return known_.find(name) != known_.end(); }

std::vector<std::string> NameTable::addresses(std::string_view name) const {
  std::vector<std::string> found;
  const auto [begin, end] = addresses_.equal_range(name);
  for (auto at = begin; at != end; ++at) {
    if (std::find(found.begin(), found.end(), at->second) == found.end()) {
      found.push_back(at->second);
    }
  }
  return found;
}

std::vector<NameTable::Target> NameTable::services(std::string_view name) const {
  std::vector<Target> found;
  const auto [begin, end] = services_.equal_range(name);
  for (auto at = begin; at != end; ++at) found.push_back(at->second);
  return found;
}

std::string NameTable::alias(std::string_view name) const {
  const auto found = aliases_.find(name);
  return found == aliases_.end() ? "" : found->second;
}

std::string NameTable::name_of_address(std::string_view address) const {
  const auto found = names_.find(address);
  return found == names_.end() ? "" : found->second;
}

}  // namespace troupe::sim
