#include "engines/mysql/model/dialect.hpp"

#include <gtest/gtest.h>

namespace troupe::mysql {
namespace {

TEST(MysqlVersion, ReadsTheLeadingNumbers) {
  const std::pair<const char*, Version> rows[] = {
      {"9.7.4-2", {9, 7, 4}},      {"8.0.36-0ubuntu0.22.04.1", {8, 0, 36}},
      {"8.0.36-28.1", {8, 0, 36}}, {"8.4.3-log", {8, 4, 3}},
      {"5.7.44", {5, 7, 44}},      {"26.7.0", {26, 7, 0}},
      {"9.7", {9, 7, 0}},          {"10.11.6-MariaDB", {10, 11, 6}},
  };
  for (const auto& [text, version] : rows) EXPECT_EQ(parse_version(text), version) << text;
}

TEST(MysqlVersion, RefusesWhatHasNoTwoNumbers) {
  for (const char* text : {"", "mysql", "8", "8.", "v8.0.1", "-1.2.3", "99999999999.1"}) {
    EXPECT_EQ(parse_version(text), std::nullopt) << text;
  }
}

TEST(MysqlVersion, CalendarVersionsFollowNumberedOnes) {
  EXPECT_LT(*parse_version("9.7.4"), *parse_version("26.7.0"));
  EXPECT_LT(*parse_version("9.7.4"), *parse_version("10.0.0"));
}

TEST(MysqlDialect, FollowsTheStepsOfTheRenaming) {
  struct Row {
    const char* version;
    DialectId id;
    std::string_view replica, change_source, option, reset, prefix;
  };
  const Row rows[] = {
      {"5.7.44", DialectId::From5_7, "SLAVE", "CHANGE MASTER TO", "MASTER_", "RESET MASTER",
       "slave_"},
      {"8.0.21", DialectId::From5_7, "SLAVE", "CHANGE MASTER TO", "MASTER_", "RESET MASTER",
       "slave_"},
      {"8.0.22", DialectId::From8_0_22, "REPLICA", "CHANGE MASTER TO", "MASTER_", "RESET MASTER",
       "slave_"},
      {"8.0.25", DialectId::From8_0_23, "REPLICA", "CHANGE REPLICATION SOURCE TO", "SOURCE_",
       "RESET MASTER", "slave_"},
      {"8.0.26", DialectId::From8_0_26, "REPLICA", "CHANGE REPLICATION SOURCE TO", "SOURCE_",
       "RESET MASTER", "replica_"},
      {"8.1.0", DialectId::From8_0_26, "REPLICA", "CHANGE REPLICATION SOURCE TO", "SOURCE_",
       "RESET MASTER", "replica_"},
      {"8.2.0", DialectId::From8_2, "REPLICA", "CHANGE REPLICATION SOURCE TO", "SOURCE_",
       "RESET BINARY LOGS AND GTIDS", "replica_"},
      {"9.7.4-2", DialectId::From8_2, "REPLICA", "CHANGE REPLICATION SOURCE TO", "SOURCE_",
       "RESET BINARY LOGS AND GTIDS", "replica_"},
      {"26.10.1", DialectId::From8_2, "REPLICA", "CHANGE REPLICATION SOURCE TO", "SOURCE_",
       "RESET BINARY LOGS AND GTIDS", "replica_"},
  };
  for (const auto& row : rows) {
    const auto found = detect(row.version, "MySQL Community Server - GPL");
    EXPECT_EQ(found.id, row.id) << row.version;
    EXPECT_EQ(found.reason, "") << row.version;
    const auto& spelling = dialect(found.id);
    EXPECT_EQ(spelling.replica, row.replica) << row.version;
    EXPECT_EQ(spelling.change_source, row.change_source) << row.version;
    EXPECT_EQ(spelling.source_option, row.option) << row.version;
    EXPECT_EQ(spelling.reset_binary_logs, row.reset) << row.version;
    EXPECT_EQ(spelling.replica_variable, row.prefix) << row.version;
  }
}

TEST(MysqlDialect, TakesRebuildsOfMysqlAndRefusesForks) {
  EXPECT_NE(detect("8.0.36-28.1", "Percona Server (GPL), Release 28").id, DialectId::Unsupported);
  EXPECT_NE(detect("9.7.4-2", "(Debian)").id, DialectId::Unsupported);
  const std::pair<const char*, const char*> forks[] = {
      {"10.11.6-MariaDB-1:10.11.6+maria~ubu2204", ""},
      {"11.4.2", "mariadb.org binary distribution"},
      {"8.0.11-TiDB-v7.5.0", "TiDB Server"},
      {"8.0.30-Vitess", ""},
      {"8.0.mysql_aurora.3.04.0", ""},
      {"8.0.32", "ProxySQL Admin"},
  };
  for (const auto& [version, comment] : forks) {
    const auto found = detect(version, comment);
    EXPECT_EQ(found.id, DialectId::Unsupported) << version;
    EXPECT_NE(found.reason, "") << version;
  }
}

TEST(MysqlDialect, RefusesWhatIsTooOldOrCannotBeRead) {
  EXPECT_EQ(detect("5.6.51", "").id, DialectId::Unsupported);
  EXPECT_NE(detect("5.6.51", "").reason.find("5.7.0 or later"), std::string::npos);
  EXPECT_EQ(detect("unknown", "").id, DialectId::Unsupported);
}

TEST(MysqlDialect, SemiSyncIsSpelledByTheFamilyOfThePlugin) {
  EXPECT_EQ(semi_sync_source_names(SemiSyncNames::Old).wait_for_replica_count,
            "rpl_semi_sync_master_wait_for_slave_count");
  EXPECT_EQ(semi_sync_source_names(SemiSyncNames::New).wait_for_replica_count,
            "rpl_semi_sync_source_wait_for_replica_count");
  EXPECT_EQ(semi_sync_replica_names(SemiSyncNames::Old).soname, "semisync_slave.so");
  EXPECT_EQ(preferred_semi_sync(DialectId::From8_0_23), SemiSyncNames::Old);
  EXPECT_EQ(preferred_semi_sync(DialectId::From8_0_26), SemiSyncNames::New);
}

}  // namespace
}  // namespace troupe::mysql
