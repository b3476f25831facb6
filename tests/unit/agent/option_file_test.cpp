#include "engines/agent/model/option_file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const InstanceSettings kInstance{.data_dir = "/d/data",
                                 .socket = "/d/mysqld.sock",
                                 .pid_file = "/d/mysqld.pid",
                                 .init_file = "/r/boot.sql",
                                 .included_file = "/d/conf/user.cnf",
                                 .binlog_base = "/d/log/binlog/binlog",
                                 .relay_log_base = "/d/log/relay/relay",
                                 .server_id = 3};

std::vector<std::string> lines(const std::vector<Setting>& settings) {
  std::vector<std::string> out;
  for (const auto& [name, value] : settings) out.push_back(name + "=" + value);
  return out;
}

TEST(OptionFile, ReadsServerGroupsWithNormalisedNames) {
  const auto settings = server_settings(
      "# comment\n[client]\nport=1\n[mysqld]\nSync-Binlog = 0 # why not\nloose_x='a # b'\n"
      "skip-name-resolve\n[mysqldump]\nquick\n[mysqld-9.7]\nport=2\n");
  EXPECT_THAT(lines(settings),
              ElementsAre("sync_binlog=0", "x=a # b", "skip_name_resolve=", "port=2"));
}

TEST(OptionFile, ReportsOnlyValuesThatThePinsTakeTheEffectFrom) {
  const auto user = server_settings(
      "[mysqld]\nsync_binlog=0\nread_only=1\nrelay-log-recovery=true\ngtid_mode=on\nskip-log-"
      "bin\n");
  EXPECT_THAT(overridden_settings(user),
              ElementsAre("sync_binlog=0 (kept at 1)", "relay_log_recovery=true (kept at OFF)",
                          "skip_log_bin (the binary log stays on)"));
}

TEST(OptionFile, ALaterValueOfTheUserCounts) {
  EXPECT_THAT(overridden_settings(server_settings("[mysqld]\nsync_binlog=0\nsync_binlog=1\n")),
              IsEmpty());
}

TEST(OptionFile, OlderNamesAreTakenForTheNewerOnes) {
  EXPECT_THAT(overridden_settings(
                  server_settings("[mysqld]\nslave_exec_mode=IDEMPOTENT\nslave-skip-errors=all\n"
                                  "log_slave_updates=0\nrpl_semi_sync_master_wait_no_slave=OFF\n")),
              UnorderedElementsAre("replica_exec_mode=IDEMPOTENT (kept at STRICT)",
                                   "replica_skip_errors=all (kept at OFF)",
                                   "log_replica_updates=0 (kept at ON)",
                                   "rpl_semi_sync_source_wait_no_replica=OFF (kept at ON)"));
}

TEST(OptionFile, WhatCommitsWaitForIsTheOperatorsToSay) {
  EXPECT_THAT(overridden_settings(
                  server_settings("[mysqld]\nrpl_semi_sync_master_timeout=100\n"
                                  "loose-rpl-semi-sync-source-wait-for-replica-count = 1\n")),
              ElementsAre("rpl_semi_sync_source_timeout=100 (the operator sets it)",
                          "rpl_semi_sync_source_wait_for_replica_count=1 (the operator sets it)"));
}

// What is looked for in running servers is what files are kept from.
TEST(OptionFile, EverySettingThatDurabilityRestsOnIsKept) {
  for (const auto& pin : mysql::durability_pins())
    EXPECT_THAT(overridden_settings({{std::string(pin.variable), "999"}}),
                ElementsAre(HasSubstr(pin.variable)))
        << pin.variable;
}

