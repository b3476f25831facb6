#include "tests/oracle/surroundings.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <regex>
#include <sstream>

namespace troupe::oracle {
namespace {

using std::chrono::seconds;

constexpr seconds kDeadline(10);
constexpr const char* kBallast = "ballast";
// A container that was struck as well comes back first.
constexpr seconds kToComeBack(120);

Ran ip_in(const std::string& netns, const std::string& command) {
  std::istringstream words("ip -n " + netns + " " + command);
  return run({std::istream_iterator<std::string>(words), {}}, kDeadline);
}

// The name of the Pod's network namespace, which lives as long as the Pod; empty without one.
std::string netns_of(const MemberPod& pod) {
  if (!pod.container) return {};
  const auto names =
      run({"ip", "netns", "identify", std::to_string(*pod.container)}, kDeadline).out;
  return names.substr(0, names.find_first_of(" \n"));
}

// Neither a word to it nor an answer.
std::optional<TakeBack> cut(const std::string& netns, const std::string& address) {
  if (netns.empty() || address.empty()) return std::nullopt;
  const auto route = fmt::format("blackhole {}/32", address);
  if (ip_in(netns, "route add " + route).status != 0) return std::nullopt;
  return [netns, route] {
    return ip_in(netns, "route del " + route).status == 0 ||
           !std::filesystem::exists("/run/netns/" + netns);
  };
}

}  // namespace

std::optional<TakeBack> silence(const MemberPod& one, const MemberPod& other) {
  return cut(netns_of(one), other.host);
}

std::optional<TakeBack> part(const MemberPod& one, const MemberPod& other) {
  auto there = silence(one, other);
  if (!there) return std::nullopt;
  auto back = silence(other, one);
  if (!back) {
    (*there)();
    return std::nullopt;
  }
  return [there = std::move(*there), back = std::move(*back)] {
    const bool healed = there();
    return back() && healed;
  };
}

std::optional<TakeBack> lose_sight_of(const MemberPod& pod) {
  const auto netns = netns_of(pod);
  if (netns.empty()) return std::nullopt;
  const auto routes = ip_in(netns, "route show default").out;
  std::smatch gateway;
  if (!std::regex_search(routes, gateway, std::regex("via ([0-9.]+)"))) return std::nullopt;
  return cut(netns, gateway[1].str());
}

std::optional<TakeBack> fill_volume(const MysqlCluster& cluster, const std::string& member,
                                    std::uint64_t bytes_left) {
  // What others write meanwhile can leave less than is to be taken; then the rest is.
  auto fill = fmt::format(
      "cd /DATA_MOUNT; free=$(df --block-size=1 --output=avail . | tail -n 1); "
      "fallocate --length $((free > {0} ? free - {0} : 1)) {1}; ",
      bytes_left, kBallast);
  if (bytes_left == 0) fill += fmt::format("head --bytes=64M /dev/zero >>{}; ", kBallast);
  if (cluster.run_in_container(member, fill + "test -s " + kBallast).status != 0)
    return std::nullopt;
  return [&cluster, member] {
    return eventually(kToComeBack, [&] {
      return cluster.run_in_container(member, fmt::format("rm -f /DATA_MOUNT/{}", kBallast))
                 .status == 0;
    });
  };
}

}  // namespace troupe::oracle
