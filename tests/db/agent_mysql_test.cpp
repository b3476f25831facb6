// The agent with a real mysqld: what each command does to a server, and to a small cluster.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <future>
#include <set>

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
using ::testing::IsEmpty;
using ::testing::Not;

GtidSet set(const std::string& text) { return *GtidSet::parse(text); }

// Semi-sync with one acknowledgement, `source` open for writes.
void form(Unit& source, std::vector<Unit*> replicas, Epoch epoch) {
  source.must<Promoted>(epoch, Promote{.acks = 1});
  for (auto* replica : replicas) {
    replica->must<Following>(epoch, Follow{.source = source.as_source()});
  }
  source.must<Opened>(epoch, OpenForWrites{.acks = 1});
}

// Under way: it waits for a replica that never comes.
std::future<Result<Reply>> open_without_replicas(Unit& unit) {
  unit.must<Promoted>({1}, Promote{.acks = 1});
  auto waiting = std::async(std::launch::async,
                            [&] { return unit.order({1}, OpenForWrites{.acks = 1}, 60s); });
  EXPECT_TRUE(unit.becomes(
      [](const auto& now) { return now.operation && now.operation->kind == "OpenForWrites"; }));
  return waiting;
}

bool has_database(Unit& unit, const std::string& name) {
  return Client(unit.login())
             .value("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '" +
                    name + "'") == "1";
}

std::string uuid_of(Unit& unit) { return Client(unit.login()).value("SELECT @@server_uuid"); }

TEST(AgentMysql, A01AFreshMemberIsClosedEmptyAndSecured) {
  Unit unit("db-0");
  EXPECT_EQ(unit.seen()->data, DataState::Empty);
  unit.bring_up();
  EXPECT_EQ(unit.seen()->data, DataState::Initialised);
  EXPECT_FALSE(unit.must<Initialised>({}, EnsureInitialised{}).created) << "once is enough";
  const auto stopped = unit.must<ReceiverStopped>({1}, StopReceiver{});
  EXPECT_THAT(stopped.executed, IsEmpty()) << "accounts are not replicated";
  EXPECT_THAT(stopped.server_uuid, Not(IsEmpty()));
  EXPECT_TRUE(
      unit.becomes([&](const auto& now) { return now.server_uuid == stopped.server_uuid; }));
  const auto refused = Client::try_connect(unit.login());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reachability, mysql::Reachability::Offline);
  auto root = unit.login("root");
  root.password = Secret("");
  root.address = (unit.volume() / "mysqld.sock").string();
  const auto no_root = Client::try_connect(root);
  ASSERT_FALSE(no_root) << "root without a password must be locked";
}

TEST(AgentMysql, AStockImagesSettingsAreHonoured) {
  Unit unit("db-0", {"MYSQL_ROOT_PASSWORD=it's \\ root", "MYSQL_DATABASE=shop", "MYSQL_USER=joe",
                     "MYSQL_PASSWORD=joe-Passw0rd!"});
  unit.bring_up();
  unit.must<Promoted>({1}, Promote{.semi_sync = false});
  unit.must<Opened>({1}, OpenForWrites{.semi_sync = false});
  auto root = unit.login("root");
  root.password = Secret("it's \\ root");
  EXPECT_EQ(Client(root).value("SELECT GROUP_CONCAT(Host ORDER BY Host) FROM mysql.user WHERE "
                               "User = 'root'"),
            "%,localhost");
  auto joe = unit.login("joe");
  joe.password = Secret("joe-Passw0rd!");
  Client client(joe);
  client.run("CREATE TABLE shop.t (i INT PRIMARY KEY)");
}

TEST(AgentMysql, UnsafeSettingsOfTheUserHaveNoEffectAndAreReported) {
  Unit unit("db-0");
  const auto rendered = unit.must<Rendered>(
      {}, Render{.template_text = "[mysqld]\nsync_binlog=0\nread_only=OFF\nskip-log-bin\n"
                                  "relay_log_recovery=ON\nmysqlx=OFF\nport=0\nskip_networking\n"
                                  "binlog_ignore_db=app\nreplicate_do_db=other\n"
                                  "slave_skip_errors=all\nreplica_exec_mode=IDEMPOTENT\n"
                                  "innodb_doublewrite=OFF\nbinlog_error_action=IGNORE_ERROR\n"});
  EXPECT_EQ(rendered.overridden.size(), 10u);
  unit.must<Initialised>({}, EnsureInitialised{});
  unit.must<Done>({}, StartProcess{});
  ASSERT_TRUE(
      unit.becomes([](const auto& now) { return now.process.state == ProcessState::Running; }));
  unit.must<AccountsEnsured>(
      {}, EnsureAccounts{
              {{.user = "admin", .password = Secret(kPassword), .grants = {GrantSet::Admin}}}});
  auto login = unit.login("admin");
  login.address = (unit.volume() / "mysqld.sock").string();
  Client client(login);
  EXPECT_EQ(client.value("SELECT CONCAT_WS(',', @@sync_binlog, @@super_read_only, "
                         "@@log_bin, @@relay_log_recovery, @@offline_mode)"),
            "1,1,1,0,1");
  EXPECT_EQ(client.value("SELECT CONCAT_WS(',', @@replica_skip_errors, @@replica_exec_mode, "
                         "@@innodb_doublewrite, @@binlog_error_action)"),
            "OFF,STRICT,ON,ABORT_SERVER");
  EXPECT_EQ(client.value("SELECT COUNT(*) FROM "
                         "performance_schema.replication_applier_global_filters"),
            "0");
  const auto log = client.execute({mysql::testing::sql("SHOW BINARY LOG STATUS")});
  ASSERT_TRUE(log);
  EXPECT_EQ(log->front()[0].text("Binlog_Ignore_DB"), "");
}

