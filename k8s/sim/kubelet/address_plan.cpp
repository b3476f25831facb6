#include "k8s/sim/kubelet/address_plan.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

namespace troupe::sim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLockDirectory = "/run/troupe-sim";

Ipv4 ipv4(int a, int b, int c, int d) {
  return {static_cast<std::uint32_t>(a) << 24 | static_cast<std::uint32_t>(b) << 16 |
          static_cast<std::uint32_t>(c) << 8 | static_cast<std::uint32_t>(d)};
}

// Addresses of the machine's interfaces; those of our own bridge, left by a killed process, do not
// count.
std::vector<Ipv4> foreign_addresses(const std::string& own_bridge) {
  std::vector<Ipv4> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
    if (own_bridge == at->ifa_name) continue;
    const auto* address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
    found.push_back({ntohl(address->sin_addr.s_addr)});
  }
  return found;
}

bool is_free(const AddressPlan& plan, const std::vector<Ipv4>& taken) {
  for (const Ipv4 address : taken) {
    if (plan.pods().contains(address) || plan.services().contains(address)) return false;
  }
  return true;
}

}  // namespace

std::string to_string(Ipv4 address) {
  const auto v = address.value;
  return fmt::format("{}.{}.{}.{}", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
}

std::string to_string(Subnet subnet) {
  return fmt::format("{}/{}", to_string(subnet.base), subnet.prefix);
}

Subnet AddressPlan::pods() const { return {ipv4(10, 244, 4 * index, 0), 22}; }
Subnet AddressPlan::services() const { return {ipv4(10, service_network(), 0, 0), 16}; }
Subnet AddressPlan::load_balancers() const { return {ipv4(10, 128, index, 0), 24}; }

std::optional<Ipv4> AddressPool::take() {
  const std::uint32_t last = subnet_.size() - 2;  // the very last is the broadcast address
  for (std::uint32_t tried = first_; tried <= last; ++tried) {
    const std::uint32_t offset = next_;
    next_ = next_ == last ? first_ : next_ + 1;
    if (used_[offset]) continue;
    used_[offset] = true;
    return subnet_.at(offset);
  }
  return std::nullopt;
}

std::string cluster_tag(const fs::path& state_dir) {
  // FNV-1a: the same in every build, unlike std::hash.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : fs::absolute(state_dir).lexically_normal().string()) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return fmt::format("t{:06x}", (hash ^ hash >> 24) & 0xffffff);
}

Result<NetworkReservation> reserve_network(const fs::path& state_dir) {
  std::error_code failed;
  for (const fs::path& directory : {fs::path(kLockDirectory), state_dir}) {
    fs::create_directories(directory, failed);
    if (!failed) continue;
    return error(Code::Fatal,
                 fmt::format("cannot make {}: {}", directory.string(), failed.message()));
  }
  const fs::path memory = state_dir / "network";
  int preferred = 0;
  std::ifstream(memory) >> preferred;
  const auto taken = foreign_addresses(cluster_tag(state_dir));
  for (int tried = 0; tried < AddressPlan::kClusters; ++tried) {
    const AddressPlan plan{(preferred + tried) % AddressPlan::kClusters};
    const std::string path = fmt::format("{}/network-{}", kLockDirectory, plan.index);
    Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!lock) {
      return error(Code::Fatal, fmt::format("cannot open {}: {}", path, std::strerror(errno)));
    }
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0 || !is_free(plan, taken)) continue;
    std::ofstream(memory) << plan.index << '\n';
    return NetworkReservation{plan, std::move(lock)};
  }
  return error(Code::Fatal,
               fmt::format("all {} address ranges for simulated clusters are in use on this "
                           "machine; stop one, or remove the interfaces it left",
                           AddressPlan::kClusters));
}

}  // namespace troupe::sim
