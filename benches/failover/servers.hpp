// Three servers with what Troupe pins on its own: nothing that is acknowledged is left to the
// operating system's cache.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "tests/db/mysqld.hpp"
#include "tests/oracle/writers.hpp"

namespace troupe::bench {

constexpr std::size_t kServers = 3;
using Servers = std::array<std::unique_ptr<mysql::testing::Mysqld>, kServers>;

inline std::vector<std::string> durable_and(std::vector<std::string> flags) {
  flags.insert(flags.begin(), {"--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1",
                               "--relay-log-recovery=OFF", "--replica-preserve-commit-order=ON"});
  return flags;
}

inline oracle::Address address_of(const mysql::testing::Mysqld& server) {
  return {.host = "127.0.0.1",
          .port = server.port(),
          .user = mysql::testing::kAdmin,
          .password = mysql::testing::kAdminPassword};
}

}  // namespace troupe::bench
