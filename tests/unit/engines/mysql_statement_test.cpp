#include "engines/mysql/model/statement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::mysql {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string text(const Statement& statement) { return std::string(statement.text()); }

TEST(MysqlQuoting, DoublesQuotesAndLeavesBackslashesToTheMode) {
  struct Row {
    std::string text, none, backslash;
  };
  const Row rows[] = {
      {"", "''", "''"},
      {"plain", "'plain'", "'plain'"},
      {"it's", "'it''s'", "'it''s'"},
      {"''", "''''''", "''''''"},
      {"a\\b", "'a\\b'", "'a\\\\b'"},
      {"\\", "'\\'", "'\\\\'"},
      {"\\'; DROP TABLE t; --", "'\\''; DROP TABLE t; --'", "'\\\\''; DROP TABLE t; --'"},
      {"\"`", "'\"`'", "'\"`'"},
      {"süß", "'süß'", "'süß'"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(quote_literal(row.text, Escapes::None), row.none);
    EXPECT_EQ(quote_literal(row.text, Escapes::Backslash), row.backslash);
  }
}

TEST(MysqlQuoting, IdentifiersDoubleBackticks) {
  EXPECT_EQ(quote_identifier("plain"), "`plain`");
  EXPECT_EQ(quote_identifier("a`; DROP TABLE t"), "`a``; DROP TABLE t`");
  EXPECT_EQ(quote_identifier("it's\\"), "`it's\\`");
}

TEST(MysqlStatement, ShowsNoSecret) {
  const Secret password("hunter'2\\");
  SourceConfig source;
  source.host = "10.0.0.1";
  source.user = "repl";
  source.password = password;
  const Statement statements[] = {
      change_source(DialectId::From8_2, source),
      clone_instance("donor", "10.0.0.1", 3306, password, true),
      create_user("u", "%", password),
      alter_user_password("u", "%", password, OldPassword::Retain),
  };
  for (const auto& statement : statements) {
    EXPECT_THAT(text(statement), HasSubstr("'hunter''2\\'"));
    EXPECT_THAT(statement.redacted(), Not(HasSubstr("hunter")));
    EXPECT_THAT(statement.redacted(), HasSubstr("'<redacted>'"));
  }
}

TEST(MysqlStatement, SpellsTheSourceAsTheServerWantsIt) {
  SourceConfig source;
  source.host = "db-0.example";
  source.port = 3307;
  source.user = "repl";
  source.password = Secret("pw");
  source.heartbeat_period = std::chrono::milliseconds(1500);
  source.retry_count = 9;
  EXPECT_EQ(text(change_source(DialectId::From8_2, source)),
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'db-0.example', SOURCE_PORT = 3307,"
            " SOURCE_USER = 'repl', SOURCE_PASSWORD = 'pw', SOURCE_AUTO_POSITION = 1,"
            " SOURCE_HEARTBEAT_PERIOD = 1.500, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 9,"
            " SOURCE_SSL = 0, GET_SOURCE_PUBLIC_KEY = 1");
  EXPECT_THAT(text(change_source(DialectId::From8_2, source, RelayLog::Kept)),
              Not(HasSubstr("AUTO_POSITION")));
  source.tls = SourceTls{true, "/tls/ca.pem", true};
  EXPECT_EQ(text(change_source(DialectId::From8_0_22, source)),
            "CHANGE MASTER TO MASTER_HOST = 'db-0.example', MASTER_PORT = 3307,"
            " MASTER_USER = 'repl', MASTER_PASSWORD = 'pw', MASTER_AUTO_POSITION = 1,"
            " MASTER_HEARTBEAT_PERIOD = 1.500, MASTER_CONNECT_RETRY = 1, MASTER_RETRY_COUNT = 9,"
            " MASTER_SSL = 1, MASTER_SSL_CA = '/tls/ca.pem', MASTER_SSL_VERIFY_SERVER_CERT = 1");
}

TEST(MysqlStatement, SpellsControlStatements) {
  const auto gtids = GtidSet::parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5").value();
  const std::pair<Statement, const char*> rows[] = {
      {start_replica(DialectId::From8_2), "START REPLICA"},
      {start_replica(DialectId::From5_7, ReplicaThreads::Sql), "START SLAVE SQL_THREAD"},
      {stop_replica(DialectId::From8_2, ReplicaThreads::Io), "STOP REPLICA IO_THREAD"},
      {reset_replica(DialectId::From8_2), "RESET REPLICA ALL"},
      {reset_replica(DialectId::From8_2, ResetReplica::RelayLog), "RESET REPLICA"},
      {reset_binary_logs(DialectId::From8_0_26), "RESET MASTER"},
      {reset_binary_logs(DialectId::From8_2), "RESET BINARY LOGS AND GTIDS"},
      {set_read_only(false), "SET GLOBAL read_only = OFF"},
      {set_super_read_only(true), "SET GLOBAL super_read_only = ON"},
      {set_offline_mode(true), "SET GLOBAL offline_mode = ON"},
      {disable_semi_sync_source(SemiSyncNames::New),
       "SET GLOBAL rpl_semi_sync_source_enabled = OFF"},
      {set_semi_sync_replica(SemiSyncNames::Old, true),
       "SET GLOBAL rpl_semi_sync_slave_enabled = ON"},
      {set_semi_sync_acks(SemiSyncNames::New, 2),
       "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = 2"},
      {wait_for_executed(gtids, std::chrono::milliseconds(2500)),
       "SELECT WAIT_FOR_EXECUTED_GTID_SET('3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5', 2.500)"},
      {set_gtid_purged(gtids),
       "SET GLOBAL gtid_purged = '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5'"},
      {set_clone_donor("10.0.0.1", 3306), "SET GLOBAL clone_valid_donor_list = '10.0.0.1:3306'"},
      {clone_instance("d", "10.0.0.1", 3306, Secret("p"), false),
       "CLONE INSTANCE FROM 'd'@'10.0.0.1':3306 IDENTIFIED BY 'p'"},
      {install_plugin("clone", "mysql_clone.so"), "INSTALL PLUGIN `clone` SONAME 'mysql_clone.so'"},
      {kill_connection(7), "KILL CONNECTION 7"},
      {drop_user("o'x", "%"), "DROP USER IF EXISTS 'o''x'@'%'"},
      {set_global({{"strange name", std::string("x")}}), "SET GLOBAL `strange name` = 'x'"},
      {set_global({{"binlog_format", Word{"ROW; DROP"}}}),
       "SET GLOBAL binlog_format = 'ROW; DROP'"},
  };
  for (const auto& [statement, expected] : rows) EXPECT_EQ(text(statement), expected);
}

TEST(MysqlStatement, SetsEverythingThatASourceWaitsByBeforeItSwitchesOn) {
  EXPECT_EQ(text(enable_semi_sync_source(SemiSyncNames::New, 1, 1000)),
            "SET GLOBAL rpl_semi_sync_source_timeout = 1000,"
            " GLOBAL rpl_semi_sync_source_wait_no_replica = ON,"
            " GLOBAL rpl_semi_sync_source_wait_point = AFTER_SYNC,"
            " GLOBAL rpl_semi_sync_source_wait_for_replica_count = 1,"
            " GLOBAL rpl_semi_sync_source_enabled = ON");
}

TEST(MysqlStatement, OneUserThatServesTwoPurposesHasBothSetsOfPrivileges) {
  const AccountPurpose both[] = {AccountPurpose::Replication, AccountPurpose::CloneDonor};
  EXPECT_EQ(text(grant("u", "%", both)),
            "GRANT BACKUP_ADMIN, CONNECTION_ADMIN, REPLICATION CLIENT, REPLICATION SLAVE,"
            " SERVICE_CONNECTION_ADMIN ON *.* TO 'u'@'%'");
}

TEST(MysqlStatement, TheControlAccountCanGrantWhatTheOthersNeed) {
  const AccountPurpose control[] = {AccountPurpose::Control};
  const auto held = privileges_of(control);
  for (const auto purpose :
       {AccountPurpose::Probe, AccountPurpose::Replication, AccountPurpose::CloneDonor}) {
    const AccountPurpose one[] = {purpose};
    for (const auto privilege : privileges_of(one)) {
      EXPECT_THAT(held, ::testing::Contains(privilege));
    }
  }
  EXPECT_THAT(text(grant("c", "%", control)), ::testing::EndsWith(" WITH GRANT OPTION"));
}

}  // namespace
}  // namespace troupe::mysql
