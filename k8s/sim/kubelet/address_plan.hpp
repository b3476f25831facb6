// Which addresses a simulated cluster uses. Several clusters share one machine and its routing
// table, so each has an index of its own and everything follows from it:
//
//   pods            10.244.4i.0/22   the first 64 addresses are the bridge and the nodes
//   Services        10.(96+i).0.0/16 the first is the API server's
//   load balancers  10.128.i.0/24
//
// Pure but for reserve_network(), which finds a free index and holds it while the process lives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "k8s/sim/kubelet/process.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

// Host byte order.
struct Ipv4 {
  std::uint32_t value = 0;
  friend auto operator<=>(const Ipv4&, const Ipv4&) = default;
};
std::string to_string(Ipv4 address);

struct Subnet {
  Ipv4 base;
  int prefix = 32;
  std::uint32_t size() const { return 1U << (32 - prefix); }
  bool contains(Ipv4 address) const { return address.value - base.value < size(); }
  Ipv4 at(std::uint32_t offset) const { return {base.value + offset}; }
};
std::string to_string(Subnet subnet);

struct AddressPlan {
  int index = 0;

  static constexpr int kClusters = 32;
  static constexpr std::uint32_t kNodeAddresses = 64;

  int service_network() const { return 96 + index; }  // 10.N.0.0/16
  Subnet pods() const;
  Subnet services() const;
  Subnet load_balancers() const;
  Ipv4 gateway() const { return pods().at(1); }  // of the pods; also where names are resolved
  Ipv4 node(std::uint32_t i) const { return pods().at(1 + i); }
  Ipv4 api_server() const { return services().at(1); }
};

// Hands out a subnet's addresses round robin, so that one is not reused soon.
class AddressPool {
 public:
  AddressPool(Subnet subnet, std::uint32_t first) : subnet_(subnet), first_(first), next_(first) {}
  std::optional<Ipv4> take();
  void give_back(Ipv4 address) { used_[address.value - subnet_.base.value] = false; }

 private:
  Subnet subnet_;
  std::uint32_t first_, next_;
  std::vector<bool> used_ = std::vector<bool>(subnet_.size());
};

// Names on the machine are derived from the state directory, so that remains of a cluster that was
// killed can be told from those of others: "t" and six hex digits.
std::string cluster_tag(const std::filesystem::path& state_dir);

struct NetworkReservation {
  AddressPlan plan;
  Fd lock;
};
// Prefers the index this state directory had before.
Result<NetworkReservation> reserve_network(const std::filesystem::path& state_dir);

}  // namespace troupe::sim
