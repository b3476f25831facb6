#include "k8s/sim/kubelet/pod_network.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace troupe::sim {
namespace {

constexpr std::chrono::seconds kDeadline{10};

Result<void> run_ip(std::vector<std::string> options, std::string commands) {
  std::vector<std::string> argv{"ip"};
  argv.insert(argv.end(), options.begin(), options.end());
  argv.insert(argv.end(), {"-batch", "-"});
  auto done = run_program({std::move(argv), std::move(commands), kDeadline});
  if (!done) return done.error();
  return {};
}

// The hardware address follows from the pod's, so that a neighbour table entry of an address that
// was used before is never wrong.
std::string hardware_address(Ipv4 address) {
  const auto v = address.value;
  return fmt::format("0a:58:{:02x}:{:02x}:{:02x}:{:02x}", v >> 24, v >> 16 & 255, v >> 8 & 255,
                     v & 255);
}

}  // namespace

PodLink name_pod_link(const std::string& tag, std::uint64_t serial, Ipv4 address) {
  // An interface's name has at most 15 characters: 7 of the tag, "v", 7 digits.
  return {fmt::format("{}-{:x}", tag, serial & 0xfffffff),
          fmt::format("{}v{:x}", tag, serial & 0xfffffff), address};
}

Result<void> create_cluster_network(const std::string& tag, const AddressPlan& plan, int nodes) {
  std::string commands = fmt::format("link add {0} type bridge\nlink set {0} up\n", tag);
  for (int i = 0; i < nodes; ++i) {
    commands +=
        fmt::format("addr add {}/{} dev {}\n", to_string(plan.node(static_cast<std::uint32_t>(i))),
                    plan.pods().prefix, tag);
  }
  commands += fmt::format("route replace local {} dev lo\nroute replace local {} dev lo\n",
                          to_string(plan.services()), to_string(plan.load_balancers()));
  return run_ip({}, std::move(commands));
}

void remove_cluster_network(const std::string& tag, const AddressPlan& plan) {
  // What does not exist cannot be removed; -force goes on to the next line.
  (void)run_ip({"-force"},
               fmt::format("link delete {}\nroute delete local {} dev lo\n"
                           "route delete local {} dev lo\n",
                           tag, to_string(plan.services()), to_string(plan.load_balancers())));
}

Result<void> create_pod_link(const std::string& tag, const AddressPlan& plan, const PodLink& link) {
  auto made =
      run_ip({}, fmt::format("netns add {0}\n"
                             "link add {1} type veth peer name eth0 address {2} netns {0}\n"
                             "link set {1} master {3} up\n",
                             link.netns, link.interface, hardware_address(link.address), tag));
  if (!made) return made;
  return run_ip(
      {"-n", link.netns},
      fmt::format("link set lo up\naddr add {}/{} dev eth0\nlink set eth0 up\n"
                  "route add default via {}\n",
                  to_string(link.address), plan.pods().prefix, to_string(plan.gateway())));
}

void remove_pod_link(const std::string& netns) {
  if (!std::filesystem::exists("/run/netns/" + netns)) return;
  (void)run_ip({"-force"}, fmt::format("netns delete {}\n", netns));
}

}  // namespace troupe::sim