TEST(AgentMysql, A38WhatAServerCanBeToldNeedsNoRestart) {
  Unit unit("db-0");
  unit.bring_up();
  unit.must<Promoted>({1}, Promote{.semi_sync = false});
  unit.must<Opened>({1}, OpenForWrites{.semi_sync = false});
  const auto pid = unit.seen()->process.pid;
  const auto value_becomes = [&](const char* variable, const std::string& value) {
    return eventually(10s, [&] {
      return Client(unit.login()).value(fmt::format("SELECT @@{}", variable)) == value;
    });
  };
  unit.render("max_connections=77\nmax_allowed_packet=32M\n");
  EXPECT_TRUE(value_becomes("max_connections", "77"));
  EXPECT_TRUE(value_becomes("max_allowed_packet", std::to_string(32 << 20)));
  EXPECT_TRUE(unit.becomes([](const auto& now) { return !now.config.restart_needed; }));

  const auto before = unit.seen()->boot_id;
  unit.restart_agent();  // which has to remember what the server was told
  ASSERT_TRUE(unit.becomes([&](const auto& now) {
    return now.connected() && now.boot_id != before && now.process.state == ProcessState::Running;
  }));
  unit.render("max_connections=78\nmax_allowed_packet=32M\n");
  EXPECT_TRUE(value_becomes("max_connections", "78"));

  // One that the server reads at its start only, and then none of the others is told either.
  unit.render("max_connections=79\nmax_allowed_packet=32M\ninnodb_ft_min_token_size=4\n");
  EXPECT_TRUE(unit.becomes([](const auto& now) { return now.config.restart_needed; }));
  EXPECT_FALSE(eventually(3s, [&] { return !unit.seen()->config.restart_needed; }));
  EXPECT_TRUE(value_becomes("max_connections", "78"));
  EXPECT_EQ(unit.seen()->process.pid, pid);
  unit.must<Done>({}, StopProcess{});
  unit.must<Done>({}, StartProcess{});
  EXPECT_TRUE(unit.becomes([](const auto& now) { return !now.config.restart_needed; }, 10s))
      << "it is heard of at once";

  // One that crashes has read the file, too, when it is back.
  unit.render("max_connections=79\nmax_allowed_packet=32M\ninnodb_ft_min_token_size=5\n");
  EXPECT_TRUE(unit.becomes([](const auto& now) { return now.config.restart_needed; }));
  ASSERT_TRUE(eventually(10s, [&] {
    ::kill(static_cast<pid_t>(unit.seen()->process.pid), SIGKILL);
    return unit.becomes([](const auto& now) { return !now.config.restart_needed; }, 5s);
  }));
  unit.must<Opened>({1}, OpenForWrites{.semi_sync = false});
  EXPECT_TRUE(value_becomes("innodb_ft_min_token_size", "5"));
}

TEST(AgentMysql, AccountsAreMendedOnlyWhereTheyAreWrong) {
  Unit unit("db-0");
  unit.bring_up();
  const EnsureAccounts same{{{.user = kReplicationUser,
                              .password = Secret(kPassword),
                              .grants = {GrantSet::Replication}}}};
  EXPECT_THAT(unit.must<AccountsEnsured>({}, same).changed, IsEmpty());
  EnsureAccounts other = same;
  other.accounts[0].password = Secret("An0ther-Passw0rd!");
  other.accounts[0].grants.push_back(GrantSet::Admin);
  EXPECT_THAT(unit.must<AccountsEnsured>({}, other).changed, ::testing::ElementsAre("repl@%"));
  EXPECT_THAT(unit.must<AccountsEnsured>({}, other).changed, IsEmpty());
  EXPECT_THAT(unit.must<ReceiverStopped>({1}, StopReceiver{}).executed, IsEmpty());
}

