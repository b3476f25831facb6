// Cluster addresses and node ports of Services.
//
// Follows the store: an address is in use while a Service has it. Addresses come from 10.N.0.0/16,
// node ports from 30000-32767, as a cluster set up by kubeadm has them (with N = 96). Which of
// these comes first depends on N: clusters side by side on a machine listen on all of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "k8s/sim/api/store.hpp"

namespace troupe::sim {

class ServiceAllocator {
 public:
  static constexpr std::int64_t kFirstNodePort = 30'000;
  static constexpr std::int64_t kLastNodePort = 32'767;

  ServiceAllocator(Store& store, int network);

  // The next free one; nothing when all are taken.
  std::optional<std::string> next_address();
  std::optional<std::int64_t> next_node_port();
  bool address_taken(std::string_view address) const { return addresses_.contains(address); }
  bool node_port_taken(std::int64_t port) const { return node_ports_.contains(port); }
  bool in_cluster_range(std::string_view address) const { return address.starts_with(prefix_); }
  // The first address, that of the Service "kubernetes".
  std::string api_server_address() const { return prefix_ + "0.1"; }

 private:
  void count(const json::object& service, int by);

  std::string prefix_;  // "10.96."
  std::map<std::string, int, std::less<>> addresses_;
  std::map<std::int64_t, int> node_ports_;
  std::uint32_t next_host_ = 10;  // the first ones are kept for well-known Services
  std::int64_t next_port_;
};

}  // namespace troupe::sim
