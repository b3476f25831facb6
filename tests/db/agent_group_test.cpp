// Group replication through the agents: three real servers, real members of one group.
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
using support::eventually;
using ::testing::HasSubstr;

constexpr const char* kGroup = "0b2e9c4a-7d51-4a53-8a5f-3f1f0c6f3c11";
constexpr const char* kAdmin = "admin";
// A member that died is expelled after 20 s, and then the others elect.
constexpr auto kElection = 60s;

class AgentGroup : public ::testing::Test {
 protected:
  // By its own local socket: also while it is offline.
  static Client admin(Unit& unit) {
    auto login = unit.login(kAdmin);
    login.address = (unit.volume() / "mysqld.sock").string();
    return Client(login);
  }

  std::unique_ptr<Unit> new_unit(int ordinal) const {
    auto unit = std::make_unique<Unit>("db-" + std::to_string(ordinal), authority_,
                                       std::vector<std::string>{"TROUPE_REPORT_HOST=127.0.0.1"});
    unit->bring_up();
    unit->must<AccountsEnsured>(
        {}, EnsureAccounts{
                {{.user = kReplicationUser,
                  .password = Secret(kPassword),
                  .grants = {GrantSet::Replication, GrantSet::GroupMember}},
                 {.user = kAdmin, .password = Secret(kPassword), .grants = {GrantSet::Admin}}}});
    return unit;
  }

  void make(int count) {
    for (int i = 0; i < count; ++i) units_.push_back(new_unit(i));
  }
  Unit& unit(std::size_t i) { return *units_[i]; }

  StartGroup order(std::size_t i, bool bootstrap = false) const {
    const auto address = [](const Unit& u) { return "127.0.0.1:" + std::to_string(u.port()); };
    StartGroup out{.group_name = kGroup,
                   .local_address = address(*units_[i]),
                   .members = {},
                   .user = kReplicationUser,
                   .password = Secret(kPassword),
                   .own_authorities = true,
                   .bootstrap = bootstrap};
    for (const auto& u : units_) out.members.push_back(address(*u));
    return out;
  }

  // All leave what they were in, the first begins the group, the others join.
  void form(Epoch epoch) {
    for (auto& u : units_) u->must<GroupStopped>(epoch, StopGroup{});
    unit(0).must<GroupStarted>(epoch, order(0, true));
    for (std::size_t i = 1; i < units_.size(); ++i) unit(i).must<GroupStarted>(epoch, order(i));
  }

  // How it ends, once its agent's sessions are those of the database as it runs now.
  Code refusal(std::size_t i, Epoch epoch, const Action& action) {
    Code code = Code::Retry;
    EXPECT_TRUE(eventually([&] {
      const auto reply = unit(i).order(epoch, action);
      if (reply) return true;
      code = reply.error().code;
      return code != Code::Retry;
    }));
    return code;
  }

  std::string states(std::size_t i) {
    return admin(unit(i)).value(
        "SELECT GROUP_CONCAT(MEMBER_STATE ORDER BY MEMBER_STATE) FROM "
        "performance_schema.replication_group_members");
  }
  std::string role(std::size_t i) {
    return admin(unit(i)).value(
        "SELECT CONCAT(MEMBER_STATE, ' ', MEMBER_ROLE) FROM "
        "performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid");
  }
  std::string rows(std::size_t i) { return admin(unit(i)).value("SELECT COUNT(*) FROM d.t"); }
  static bool runs(const AgentObservation& now) {
    return now.process.state == ProcessState::Running;
  }

 private:
  const CertifiedKey authority_ = *make_authority("troupe", SystemClock().wall());
  std::vector<std::unique_ptr<Unit>> units_;
};