TEST(AgentMysql, AKilledDatabaseIsWitnessedAndComesBackClosed) {
  Unit unit("db-0");
  unit.bring_up();
  unit.must<Promoted>({1}, Promote{.semi_sync = false});
  unit.must<Opened>({1}, OpenForWrites{.semi_sync = false});
  Client(unit.login()).run("CREATE DATABASE d");
  const auto pid = unit.seen()->process.pid;
  unit.kill_database();
  ASSERT_TRUE(unit.becomes([](const auto& now) { return now.death_witnessed(); }));
  ASSERT_TRUE(unit.becomes([&](const auto& now) {
    return now.process.state == ProcessState::Running && now.process.pid != pid;
  }));
  EXPECT_EQ(unit.seen()->process.restarts, 1u);
  EXPECT_FALSE(Client::try_connect(unit.login())) << "it boots offline";
}

TEST(AgentMysql, A15A16TheWholeLifeOfAClusterOfThree) {
  Unit a("db-0"), b("db-1"), c("db-2");
  for (auto* unit : {&a, &b, &c}) unit->bring_up();
  form(a, {&b, &c}, {1});
  Client writer(a.login());
  writer.run("CREATE DATABASE d");
  writer.run("CREATE TABLE d.t (i INT PRIMARY KEY)");
  writer.run("INSERT INTO d.t VALUES (1)");
  EXPECT_TRUE(eventually([&] {
    return Client(b.login()).value(
               "SELECT COUNT(*) FROM information_schema.TABLES WHERE "
               "TABLE_SCHEMA = 'd'") == "1";
  }));
  EXPECT_FALSE(Client(b.login()).execute({mysql::testing::sql("CREATE DATABASE e")}))
      << "replicas are read-only";

  // The source dies; two stopped receivers of three members are enough.
  a.kill_database();
  ASSERT_TRUE(a.becomes([](const auto& now) { return now.death_witnessed(); }));
  const auto at_b = b.must<ReceiverStopped>({2}, StopReceiver{});
  const auto at_c = c.must<ReceiverStopped>({2}, StopReceiver{});
  auto all = set(at_b.received);
  all.add(set(at_b.executed));
  EXPECT_TRUE(all.contains(set(at_c.executed)));
  form(b, {&c}, {2});
  Client(b.login()).run("INSERT INTO d.t VALUES (2)");

  // It comes back closed, obeys nobody of the past, and follows the new source.
  ASSERT_TRUE(
      a.becomes([](const auto& now) { return now.process.state == ProcessState::Running; }));
  a.must<Following>({2}, Follow{.source = b.as_source()});
  const auto late = a.order({1}, OpenForWrites{.acks = 0, .semi_sync = false});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::Stale);
  EXPECT_TRUE(
      eventually([&] { return Client(a.login()).value("SELECT COUNT(*) FROM d.t") == "2"; }));

  // A planned switchover to the third.
  const auto closed = b.must<Closed>({3}, Close{});
  EXPECT_FALSE(closed.killed);
  c.must<Drained>({3}, Drain{closed.executed});
  const auto promoted = c.must<Promoted>({3}, Promote{.acks = 1});
  EXPECT_TRUE(set(promoted.executed).contains(set(closed.executed)));
  for (auto* unit : {&a, &b}) unit->must<Following>({3}, Follow{.source = c.as_source()});
  ASSERT_TRUE(eventually([&] { return c.semi_sync_source("clients") == "2"; }));
  EXPECT_EQ(c.must<Opened>({3}, OpenForWrites{.acks = 1}).semi_sync_clients, 2u);
  Client(c.login()).run("INSERT INTO d.t VALUES (3)");
  EXPECT_TRUE(
      eventually([&] { return Client(b.login()).value("SELECT COUNT(*) FROM d.t") == "3"; }));
}

TEST(AgentMysql, WhatTheSourceHasPurgedMayLieInTheRelayLogStill) {
  Unit a("db-0"), b("db-1");
  for (auto* unit : {&a, &b}) unit->bring_up();
  form(a, {&b}, {1});
  for (auto* unit : {&a, &b})
    unit->must<AccountsEnsured>(
        {}, EnsureAccounts{
                {{.user = "admin", .password = Secret(kPassword), .grants = {GrantSet::Admin}}}});
  Client source(a.login("admin")), replica(b.login("admin"));
  replica.run("STOP REPLICA SQL_THREAD");
  source.run("CREATE DATABASE d");  // b has acknowledged it, and has not applied it
  const auto written = source.value("SELECT @@gtid_executed");
  source.run("FLUSH BINARY LOGS");
  ASSERT_TRUE(eventually([&] {
    source.run("PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY");
    return source.value("SELECT @@gtid_purged") == written;
  }));
  b.must<Following>({2}, Follow{.source = a.as_source(), .source_purged = written});
  EXPECT_EQ(Client(b.login()).value("SHOW DATABASES LIKE 'd'"), "d");
  const auto never_received = a.seen()->server_uuid + ":1-1000";
  const auto refused =
      b.order({2}, Follow{.source = a.as_source(), .source_purged = never_received});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Conflict);
}

