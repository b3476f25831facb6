#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

#include "benches/failover/peer.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::bench {
namespace {

using mysql::testing::Client;
using mysql::testing::Mysqld;
using support::eventually;

constexpr const char* kGroup = "3f1d6a52-0d6e-4f3c-9a57-6f0e8c1b2d44";
constexpr int kGroupPort = 33061;

class GroupReplication final : public Peer {
 public:
  explicit GroupReplication(const GroupOptions& options)
      : servers_([&options](const std::string& address) { return flags_of(options, address); }) {
    for (std::size_t i = 0; i < kServers; ++i) {
      Client client(servers_[i].admin());
      client.run("RESET BINARY LOGS AND GTIDS");
      if (i == 0) client.run("SET GLOBAL group_replication_bootstrap_group = ON");
      join(client);
      if (i == 0) client.run("SET GLOBAL group_replication_bootstrap_group = OFF");
      await_members(i + 1);
    }
  }

  Mysqld& primary() override {
    const auto address =
        Client(servers_[0].admin())
            .value(
                "SELECT MEMBER_HOST FROM performance_schema.replication_group_members WHERE "
                "MEMBER_ROLE = 'PRIMARY' AND MEMBER_STATE = 'ONLINE'");
    for (primary_ = 0; primary_ < kServers; ++primary_)
      if (servers_[primary_].address() == address) return servers_[primary_];
    throw std::runtime_error("no member of the group is its primary");
  }

  void lose_primary(Loss how) override { servers_.take_away(primary_, how); }
  oracle::Address route() override { return address_of(servers_[tries_++ % kServers]); }

  void mend() override {
    servers_.bring_back(primary_);
    Client client(servers_[primary_].admin());
    join(client);
    await_members(kServers);
  }

 private:
  static std::vector<std::string> flags_of(const GroupOptions& options,
                                           const std::string& address) {
    return {
        "--plugin-load-add=group_replication.so",
        fmt::format("--group-replication-group-name={}", kGroup),
        fmt::format("--group-replication-local-address={}:{}", address, kGroupPort),
        "--group-replication-start-on-boot=OFF",
        "--group-replication-recovery-get-public-key=ON",
        fmt::format("--group-replication-member-expel-timeout={}", options.member_expel_timeout)};
  }

  void join(Client& client) {
    std::string seeds;
    for (std::size_t i = 0; i < kServers; ++i)
      seeds += fmt::format("{}{}:{}", i == 0 ? "" : ",", servers_[i].address(), kGroupPort);
    client.run(fmt::format("SET GLOBAL group_replication_group_seeds = '{}'", seeds));
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
        if (Client(servers_[i].admin())
                .value("SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE "
                       "MEMBER_STATE = 'ONLINE'") != std::to_string(count))
          return false;
      return true;
    });
    if (!complete) throw std::runtime_error(fmt::format("the group has not {} members", count));
  }

  Servers servers_;
  std::atomic<std::size_t> tries_ = 0;
  std::size_t primary_ = 0;  // when it was last asked for
};

}  // namespace

std::unique_ptr<Peer> group_replication(GroupOptions options) {
  return std::make_unique<GroupReplication>(options);
}

}  // namespace troupe::bench