TEST_F(AgentGroup, TheWholeLifeOfAGroupOfThree) {
  make(3);
  form({1});
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(eventually([&] { return states(i) == "ONLINE,ONLINE,ONLINE"; })) << states(i);
  EXPECT_EQ(role(0), "ONLINE PRIMARY");
  unit(0).must<GroupStarted>({1}, order(0, true));
  EXPECT_EQ(states(0), "ONLINE,ONLINE,ONLINE") << "who is in the group begins no other";

  Client writer(unit(0).login());
  writer.run("CREATE DATABASE d");
  writer.run("CREATE TABLE d.t (i INT PRIMARY KEY)");
  writer.run("INSERT INTO d.t VALUES (1)");
  EXPECT_TRUE(eventually([&] { return rows(2) == "1"; }));
  EXPECT_FALSE(Client(unit(1).login()).execute({mysql::testing::sql("CREATE DATABASE e")}))
      << "secondaries are read-only";

  // The primary dies; the group elects, and nobody here has a part in it.
  unit(0).kill_database();
  ASSERT_TRUE(eventually(
      kElection, [&] { return role(1) == "ONLINE PRIMARY" || role(2) == "ONLINE PRIMARY"; }));
  const std::size_t elected = role(1) == "ONLINE PRIMARY" ? 1 : 2;
  ASSERT_TRUE(eventually([&] {
    return static_cast<bool>(
        Client(unit(elected).login()).execute({mysql::testing::sql("INSERT INTO d.t VALUES (2)")}));
  })) << "its clients are let in already";

  // It comes back in no group and closed, and joins again.
  ASSERT_TRUE(unit(0).becomes(runs));
  EXPECT_FALSE(Client::try_connect(unit(0).login())) << "it boots offline";
  EXPECT_EQ(refusal(0, {1}, order(0, true)), Code::Conflict)
      << "an order that comes twice begins no group";
  unit(0).must<GroupStarted>({2}, order(0));
  EXPECT_EQ(rows(0), "2");
  EXPECT_EQ(refusal(0, {1}, StopGroup{}), Code::Stale);

  // On order the role comes back.
  unit(0).must<GroupPrimarySet>({3}, SetGroupPrimary{});
  EXPECT_EQ(role(0), "ONLINE PRIMARY");
  unit(0).must<GroupPrimarySet>({3}, SetGroupPrimary{});
  Client(unit(0).login()).run("INSERT INTO d.t VALUES (3)");
}

TEST_F(AgentGroup, AllThatWasReceivedIsToldWhenAMemberLeaves) {
  make(1);
  form({1});
  Client(unit(0).login()).run("CREATE DATABASE d");
  const auto left = unit(0).must<GroupStopped>({2}, StopGroup{});
  EXPECT_EQ(*GtidSet::parse(left.executed),
            *GtidSet::parse(admin(unit(0)).value("SELECT @@gtid_executed")));
  EXPECT_THAT(left.executed, HasSubstr(kGroup));
  EXPECT_FALSE(Client::try_connect(unit(0).login())) << "it is closed";
  EXPECT_EQ(unit(0).must<GroupStopped>({2}, StopGroup{}).executed, left.executed);
}

TEST_F(AgentGroup, OnlyWhoHasJustLeftBeginsAGroup) {
  make(1);
  EXPECT_EQ(refusal(0, {1}, order(0, true)), Code::Conflict);
  unit(0).must<GroupStopped>({1}, StopGroup{});
  unit(0).kill_database();
  ASSERT_TRUE(unit(0).becomes([](const auto& now) { return now.death_witnessed(); }));
  ASSERT_TRUE(unit(0).becomes(runs));
  EXPECT_EQ(refusal(0, {1}, order(0, true)), Code::Conflict) << "that was in another life";
}

TEST_F(AgentGroup, AMemberWithTransactionsOfItsOwnIsRefusedAndStaysClosed) {
  make(2);
  unit(1).must<Promoted>({1}, Promote{.semi_sync = false});
  unit(1).must<Opened>({1}, OpenForWrites{.semi_sync = false});
  Client(unit(1).login()).run("CREATE DATABASE of_its_own");
  unit(1).must<Closed>({1}, Close{});
  unit(0).must<GroupStopped>({1}, StopGroup{});
  unit(0).must<GroupStarted>({1}, order(0, true));
  const auto refused = unit(1).order({1}, order(1));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("not present in the group"));
  EXPECT_FALSE(Client::try_connect(unit(1).login()));
  EXPECT_EQ(states(0), "ONLINE");
}

TEST_F(AgentGroup, A43WhoHasLostTheMajorityEndsServingByItself) {
  make(3);
  form({1});
  ASSERT_TRUE(eventually([&] { return states(0) == "ONLINE,ONLINE,ONLINE"; }));
  for (std::size_t i = 1; i < 3; ++i) unit(i).end_at_once();
  ASSERT_TRUE(eventually(kElection, [&] { return role(0) == "ERROR "; })) << role(0);
  EXPECT_TRUE(eventually([&] { return !Client::try_connect(unit(0).login()); }));
  EXPECT_EQ(admin(unit(0)).value("SELECT @@super_read_only"), "1");
}

}  // namespace
}  // namespace troupe::agent::testing
