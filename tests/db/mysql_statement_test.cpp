// Every statement builder against a real server: it takes them, and they do what they say.
#include <gtest/gtest.h>

#include <memory>

#include "engines/mysql/model/durability.hpp"
#include "engines/mysql/model/probe.hpp"
#include "tests/db/mysqld.hpp"

namespace troupe::mysql {
namespace {

using namespace std::chrono_literals;
using testing::Client;
using testing::Mysqld;

constexpr auto kDialect = DialectId::From8_2;

class MysqlStatements : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = std::make_unique<Mysqld>(1);
    client_ = std::make_unique<Client>(server_->admin());
    const auto& source = semi_sync_source_names(SemiSyncNames::New);
    const auto& replica = semi_sync_replica_names(SemiSyncNames::New);
    client_->run(install_plugin(source.plugin, source.soname));
    client_->run(install_plugin(replica.plugin, replica.soname));
    client_->run(install_plugin("clone", "mysql_clone.so"));
  }
  static void TearDownTestSuite() {
    client_.reset();
    server_.reset();
  }
  static std::string global(std::string_view name) {
    return client_->value("SELECT @@GLOBAL." + std::string(name));
  }
  static std::unique_ptr<Mysqld> server_;
  static std::unique_ptr<Client> client_;
};
std::unique_ptr<Mysqld> MysqlStatements::server_;
std::unique_ptr<Client> MysqlStatements::client_;

TEST_F(MysqlStatements, TheSessionIsSetUpAsQuotingExpects) {
  EXPECT_EQ(client_->value("SELECT @@SESSION.sql_mode LIKE '%NO_BACKSLASH_ESCAPES%'"), "1");
  EXPECT_EQ(client_->value("SELECT @@SESSION.character_set_client"), "utf8mb4");
  EXPECT_EQ(client_->value("SELECT @@SESSION.time_zone"), "+00:00");
}

TEST_F(MysqlStatements, SuperReadOnlyImpliesReadOnlyAndBothAreClearedByReadOnly) {
  client_->run(set_super_read_only(true));
  EXPECT_EQ(global("read_only"), "1");
  client_->run(set_read_only(false));
  EXPECT_EQ(global("super_read_only"), "0");
}

TEST_F(MysqlStatements, A12TheSemiSyncTimeoutIsTakenUnclipped) {
  client_->run(enable_semi_sync_source(SemiSyncNames::New, 2));
  EXPECT_EQ(global("rpl_semi_sync_source_timeout"), std::to_string(kSemiSyncTimeoutMs));
  EXPECT_EQ(global("rpl_semi_sync_source_wait_for_replica_count"), "2");
  EXPECT_EQ(global("rpl_semi_sync_source_wait_no_replica"), "1");
  EXPECT_EQ(global("rpl_semi_sync_source_wait_point"), "AFTER_SYNC");
  EXPECT_EQ(global("rpl_semi_sync_source_enabled"), "1");
  client_->run(set_semi_sync_acks(SemiSyncNames::New, 1));
  client_->run(disable_semi_sync_source(SemiSyncNames::New));
  EXPECT_EQ(global("rpl_semi_sync_source_enabled"), "0");
  client_->run(set_semi_sync_replica(SemiSyncNames::New, true));
  EXPECT_EQ(global("rpl_semi_sync_replica_enabled"), "1");
}

TEST_F(MysqlStatements, NamesASourceWithAndWithoutTls) {
  SourceConfig source;
  source.host = "127.0.0.1";
  source.port = 1;
  source.user = "re'pl";
  source.password = Secret("p'\\\"");
  client_->run(change_source(kDialect, source));
  auto status = client_->run("SHOW REPLICA STATUS");
  EXPECT_EQ(status[0].text("Source_User"), "re'pl");
  EXPECT_EQ(status[0].text("Auto_Position"), "1");
  EXPECT_EQ(status[0].text("Source_SSL_Allowed"), "No");
  source.tls = SourceTls{true, "/tls/ca.pem", true};
  client_->run(change_source(kDialect, source));
  status = client_->run("SHOW REPLICA STATUS");
  EXPECT_EQ(status[0].text("Source_SSL_Allowed"), "Yes");
  EXPECT_EQ(status[0].text("Source_SSL_CA_File"), "/tls/ca.pem");
  EXPECT_EQ(client_->value("SELECT User_password FROM mysql.slave_master_info"), "p'\\\"");
  for (const auto threads : {ReplicaThreads::Sql, ReplicaThreads::Io, ReplicaThreads::Both}) {
    client_->run(start_replica(kDialect, threads));
    client_->run(stop_replica(kDialect, threads));
  }
  client_->run(reset_replica(kDialect, ResetReplica::RelayLog));
  client_->run(reset_replica(kDialect));
  EXPECT_TRUE(client_->run("SHOW REPLICA STATUS").empty());
}