// A later one would only add to them.
TEST(OptionFile, FiltersAreLeftOutAndReported) {
  for (const auto* line :
       {"binlog_do_db=a", "binlog-ignore-db = a", "replicate-do-db=a", "replicate_ignore_db=a",
        "replicate_do_table=a.b", "replicate_ignore_table=a.b", "replicate_wild_do_table=a.%",
        "loose-replicate-wild-ignore-table=a.%", "Replicate_Rewrite_Db=a->b", "binlog_ignore=a",
        "innodb_flush_method=nosync", "innodb-flush-method='littlesync'", "!include /tmp/more.cnf",
        "!includedir /tmp/more", "init_connect='SET SESSION sql_log_bin=0'",
        "init-con = \"set @@Sql_Log_Bin = OFF\"", "skip-grant-tables", "skip_grant"}) {
    const auto file = fmt::format("[mysqld]\nport=1\n  {}\nb=2\n", line);
    EXPECT_EQ(without_unsafe_lines(file), "[mysqld]\nport=1\nb=2\n") << line;
    EXPECT_THAT(overridden_settings(server_settings(file)), ElementsAre(HasSubstr("(left out: ")))
        << line;
  }
}

TEST(OptionFile, AllElseOfTheUsersStaysAsItIs) {
  const std::string file =
      "# binlog_do_db=a\n[mysqld]\nbinlog_format=ROW\nbinlog_cache_size=1M # more\n"
      "replicate_same_server_id=0\ninnodb_flush_method=O_DIRECT\n"
      "init_connect='SET NAMES utf8mb4'\nskip_name_resolve\n\n[mysqldump]\nquick\n";
  EXPECT_EQ(without_unsafe_lines(file), file);
}

TEST(OptionFile, HowManyWorkersApplyIsForTheUserToSay) {
  const auto text = instance_option_file(kInstance, {});
  ASSERT_TRUE(text);
  EXPECT_LT(text->find("\nloose_replica_parallel_workers=16\n"), text->find("!include"));
}

TEST(OptionFile, PinsStandBehindTheRenderedFile) {
  const auto text = instance_option_file(kInstance, {});
  ASSERT_TRUE(text);
  const auto include = text->find("!include /d/conf/user.cnf");
  ASSERT_NE(include, std::string::npos);
  for (const auto& pin : safety_pins()) {
    EXPECT_GT(text->find("\n" + std::string(pin.name) + "=" + std::string(pin.value) + "\n"),
              include)
        << pin.name;
  }
  EXPECT_LT(text->find("server_id=3"), include) << "the user may choose another one";
}

// Where the server has an address of its own.
TEST(OptionFile, AdministratorsHaveAPortBesideAllClients) {
  EXPECT_THAT(*instance_option_file(kInstance, {}), Not(HasSubstr("admin")));
  auto instance = kInstance;
  instance.admin_address = "10.0.0.7";
  const auto text = *instance_option_file(instance, {});
  EXPECT_THAT(text, HasSubstr("\nloose_admin_address=10.0.0.7\nloose_admin_port=33062\n"));
  EXPECT_GT(text.find("admin_port"), text.find("!include")) << "the operator looks for it there";
}

TEST(OptionFile, TheUsersBinlogNameStays) {
  const auto text =
      instance_option_file(kInstance, {{"log_bin", "/logs/mine"}, {"skip_log_bin", ""}});
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("\nlog_bin=/logs/mine\n"));
}

TEST(OptionFile, ClientsAreToldTheSocketOnly) {
  EXPECT_EQ(*client_option_file("/d/mysqld.sock"), "[client]\nsocket=/d/mysqld.sock\n");
}

TEST(OptionFile, PathsThatWouldBreakTheFileAreRefused) {
  auto instance = kInstance;
  instance.data_dir = "/d\nsuper_read_only=OFF";
  EXPECT_EQ(instance_option_file(instance, {}).error().code, Code::Invalid);
  EXPECT_EQ(client_option_file("/d\nuser=root").error().code, Code::Invalid);
  EXPECT_EQ(instance_option_file(kInstance, {{"log_bin", "/x#y"}}).error().code, Code::Invalid);
}

}  // namespace
}  // namespace troupe::agent