// A failover would wait for the applier of each replica otherwise.
TEST(AgentMysql, AReplicaThatIsBehindFollowsAnotherAtOnceAndKeepsWhatItReceived) {
  Unit a("db-0"), b("db-1"), c("db-2");
  for (auto* unit : {&a, &b, &c}) unit->bring_up();
  form(a, {&b}, {1});
  b.must<AccountsEnsured>(
      {}, EnsureAccounts{
              {{.user = "admin", .password = Secret(kPassword), .grants = {GrantSet::Admin}}}});
  Client source(a.login()), holder(b.login("admin"));
  source.run("CREATE DATABASE d");
  source.run("CREATE TABLE d.t (i INT PRIMARY KEY)");
  ASSERT_TRUE(eventually([&] {
    return holder.value(
               "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'") == "1";
  }));
  holder.run("LOCK TABLES d.t READ");
  source.run("INSERT INTO d.t VALUES (1)");  // b has acknowledged it, and cannot apply it

  c.must<Promoted>({2}, Promote{.semi_sync = false});
  c.must<Opened>({2}, OpenForWrites{.semi_sync = false});
  const auto followed = b.order({2}, Follow{.source = c.as_source(), .semi_sync = false}, 10s);
  ASSERT_TRUE(followed) << followed.error().message;
  Client(c.login()).run("CREATE DATABASE next");
  EXPECT_EQ(holder.value("SELECT COUNT(*) FROM d.t"), "0");
  holder.run("UNLOCK TABLES");
  EXPECT_TRUE(eventually([&] { return holder.value("SELECT COUNT(*) FROM d.t") == "1"; }))
      << "nobody else has it";
  EXPECT_TRUE(eventually([&] { return has_database(b, "next"); }));
}

// Otherwise a source whose clients left no room would stay without replicas, and its commits wait.
TEST(AgentMysql, A47AReplicaComesThroughTheAdminPortWhereClientsHaveAllConnections) {
  Unit a("db-0", std::vector<std::string>{"TROUPE_POD_IP=127.0.0.1"}), b("db-1");
  for (auto* unit : {&a, &b}) unit->bring_up();
  form(a, {&b}, {1});
  a.must<AccountsEnsured>(
      {}, EnsureAccounts{
              {{.user = "admin", .password = Secret(kPassword), .grants = {GrantSet::Admin}}}});
  b.must<ReceiverStopped>({2}, StopReceiver{});
  Client source(a.login("admin"));
  source.run("SET GLOBAL max_connections = 1");
  ASSERT_FALSE(Client::try_connect(a.login("admin"))) << "one beyond them is for administrators";

  auto full = a.as_source();
  EXPECT_FALSE(b.order({2}, Follow{.source = full}, 3s));
  full.admin_port = kServerAdminPort;
  b.must<Following>({2}, Follow{.source = full});
  source.run("CREATE DATABASE d");  // acknowledged
  EXPECT_TRUE(eventually([&] { return has_database(b, "d"); }));
}

// As after a SIGKILL in the middle of RESET REPLICA ALL.
TEST(AgentMysql, AServerWhoseRelayLogIsGoneFollowsAgain) {
  Unit a("db-0"), b("db-1");
  for (auto* unit : {&a, &b}) unit->bring_up();
  form(a, {&b}, {1});
  Client source(a.login());
  source.run("CREATE DATABASE d");
  ASSERT_TRUE(eventually([&] { return has_database(b, "d"); }));
  b.must<Done>({}, StopProcess{});
  std::vector<std::filesystem::path> relay_logs;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(b.volume()))
    if (entry.path().filename().string().starts_with("relay.0")) relay_logs.push_back(entry.path());
  ASSERT_THAT(relay_logs, Not(IsEmpty()));
  for (const auto& file : relay_logs) std::filesystem::remove(file);
  b.must<Done>({}, StartProcess{});
  ASSERT_TRUE(
      b.becomes([](const auto& now) { return now.process.state == ProcessState::Running; }));
  b.must<Following>({2}, Follow{.source = a.as_source()});
  source.run("CREATE DATABASE e");
  EXPECT_TRUE(eventually([&] { return has_database(b, "e"); }));
}

