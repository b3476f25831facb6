// Three servers with what Troupe pins on its own: nothing that is acknowledged is left to the
// operating system's cache. Each has a network namespace on a bridge of theirs, as the demo's Pods
// have, and can be taken away as those are. Needs root; one set of them at a time on a machine.
//
// Used from one thread, and taken_away() from any. What goes wrong throws std::runtime_error.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "k8s/sim/kubelet/pod_network.hpp"
#include "tests/db/mysqld.hpp"
#include "tests/oracle/writers.hpp"

namespace troupe::bench {

constexpr std::size_t kServers = 3;

// Ways to lose a primary.
enum class Loss {
  Killed,  // SIGKILL
  Paused,  // SIGSTOP
  CutOff,  // its link goes down
};

// A bridge and a network namespace for each server.
class Network {
 public:
  Network();
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  mysql::testing::Place place(std::size_t i) const;
  void set_link(std::size_t i, bool up);
  bool is_up(std::size_t i) const;

 private:
  void remove();

  sim::NetworkReservation reservation_;
  std::string tag_;
  std::array<sim::PodLink, kServers> links_;
};

class Servers {
 public:
  // What is special about the one at `address`.
  using Flags = std::function<std::vector<std::string>(const std::string& address)>;
  explicit Servers(const Flags& flags);

  mysql::testing::Mysqld& operator[](std::size_t i) { return *servers_[i]; }

  void take_away(std::size_t i, Loss how);
  // By a look at its process and its link: what no operator can know sooner.
  bool is_away(std::size_t i) const;
  // With its data, by a start of its process.
  void bring_back(std::size_t i);

 private:
  Network network_;
  std::array<std::unique_ptr<mysql::testing::Mysqld>, kServers> servers_;
};

inline oracle::Address address_of(const mysql::testing::Mysqld& server) {
  return {.host = server.address(),
          .port = server.port(),
          .user = mysql::testing::kAdmin,
          .password = mysql::testing::kAdminPassword};
}

}  // namespace troupe::bench
