#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <stdexcept>

#include "benches/failover/peer.hpp"
#include "benches/failover/servers.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::bench {
namespace {

using mysql::testing::Client;
using mysql::testing::Mysqld;
using support::eventually;

constexpr const char* kGroup = "3f1d6a52-0d6e-4f3c-9a57-6f0e8c1b2d44";

class GroupReplication final : public Peer {
 public:
  explicit GroupReplication(const GroupOptions& options) {
    std::array<std::string, kServers> at;
    for (auto& address : at) address = fmt::format("127.0.0.1:{}", mysql::testing::free_port());
    for (std::size_t i = 0; i < kServers; ++i)
      servers_[i] = std::make_unique<Mysqld>(
          static_cast<std::uint32_t>(i + 1),
          durable_and({"--plugin-load-add=group_replication.so",
                       fmt::format("--group-replication-group-name={}", kGroup),
                       "--group-replication-local-address=" + at[i],
                       fmt::format("--group-replication-group-seeds={},{},{}", at[0], at[1], at[2]),
                       "--group-replication-start-on-boot=OFF",
                       "--group-replication-recovery-get-public-key=ON",
                       fmt::format("--group-replication-member-expel-timeout={}",
                                   options.member_expel_timeout)}));
    for (std::size_t i = 0; i < kServers; ++i) {
      Client client(servers_[i]->admin());
      client.run("RESET BINARY LOGS AND GTIDS");
      if (i == 0) client.run("SET GLOBAL group_replication_bootstrap_group = ON");
      join(client);
      if (i == 0) client.run("SET GLOBAL group_replication_bootstrap_group = OFF");
      await_members(i + 1);
    }
  }

  Mysqld& primary() override {
    const auto port =
        Client(servers_[0]->admin())
            .value(
                "SELECT MEMBER_PORT FROM performance_schema.replication_group_members WHERE "
                "MEMBER_ROLE = 'PRIMARY' AND MEMBER_STATE = 'ONLINE'");
    for (const auto& server : servers_)
      if (std::to_string(server->port()) == port) return *(primary_ = server.get());
    throw std::runtime_error("no member of the group is its primary");
  }

  oracle::Address route() override { return address_of(*servers_[tries_++ % kServers]); }

  void mend() override {
    primary_->kill();
    primary_->restart();
    Client client(primary_->admin());
    join(client);
    await_members(kServers);
  }

 private:
  static void join(Client& client) {
    client.run(fmt::format(
        "CHANGE REPLICATION SOURCE TO SOURCE_USER = '{}', SOURCE_PASSWORD = '{}' FOR CHANNEL "
        "'group_replication_recovery'",
        mysql::testing::kAdmin, mysql::testing::kAdminPassword));
    if (auto done = client.execute({mysql::testing::sql("START GROUP_REPLICATION")},
                                   std::chrono::seconds(60));
        !done)
      throw std::runtime_error("cannot join: " + mysql::to_error(done.error()).message);
  }

  // The first `count` of them, as each of those sees it.
  void await_members(std::size_t count) {
    const bool complete = eventually(std::chrono::seconds(120), [&] {
      for (std::size_t i = 0; i < count; ++i)
        if (Client(servers_[i]->admin())
                .value("SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE "
                       "MEMBER_STATE = 'ONLINE'") != std::to_string(count))
          return false;
      return true;
    });
    if (!complete) throw std::runtime_error(fmt::format("the group has not {} members", count));
  }

  Servers servers_;
  std::atomic<std::size_t> tries_ = 0;
  Mysqld* primary_ = nullptr;  // when it was last asked for
};

}  // namespace

std::unique_ptr<Peer> group_replication(GroupOptions options) {
  return std::make_unique<GroupReplication>(options);
}

}  // namespace troupe::bench