TEST(AgentMysql, A52AnErrantMemberIsSavedClonedAndFollows) {
  Unit a("db-0"), b("db-1"), c("db-2");
  for (auto* unit : {&a, &b, &c}) unit->bring_up();
  // Both have a history of their own.
  for (auto* unit : {&a, &c}) {
    unit->must<Promoted>({1}, Promote{.semi_sync = false});
    unit->must<Opened>({1}, OpenForWrites{.semi_sync = false});
  }
  Client(a.login()).run("CREATE DATABASE kept");
  Client(c.login()).run("CREATE DATABASE errant");
  const auto errant = c.must<Closed>({2}, Close{});
  const auto saved = c.must<TransactionsSaved>({2}, SaveTransactions{errant.executed});
  EXPECT_EQ(saved.count, 1u);
  EXPECT_GT(saved.bytes, 0u);
  EXPECT_TRUE(std::filesystem::exists(saved.path + "/binlog.000001"));
  EXPECT_EQ(c.must<TransactionsSaved>({2}, SaveTransactions{errant.executed}).path, saved.path);

  const Clone from_a{.donor_host = "127.0.0.1",
                     .donor_port = a.port(),
                     .donor_user = kDonorUser,
                     .donor_password = Secret(kPassword)};
  const auto refused = c.order({2}, from_a);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Conflict) << "it holds transactions";
  auto replacing = from_a;
  replacing.replace_data = true;
  const auto cloned = c.must<Cloned>({2}, replacing);
  EXPECT_FALSE(set(cloned.executed).contains(set(errant.executed)));
  EXPECT_NE(cloned.server_uuid, errant.server_uuid)
      << "it would number what others hold of it anew";
  EXPECT_TRUE(c.becomes([&](const auto& now) { return now.server_uuid == cloned.server_uuid; }));
  EXPECT_EQ(c.seen()->data, DataState::Initialised);
  c.must<Following>({2}, Follow{.source = a.as_source()});
  EXPECT_EQ(Client(c.login()).value("SHOW DATABASES LIKE 'kept'"), "kept");

  // An empty one needs no leave.
  b.must<Cloned>({2}, from_a);
  b.must<Following>({2}, Follow{.source = a.as_source()});
  EXPECT_EQ((std::set{uuid_of(a), uuid_of(b), uuid_of(c)}).size(), 3u)
      << "a source refuses a second replica of the same name";
}

// A member that is being cloned from another one.
class AgentClone : public ::testing::Test {
 protected:
  AgentClone() {
    for (auto* unit : {&a, &b}) unit->bring_up();
    a.must<Promoted>({1}, Promote{.semi_sync = false});
    a.must<Opened>({1}, OpenForWrites{.semi_sync = false});
    Client(a.login()).run("CREATE DATABASE kept");
  }

  // Until there is such a file: they come and go within a moment.
  void begin(Epoch epoch, const std::filesystem::path& file) {
    cut = std::async(std::launch::async, [this, epoch] { return b.order(epoch, from_a(), 60s); });
    while (!std::filesystem::exists(file)) {
      if (cut.wait_for(0s) == std::future_status::ready)
        throw std::runtime_error(fmt::format("there was no {} before it was over", file.string()));
      std::this_thread::yield();
    }
  }
  // Its data is on the way.
  std::filesystem::path under_way() const { return b.data() / "#clone" / "#status_error"; }
  // That a clone would have to drop.
  void give_data_of_its_own() {
    b.must<Promoted>({1}, Promote{.semi_sync = false});
    b.must<Opened>({1}, OpenForWrites{.semi_sync = false});
    Client(b.login()).run("CREATE DATABASE own");
    Client(b.login()).run("CREATE TABLE own.t (i INT PRIMARY KEY)");
    b.must<Closed>({2}, Close{});
  }
  bool has_data_of_its_own() const {
    return Client(b.login()).value(
               "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'own'") != "0";
  }
  Clone from_a() const {
    return {.donor_host = "127.0.0.1",
            .donor_port = a.port(),
            .donor_user = kDonorUser,
            .donor_password = Secret(kPassword),
            .replace_data = true};
  }
  // Whatever became of the server, as a Unit and its replication would: cloned again, or first
  // initialised.
  void expect_done_again(Epoch epoch) {
    std::string last;
    EXPECT_TRUE(eventually(120s, [&] {
      const auto cloned = b.order(epoch, from_a(), 20s);
      if (cloned) return true;
      last = cloned.error().message;
      if (b.seen()->data != DataState::Initialised && b.order(epoch, EnsureInitialised{}, 30s))
        return b.order(epoch, StartProcess{}, 10s) && false;
      return false;
    })) << last;
    b.must<Following>(epoch, Follow{.source = a.as_source()});
    EXPECT_EQ(Client(b.login()).value("SHOW DATABASES LIKE 'kept'"), "kept");
    EXPECT_NE(uuid_of(b), uuid_of(a));
  }

  Unit a{"db-0"}, b{"db-1"};
  std::future<Result<Reply>> cut;
};

TEST_F(AgentClone, A21ThatDoesNotFitIsRefusedBeforeItStarts) {
  EXPECT_TRUE(b.becomes([](const auto& now) { return now.data_bytes > 0; }));
  const auto before = *b.seen();
  EXPECT_LT(before.data_bytes, before.disk_total_bytes);
  auto too_large = from_a();
  too_large.needed_bytes = before.disk_total_bytes + 1;
  const auto refused = b.order({1}, too_large);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Invalid);
  EXPECT_THAT(refused.error().message, HasSubstr("are free"));
  EXPECT_EQ(b.seen()->data, DataState::Initialised);
  EXPECT_EQ(b.seen()->server_uuid, before.server_uuid) << "nothing was begun";
}

