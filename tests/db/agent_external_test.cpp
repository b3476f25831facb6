// Members whose data come from a real server that is no member: cloned from it, following it, and
// at last on their own.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engines/mysql/model/gtid_set.hpp"
#include "tests/db/agent_unit.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::agent::testing {
namespace {

using namespace std::chrono_literals;
using mysql::GtidSet;
using mysql::testing::Client;
using mysql::testing::Mysqld;
using support::eventually;
using ::testing::HasSubstr;
using ::testing::Not;

GtidSet set(const std::string& text) { return *GtidSet::parse(text); }

// One donor and two members.
class AgentExternal : public ::testing::Test {
 protected:
  static constexpr const char* kOutsideUser = "outside";

  AgentExternal() {
    Client client(donor_.admin());
    client.run(fmt::format("CREATE USER {}@'%' IDENTIFIED BY '{}'", kOutsideUser, kPassword));
    client.run(fmt::format("GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO {}@'%'", kOutsideUser));
    client.run("CREATE DATABASE shop");
    client.run("CREATE TABLE shop.t (i INT PRIMARY KEY)");
    write_to_donor(1);
    for (auto* unit : {&a_, &b_}) unit->bring_up();
  }

  ReplicationSource outside() const {
    return {.host = "127.0.0.1",
            .port = donor_.port(),
            .user = kOutsideUser,
            .password = Secret(kPassword),
            .tls = true};
  }
  void write_to_donor(int i) {
    Client(donor_.admin()).run(fmt::format("INSERT INTO shop.t VALUES ({})", i));
  }
  Clone from_donor() const {
    return {.donor_host = "127.0.0.1",
            .donor_port = donor_.port(),
            .donor_user = kOutsideUser,
            .donor_password = Secret(kPassword)};
  }
  // The donor's accounts have replaced those of the member.
  static void give_accounts(Unit& unit) {
    const auto account = [](const char* user, GrantSet grants) {
      return Account{.user = user, .password = Secret(kPassword), .grants = {grants}};
    };
    unit.must<AccountsEnsured>({}, EnsureAccounts{{account(kReplicationUser, GrantSet::Replication),
                                                   account(kDonorUser, GrantSet::CloneDonor),
                                                   account(kAppUser, GrantSet::Provision)}});
  }
  static bool comes_to_have(const Unit& unit, int i, std::chrono::milliseconds limit = 30s) {
    return eventually(limit, [&] {
      return Client(unit.login())
                 .value(fmt::format("SELECT COUNT(*) FROM shop.t WHERE i = {}", i)) == "1";
    });
  }
  static std::string flags(const Unit& unit) {
    return Client(unit.login())
        .value(
            "SELECT CONCAT_WS(',', @@super_read_only, @@rpl_semi_sync_source_enabled, "
            "@@rpl_semi_sync_replica_enabled)");
  }

  Mysqld donor_{77, {"--plugin-load-add=mysql_clone.so"}};
  Unit a_{"db-0"};
  Unit b_{"db-1"};
};

TEST_F(AgentExternal, IsAskedWhatItHasByTheMemberThatWouldFollowIt) {
  const auto found = a_.must<SourceInspected>({}, InspectSource{outside()});
  Client donor(donor_.admin());
  EXPECT_EQ(found.server_uuid, donor.value("SELECT @@server_uuid"));
  EXPECT_EQ(set(found.executed), set(donor.value("SELECT @@gtid_executed")));
  EXPECT_TRUE(found.by_gtids);
  EXPECT_EQ(found.version, donor.value("SELECT VERSION()"));

  auto wrong = outside();
  wrong.password = Secret("Wrong-Passw0rd!");
  const auto refused = a_.order({}, InspectSource{wrong});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("Access denied"));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("Wrong-Passw0rd!")));

  auto verified = outside();
  verified.ca_pem = b_.authority().certificate;
  EXPECT_FALSE(a_.order({}, InspectSource{verified})) << "that authority does not vouch for it";

  donor_.kill();
  EXPECT_FALSE(a_.order({}, InspectSource{outside()}));
}

TEST_F(AgentExternal, A31ClonesItFollowsItReadOnlyAndPassesItsWritesOn) {
  EXPECT_THAT(a_.must<Cloned>({1}, from_donor()).executed, Not(::testing::IsEmpty()));
  give_accounts(a_);
  a_.must<Following>({1}, Follow{.source = outside(), .semi_sync = false});
  b_.must<Cloned>({1}, Clone{.donor_host = "127.0.0.1",
                             .donor_port = a_.port(),
                             .donor_user = kDonorUser,
                             .donor_password = Secret(kPassword)});
  b_.must<Following>({1}, Follow{.source = a_.as_source(), .semi_sync = false});
  write_to_donor(2);
  for (const auto* unit : {&a_, &b_}) {
    EXPECT_TRUE(comes_to_have(*unit, 1) && comes_to_have(*unit, 2));
    EXPECT_EQ(flags(*unit), "1,0,0");
  }
}

TEST_F(AgentExternal, A32IsFollowedAgainWhenItHasRestarted) {
  a_.must<Cloned>({1}, from_donor());
  give_accounts(a_);
  a_.must<Following>({1}, Follow{.source = outside(), .semi_sync = false});
  donor_.kill();
  donor_.restart();
  write_to_donor(2);
  EXPECT_TRUE(comes_to_have(a_, 2)) << "nobody has asked for it";
}

TEST_F(AgentExternal, A33IsLeftWithAllThatWasReceivedAndNothingMore) {
  a_.must<Cloned>({1}, from_donor());
  give_accounts(a_);
  a_.must<Following>({1}, Follow{.source = outside(), .semi_sync = false});
  b_.must<Cloned>({1}, from_donor());
  give_accounts(b_);
  b_.must<Following>({1}, Follow{.source = a_.as_source(), .semi_sync = false});
  write_to_donor(2);
  ASSERT_TRUE(comes_to_have(a_, 2));

  a_.must<ReceiverStopped>({2}, StopReceiver{});
  write_to_donor(3);
  a_.must<Drained>({2}, Drain{});
  b_.must<Following>({2}, Follow{.source = a_.as_source(), .semi_sync = true});
  a_.must<Promoted>({2}, Promote{.acks = 1});
  a_.must<Opened>({2}, OpenForWrites{.acks = 1});
  EXPECT_EQ(flags(a_), "0,1,0");
  EXPECT_TRUE(Client(a_.login()).run("SHOW REPLICA STATUS").empty()) << "the channel is gone";
  Client(a_.login()).run("INSERT INTO shop.t VALUES (4)");
  EXPECT_TRUE(comes_to_have(b_, 4));
  for (const auto* unit : {&a_, &b_}) EXPECT_FALSE(comes_to_have(*unit, 3, 0s));
}

}  // namespace
}  // namespace troupe::agent::testing
