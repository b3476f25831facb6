#include "k8s/sim/api/service_allocator.hpp"

#include <fmt/format.h>

namespace troupe::sim {
namespace {

constexpr std::uint32_t kHosts = 65'534;  // of a /16
constexpr int kNodePortsOfANetwork = 10;

}  // namespace

ServiceAllocator::ServiceAllocator(Store& store, int network)
    : prefix_(fmt::format("10.{}.", network)),
      next_port_(kFirstNodePort + network * kNodePortsOfANetwork) {
  store.subscribe([this](const Collection& collection, const Change& change) {
    if (collection.name() != "services") return;
    if (change.previous != nullptr) count(change.previous->object(), -1);
    if (change.type != ChangeType::Deleted) count(change.object->object(), 1);
  });
}

void ServiceAllocator::count(const json::object& service, int by) {
  const auto adjust = [by](auto& used, const auto& key) {
    if ((used[key] += by) <= 0) used.erase(key);
  };
  const auto address = string_at(service, "spec.clusterIP");
  if (!address.empty() && address != "None") adjust(addresses_, std::string(address));
  if (const auto port = int_at(service, "spec.healthCheckNodePort")) adjust(node_ports_, *port);
  const auto* ports = array_at(service, "spec.ports");
  if (ports == nullptr) return;
  for (const auto& port : *ports) {
    if (const auto number = int_at(port, "nodePort"); number && *number != 0) {
      adjust(node_ports_, *number);
    }
  }
}

std::optional<std::string> ServiceAllocator::next_address() {
  for (std::uint32_t tried = 0; tried < kHosts; ++tried) {
    const auto host = next_host_;
    next_host_ = next_host_ % kHosts + 1;
    auto address = fmt::format("{}{}.{}", prefix_, host >> 8, host & 255);
    if (!address_taken(address)) return address;
  }
  return std::nullopt;
}

std::optional<std::int64_t> ServiceAllocator::next_node_port() {
  for (auto tried = kFirstNodePort; tried <= kLastNodePort; ++tried) {
    const auto port = next_port_;
    next_port_ = port == kLastNodePort ? kFirstNodePort : port + 1;
    if (!node_port_taken(port)) return port;
  }
  return std::nullopt;
}

}  // namespace troupe::sim