// What administrators write there would be thrown away.
TEST_F(AgentClone, A52AcknowledgesNothingMeanwhileNotEvenToAdministrators) {
  give_data_of_its_own();
  b.must<AccountsEnsured>(
      {}, EnsureAccounts{
              {{.user = "admin", .password = Secret(kPassword), .grants = {GrantSet::Admin}}}});
  std::atomic<bool> over = false;
  std::atomic<int> refused = 0, acknowledged = 0;
  std::vector<std::jthread> writers;
  for (int w = 0; w < 4; ++w)
    writers.emplace_back([&, w] {
      for (int i = 0; !over; ++i) try {
          Client client(b.login("admin"));
          const auto sql = fmt::format("INSERT INTO own.t VALUES ({})", 4 * i + w);
          const auto done = client.execute({mysql::testing::sql(sql)}, 500ms);
          ++(done ? acknowledged : refused);
        } catch (const std::runtime_error&) {  // it is not there at the moment
          std::this_thread::yield();
        }
    });
  ASSERT_TRUE(eventually([&] { return refused > 0; })) << "the account is not right";
  const auto cloned = b.order({3}, from_a(), 60s);
  over = true;
  writers.clear();
  EXPECT_TRUE(cloned) << cloned.error().message;
  EXPECT_EQ(acknowledged, 0);
  b.must<Following>({3}, Follow{.source = a.as_source()});
  EXPECT_FALSE(has_data_of_its_own());
}

// The server remembers the last clone into it, which was another one.
TEST_F(AgentClone, A20ThatWasCutShortBeforeItsServerKnewOfItIsNotDoneByTheOneBefore) {
  b.must<Cloned>({1}, from_a());
  Client(a.login()).run("CREATE DATABASE later");
  begin({2}, b.keep() / "cloning");
  b.restart_agent();
  cut.wait();
  expect_done_again({3});
  EXPECT_EQ(Client(b.login()).value("SHOW DATABASES LIKE 'later'"), "later");
}

TEST_F(AgentClone, A20ThatWasCutShortCanBeDoneAgain) {
  begin({1}, under_way());
  [[maybe_unused]] const auto closed = b.order({2}, Close{}, 2s);
  cut.wait();
  expect_done_again({3});
}

// A donor that hangs keeps a killed CLONE waiting.
TEST_F(AgentClone, A20WhoseStatementCannotBeKilledCostsTheServerItsProcess) {
  const auto donor = static_cast<pid_t>(a.seen()->process.pid);
  const auto pid = b.seen()->process.pid;
  ASSERT_EQ(::kill(donor, SIGSTOP), 0);
  EXPECT_FALSE(b.order({1}, from_a(), 1s));
  const auto refused = b.order({1}, from_a(), 15s);
  ::kill(donor, SIGCONT);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Retry);
  EXPECT_THAT(refused.error().message, HasSubstr("cut short still ran"));
  EXPECT_TRUE(b.becomes([&](const auto& now) {
    return now.process.state == ProcessState::Running && now.process.pid != pid;
  }));
  expect_done_again({1});
}

TEST_F(AgentClone, A20GoesOnWhenTheAgentRestartsInTheMiddleOfIt) {
  begin({1}, under_way());
  b.restart_agent();
  cut.wait();
  expect_done_again({1});
}

TEST_F(AgentClone, A20GoesOnWhenTheAgentRestartsWhileNobodyElseReachesItsServer) {
  give_data_of_its_own();
  cut = std::async(std::launch::async, [this] { return b.order({2}, from_a(), 60s); });
  ASSERT_TRUE(eventually([&] {
    const auto client = Client::try_connect(b.login());
    return !client && client.error().reachability == mysql::Reachability::Refused;
  }));
  b.restart_agent();
  cut.wait();
  expect_done_again({2});
  EXPECT_FALSE(has_data_of_its_own());
}

TEST(AgentMysql, AMemberWhoseCommitsWaitIsKilledWhenItMustClose) {
  Unit a("db-0"), b("db-1");
  for (auto* unit : {&a, &b}) unit->bring_up();
  form(a, {&b}, {1});
  Client(a.login()).run("CREATE DATABASE d");
  b.must<ReceiverStopped>({2}, StopReceiver{});
  // Nobody acknowledges any more: this commit waits for ever.
  auto waiting = std::async(std::launch::async, [&] {
    return Client(a.login())
        .execute({mysql::testing::sql("CREATE DATABASE lost")}, 60s)
        .has_value();
  });
  ASSERT_TRUE(eventually([&] { return a.semi_sync_source("wait_sessions") == "1"; }));
  const auto gently = a.order({2}, Close{.kill_if_blocked = false, .grace = 1s});
  EXPECT_FALSE(gently);
  const auto closed = a.must<Closed>({2}, Close{.grace = 1s});
  EXPECT_TRUE(closed.killed);
  EXPECT_FALSE(waiting.get()) << "the commit was never acknowledged";
}