TEST_F(MysqlStatements, WaitsForTransactionsWithADeadline) {
  const auto missing = GtidSet::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1").value();
  const auto late = client_->run(wait_for_executed(missing, 50ms));
  EXPECT_EQ(late[0].text(late.columns()[0]), "1");
  const auto there = GtidSet::parse(client_->value("SELECT @@GLOBAL.gtid_executed")).value();
  const auto done = client_->run(wait_for_executed(there, 50ms));
  EXPECT_EQ(done[0].text(done.columns()[0]), "0");
}

TEST_F(MysqlStatements, EmptiesAndClaimsAHistory) {
  client_->run(reset_binary_logs(kDialect));
  EXPECT_EQ(global("gtid_executed"), "");
  const auto history = GtidSet::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5").value();
  client_->run(set_gtid_purged(history));
  EXPECT_EQ(GtidSet::parse(global("gtid_executed")).value(), history);
  client_->run(reset_binary_logs(kDialect));
}

TEST_F(MysqlStatements, SessionBinlogOffMakesNoTransactionsOfItsOwn) {
  client_->run(reset_binary_logs(kDialect));
  client_->run(set_session_binlog(false));
  client_->run(create_user("local", "%", Secret("x")));
  EXPECT_EQ(global("gtid_executed"), "");
  client_->run(drop_user("local", "%"));
  client_->run(set_session_binlog(true));
}

TEST_F(MysqlStatements, AnOldPasswordLivesUntilItIsDiscarded) {
  client_->run(create_user("rotating", "%", Secret("first")));
  client_->run(alter_user_password("rotating", "%", Secret("second"), OldPassword::Retain));
  auto login = server_->admin();
  login.user = "rotating";
  for (const char* password : {"first", "second"}) {
    login.password = Secret(password);
    EXPECT_TRUE(Client::try_connect(login).has_value()) << password;
  }
  client_->run(discard_old_password("rotating", "%"));
  login.password = Secret("first");
  EXPECT_FALSE(Client::try_connect(login).has_value());
}

TEST_F(MysqlStatements, AProbeAccountCanProbeAndClose) {
  const AccountPurpose purposes[] = {AccountPurpose::Probe};
  client_->run(create_user("probe", "%", Secret("x")));
  client_->run(grant("probe", "%", purposes));
  auto login = server_->admin();
  login.user = "probe";
  login.password = Secret("x");
  Client probe(login);
  const auto hello = decode_hello(probe.run(hello_statement()));
  ASSERT_TRUE(hello.has_value());
  const auto statements = probe_statements(hello->shape);
  const auto answers = probe.execute({statements.begin(), statements.end()});
  ASSERT_TRUE(answers.has_value()) << to_error(answers.error()).message;
  EXPECT_TRUE(decode_probe(EndpointId{"e"}, hello->shape, *answers).has_value());
  probe.run(set_offline_mode(true));
  EXPECT_EQ(probe.value("SELECT @@GLOBAL.offline_mode"), "1");  // it passes what it has closed
  probe.run(set_super_read_only(true));
  client_->run(set_read_only(false));
  client_->run(set_offline_mode(false));
}

TEST_F(MysqlStatements, AControlAccountCanMakeTheOthers) {
  const AccountPurpose control[] = {AccountPurpose::Control};
  client_->run(create_user("control", "%", Secret("x")));
  client_->run(grant("control", "%", control));
  auto login = server_->admin();
  login.user = "control";
  login.password = Secret("x");
  Client agent(login);
  const AccountPurpose everything[] = {AccountPurpose::Probe, AccountPurpose::Replication,
                                       AccountPurpose::CloneDonor};
  agent.run(set_session_binlog(false));
  agent.run(create_user("made", "%", Secret("x")));
  agent.run(grant("made", "%", everything));
  agent.run(set_clone_donor("127.0.0.1", 3306));
  agent.run(uninstall_plugin("clone"));
  agent.run(install_plugin("clone", "mysql_clone.so"));
  agent.run(reset_binary_logs(kDialect));
  agent.run(stop_replica(kDialect));
  agent.run(reload_tls());
  agent.run(drop_user("made", "%"));
}

TEST_F(MysqlStatements, AWrongCloneDonorIsAnErrorThatIsTold) {
  client_->run(set_clone_donor("127.0.0.1", 1));
  const auto failed =
      client_->execute({clone_instance("donor", "127.0.0.1", 1, Secret("x"), false)});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().number, 3862u);
}

TEST_F(MysqlStatements, KillOfAVanishedSessionIsIgnored) {
  const auto failed = client_->execute({kill_connection(4'000'000'000)});
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(reaction_of(failed.error().number), Reaction::Ignore);
}

}  // namespace
}  // namespace troupe::mysql
