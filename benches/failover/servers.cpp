#include "benches/failover/servers.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/oracle/strike.hpp"
#include "tests/support/program.hpp"

namespace troupe::bench {
namespace {

// What a run that was killed has left is found by this name.
const std::filesystem::path kState = "/tmp/troupe-failover-peers";

constexpr std::chrono::seconds kDeadline(10);

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

sim::NetworkReservation reserve() {
  std::filesystem::create_directories(kState);
  return value_of(sim::reserve_network(kState));
}

std::vector<std::string> durable_and(std::vector<std::string> flags) {
  flags.insert(flags.begin(),
               {"--skip-name-resolve", "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1",
                "--relay-log-recovery=OFF", "--replica-preserve-commit-order=ON"});
  return flags;
}

}  // namespace

Network::Network() : reservation_(reserve()), tag_(sim::cluster_tag(kState)) {
  const auto& plan = reservation_.plan;
  for (std::size_t i = 0; i < kServers; ++i)
    links_[i] = sim::name_pod_link(
        tag_, i, plan.pods().at(sim::AddressPlan::kNodeAddresses + static_cast<std::uint32_t>(i)));
  remove();
  value_of(sim::create_cluster_network(tag_, plan, 1));
  for (const auto& link : links_) value_of(sim::create_pod_link(tag_, plan, link));
}

Network::~Network() { remove(); }

void Network::remove() {
  for (const auto& link : links_) {
    // It would go with its namespace, but some time later.
    support::run({"ip", "link", "delete", "dev", link.interface}, kDeadline);
    sim::remove_pod_link(link.netns);
  }
  sim::remove_cluster_network(tag_, reservation_.plan);
}

mysql::testing::Place Network::place(std::size_t i) const {
  return {.address = to_string(links_[i].address), .netns = links_[i].netns_path()};
}

void Network::set_link(std::size_t i, bool up) {
  const auto done = support::run(
      {"ip", "link", "set", "dev", links_[i].interface, up ? "up" : "down"}, kDeadline);
  if (done.status != 0) throw std::runtime_error("ip: " + done.err);
}

bool Network::is_up(std::size_t i) const {
  std::string flags;
  std::ifstream link(fmt::format("/sys/class/net/{}/flags", links_[i].interface));
  return std::getline(link, flags) && (std::stoul(flags, nullptr, 16) & IFF_UP) != 0;
}

Servers::Servers(const Flags& flags) {
  for (std::size_t i = 0; i < kServers; ++i) {
    auto place = network_.place(i);
    auto all = durable_and(flags(place.address));
    servers_[i] = std::make_unique<mysql::testing::Mysqld>(static_cast<std::uint32_t>(i + 1),
                                                           std::move(all), std::move(place));
  }
}

void Servers::take_away(std::size_t i, Loss how) {
  switch (how) {
    case Loss::Killed:
      return servers_[i]->signal(SIGKILL);
    case Loss::Paused:
      return servers_[i]->signal(SIGSTOP);
    case Loss::CutOff:
      return network_.set_link(i, false);
  }
}

bool Servers::is_away(std::size_t i) const {
  const auto pid = servers_[i]->pid();
  return oracle::is_dying(pid) || support::is_stopped(pid) || !network_.is_up(i);
}

void Servers::bring_back(std::size_t i) {
  servers_[i]->kill();
  network_.set_link(i, true);
  servers_[i]->restart();
}

}  // namespace troupe::bench