TEST(AgentMysql, APausedMemberIsKilledWhenItMustCloseEvenByANewAgent) {
  Unit a("db-0");
  a.bring_up();
  a.must<Promoted>({1}, Promote{.semi_sync = false});
  a.must<Opened>({1}, OpenForWrites{.semi_sync = false});
  const auto before = *a.seen();
  ::kill(static_cast<pid_t>(before.process.pid), SIGSTOP);
  ASSERT_TRUE(a.becomes([](const auto& now) { return now.process.paused; }));
  a.restart_agent();
  ASSERT_TRUE(a.becomes([&](const auto& now) {
    return now.connected() && now.boot_id != before.boot_id && now.process.paused;
  }));
  EXPECT_TRUE(a.must<Closed>({2}, Close{}).killed);
  EXPECT_TRUE(a.becomes([&](const auto& now) {
    return now.process.state == ProcessState::Running && now.process.pid != before.process.pid;
  }));
  EXPECT_FALSE(Client::try_connect(a.login())) << "it boots closed";
}

TEST(AgentMysql, A13AHigherEpochCutsShortWhatALowerOneHadBegun) {
  Unit a("db-0");
  a.bring_up();
  auto waiting = open_without_replicas(a);
  a.must<Closed>({2}, Close{});
  const auto cut = waiting.get();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Code::Stale);
  EXPECT_FALSE(Client::try_connect(a.login())) << "it stayed closed";
}

TEST(AgentMysql, AccountsAreGivenThoughTheMemberWaitsForItsReplicas) {
  Unit a("db-0");
  a.bring_up();
  auto waiting = open_without_replicas(a);
  const Account late{.user = "late", .password = Secret(kPassword), .grants = {GrantSet::Probe}};
  const auto given = a.order({1}, EnsureAccounts{{late}}, 15s);
  ASSERT_TRUE(given) << given.error().message;
  const auto cut = waiting.get();
  ASSERT_FALSE(cut) << "no replica ever came";
  EXPECT_EQ(cut.error().code, Code::Stale) << "and it is asked for again";
}

TEST(AgentMysql, A18AMemberThatLostItsDataGetsWhatWasWrittenOnItBack) {
  Unit b("db-1");
  b.bring_up();
  {
    Unit a("db-0");
    a.bring_up();
    form(a, {&b}, {1});
    Client client(a.login());
    client.run("CREATE DATABASE d");
    client.run("CREATE TABLE d.t (i INT PRIMARY KEY)");
    client.run("INSERT INTO d.t VALUES (1)");
    const auto closed = a.must<Closed>({2}, Close{});
    b.must<Drained>({2}, Drain{closed.executed});
  }
  b.must<Promoted>({2}, Promote{.semi_sync = false});
  b.must<Opened>({2}, OpenForWrites{.semi_sync = false});
  Client(b.login()).run("INSERT INTO d.t VALUES (2)");
  Unit again("db-0");
  again.bring_up();
  again.must<Following>({2}, Follow{.source = b.as_source(), .semi_sync = false});
  EXPECT_TRUE(eventually(20s,
                         [&] {
                           return Client(again.login()).value("SELECT @@gtid_executed") ==
                                  Client(b.login()).value("SELECT @@gtid_executed");
                         }))
      << Client(again.login())
             .value(
                 "SELECT LAST_ERROR_MESSAGE FROM "
                 "performance_schema.replication_applier_status_by_coordinator");
  EXPECT_EQ(Client(again.login()).value("SELECT COUNT(*) FROM d.t"), "2");
}

// The source dies while it sends a transaction, and the replica has its beginning.
class AgentMysqlCutShort : public ::testing::Test {
 protected:
  void SetUp() override {
    a.bring_up();
    b.bring_up();
    form(a, {&b}, {1});
    Client(a.login()).run("CREATE DATABASE shop");
    Client(a.login()).run("CREATE TABLE shop.large (i INT AUTO_INCREMENT PRIMARY KEY, b LONGBLOB)");
    ASSERT_TRUE(eventually([this] { return begun().empty() && executed(b) == executed(a); }));
    auto writing = std::async(std::launch::async, [this] {
      (void)Client(a.login()).execute(
          {mysql::testing::sql("INSERT INTO shop.large (b) SELECT REPEAT('x', 1000000) FROM "
                               "information_schema.columns LIMIT 120")},
          60s);
    });
    ASSERT_TRUE(eventually([this] { return !begun().empty(); }));
    a.kill_database();
    writing.get();
    b.must<ReceiverStopped>({2}, StopReceiver{});
    ASSERT_THAT(begun(), Not(IsEmpty())) << "it was sent as a whole";
  }
  std::string begun() {
    return Client(b.login()).value(
        "SELECT QUEUEING_TRANSACTION FROM performance_schema.replication_connection_status WHERE "
        "CHANNEL_NAME = ''");
  }
  static std::string executed(Unit& unit) {
    return Client(unit.login()).value("SELECT @@gtid_executed");
  }

  // The server itself waits a minute for the rest.
  static constexpr auto kSoon = 20s;
  Unit a{"db-0"};
  Unit b{"db-1"};
};

TEST_F(AgentMysqlCutShort, TheReplicaIsPromotedWithoutWaitingForTheRest) {
  const auto promoted = b.order({2}, Promote{.semi_sync = false}, kSoon);
  ASSERT_TRUE(promoted) << promoted.error().message;
  const auto opened = b.order({2}, OpenForWrites{.semi_sync = false}, kSoon);
  ASSERT_TRUE(opened) << opened.error().message;
  Client client(b.login());
  EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.large"), "0") << "nobody acknowledged it";
  client.run("INSERT INTO shop.large (b) VALUES ('y')");
}

TEST_F(AgentMysqlCutShort, TheReplicaFollowsAnotherWithoutWaitingForTheRest) {
  Unit c("db-2");
  c.bring_up();
  c.must<Promoted>({2}, Promote{.semi_sync = false});
  c.must<Opened>({2}, OpenForWrites{.semi_sync = false});
  const auto followed = b.order({2}, Follow{.source = c.as_source(), .semi_sync = false}, kSoon);
  ASSERT_TRUE(followed) << followed.error().message;
  Client(c.login()).run("CREATE DATABASE next");
  EXPECT_TRUE(eventually(kSoon, [this] { return has_database(b, "next"); }));
  EXPECT_EQ(Client(b.login()).value("SELECT COUNT(*) FROM shop.large"), "0") << "its rest is lost";
}

TEST_F(AgentMysqlCutShort, TheReplicaIsStoppedWithoutWaitingForTheRest) {
  const auto stopped = b.order({2}, StopProcess{.grace = 60s}, kSoon);
  ASSERT_TRUE(stopped) << stopped.error().message;
  EXPECT_EQ(b.seen()->process.exit_signal, std::nullopt) << "it was not killed";
}

TEST(AgentMysql, TheAgentRestartsWithoutTouchingTheDatabase) {
  Unit a("db-0");
  a.bring_up();
  a.must<Promoted>({4}, Promote{.semi_sync = false});
  a.must<Opened>({4}, OpenForWrites{.semi_sync = false});
  Client client(a.login());
  const auto before = *a.seen();
  a.restart_agent();
  ASSERT_TRUE(a.becomes([&](const auto& now) {
    return now.connected() && now.boot_id != before.boot_id &&
           now.process.state == ProcessState::Running;
  }));
  EXPECT_EQ(a.seen()->process.pid, before.process.pid);
  EXPECT_EQ(a.seen()->highest_epoch, Epoch{4});
  client.run("CREATE DATABASE d");
  EXPECT_EQ(a.order({3}, Close{}).error().code, Code::Stale);
  EXPECT_FALSE(a.must<Closed>({4}, Close{}).killed) << "it has got in again";
}

TEST(AgentMysql, AnEndingContainerLetsNothingBeAcknowledgedOnTheWay) {
  Unit a("db-0");
  a.bring_up();
  a.must<Promoted>({1}, Promote{.semi_sync = false});
  a.must<Opened>({1}, OpenForWrites{.semi_sync = false});
  Client client(a.login());
  a.end_container();
  ASSERT_TRUE(a.becomes([](const auto& now) { return now.process.terminating; }));
  client.run("CREATE DATABASE while_the_operator_hands_over");
  a.must<Closed>({2}, Close{});
  ASSERT_TRUE(eventually([&] { return a.container_has_ended(); }));
  EXPECT_TRUE(a.becomes([](const auto& now) { return now.death_witnessed(); }));
}

TEST(AgentMysql, TwoMembersWithoutDataCanForgetTheirBootstrap) {
  Unit a("db-0");
  a.bring_up();
  a.must<Done>({1}, ResetBinlogs{});
  a.must<Promoted>({1}, Promote{.semi_sync = false});
  a.must<Opened>({1}, OpenForWrites{.semi_sync = false});
  Client(a.login()).run("CREATE DATABASE d");
  a.must<Closed>({1}, Close{});
  EXPECT_EQ(a.order({1}, ResetBinlogs{}).error().code, Code::Conflict);
}

TEST(AgentMysql, AStoppedDatabaseStaysStoppedUntilItIsStarted) {
  Unit a("db-0");
  a.bring_up();
  a.must<Done>({}, StopProcess{});
  EXPECT_EQ(a.seen()->process.state, ProcessState::Stopped);
  EXPECT_EQ(a.seen()->process.exit_code, 0) << "orderly";
  a.must<Done>({}, StartProcess{});
  EXPECT_TRUE(
      a.becomes([](const auto& now) { return now.process.state == ProcessState::Running; }));
}

}  // namespace
}  // namespace troupe::agent::testing
