#include "engines/mysql/model/probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace troupe::mysql {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Cells = std::vector<std::pair<std::string, std::optional<std::string>>>;

const char* const kUuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

ResultSet one_row(const Cells& cells) {
  std::vector<std::string> columns;
  for (const auto& [name, value] : cells) columns.push_back(name);
  ResultSet set(columns);
  for (const auto& [name, value] : cells) set.add(value);
  return set;
}

Cells variables() {
  return {
      {"version", "8.0.36"},
      {"version_comment", "MySQL Community Server - GPL"},
      {"server_uuid", kUuid},
      {"server_id", "101"},
      {"gtid_executed", std::string(kUuid) + ":1-9"},
      {"gtid_purged", ""},
      {"gtid_mode", "ON"},
      {"read_only", "1"},
      {"super_read_only", "1"},
      {"offline_mode", "0"},
      {"sync_binlog", "1"},
      {"heartbeat_age", "250000"},
      {"last_queued_age", std::nullopt},
      {"status_values",
       R"({"Uptime":"42","Rpl_semi_sync_master_clients":"2","Rpl_semi_sync_master_status":"ON"})"},
      {"variable_values",
       R"({"rpl_semi_sync_master_enabled":"ON","rpl_semi_sync_master_wait_point":"AFTER_COMMIT"})"},
      {"plugins", R"(["rpl_semi_sync_master","clone"])"},
      {"clone", R"(["Failed", 3862, "Clone Donor Error: 1045"])"}};
}

Result<ProbeAnswer> decode(const Cells& cells, ResultSet replica = {}, ResultSet attached = {},
                           DialectId id = DialectId::From8_0_26) {
  const std::vector<ResultSet> answers = {one_row(cells), std::move(replica), std::move(attached)};
  return decode_probe(EndpointId{"e"}, {id, true}, answers);
}

TEST(MysqlProbe, DecodesIdentityFlagsAndPlugins) {
  const auto answer = decode(variables());
  ASSERT_TRUE(answer.has_value());
  const auto& member = answer->observation;
  EXPECT_EQ(to_string(member.server_uuid), kUuid);
  EXPECT_EQ(member.server_id, 101u);
  EXPECT_EQ(member.version, (Version{8, 0, 36}));
  EXPECT_EQ(member.dialect, DialectId::From8_0_26);
  EXPECT_EQ(member.uptime, std::chrono::seconds(42));
  EXPECT_EQ(member.gtid_executed.count(), 9u);
  EXPECT_TRUE(member.super_read_only);
  EXPECT_FALSE(member.offline_mode);
  EXPECT_EQ(member.plugins, (std::vector<std::string>{"clone", "rpl_semi_sync_master"}));
  EXPECT_EQ(answer->shape, (ProbeShape{DialectId::From8_0_26, true}));
}

TEST(MysqlProbe, ReadsSemiSyncUnderTheNamesOfThePluginThatIsThere) {
  const auto member = decode(variables()).value().observation;
  EXPECT_EQ(member.semi_sync_source.names, SemiSyncNames::Old);
  EXPECT_EQ(member.semi_sync_source.clients, 2u);
  EXPECT_EQ(member.semi_sync_source.active, true);
  EXPECT_EQ(member.semi_sync_source.wait_point, WaitPoint::AfterCommit);
  EXPECT_EQ(member.semi_sync_source.timeout_ms, std::nullopt);
  EXPECT_FALSE(member.semi_sync_replica.installed());
}

TEST(MysqlProbe, ReadsTheStateOfAClone) {
  const auto member = decode(variables()).value().observation;
  ASSERT_TRUE(member.clone.has_value());
  EXPECT_EQ(member.clone->state, CloneState::Failed);
  EXPECT_EQ(member.clone->error.number, 3862u);
}

Cells replica_row(const std::string& channel) {
  return {{"Channel_Name", channel},
          {"Source_Host", "10.0.0.1"},
          {"Source_Port", "3306"},
          {"Source_User", "repl"},
          {"Source_UUID", kUuid},
          {"Replica_IO_Running", "Connecting"},
          {"Replica_SQL_Running", "Yes"},
          {"Last_IO_Errno", "2003"},
          {"Last_IO_Error", "error connecting to source"},
          {"Last_SQL_Errno", "0"},
          {"Last_SQL_Error", ""},
          {"Auto_Position", "1"},
          {"Seconds_Behind_Source", std::nullopt},
          {"Retrieved_Gtid_Set", std::string(kUuid) + ":5-12"}};
}

TEST(MysqlProbe, UnknownIsNotZero) {
  const auto member = decode(variables(), one_row(replica_row(""))).value().observation;
  ASSERT_TRUE(member.replica.has_value());
  EXPECT_EQ(member.replica->seconds_behind, std::nullopt);
  EXPECT_EQ(member.replica->last_queued_age, std::nullopt);
  EXPECT_EQ(member.replica->heartbeat_age, std::chrono::milliseconds(250));
  EXPECT_EQ(member.replica->io, ThreadState::Connecting);
  EXPECT_EQ(member.replica->io_error.number, 2003u);
}

TEST(MysqlProbe, APositionIsReceivedUnitedWithExecuted) {
  const auto member = decode(variables(), one_row(replica_row(""))).value().observation;
  EXPECT_EQ(member.position().to_string(), std::string(kUuid) + ":1-12");
}

TEST(MysqlProbe, OtherChannelsAreCountedButNotTaken) {
  const auto member = decode(variables(), one_row(replica_row("group"))).value().observation;
  EXPECT_FALSE(member.replica.has_value());
  EXPECT_EQ(member.other_channels, 1u);
}

TEST(MysqlProbe, ReadsAGroupAsItsMemberSeesIt) {
  auto cells = variables();
  EXPECT_FALSE(decode(cells).value().observation.group) << "without the plugin there is none";
  for (auto& [name, value] : cells)
    if (name == "variable_values") value = R"({"group_replication_group_name":"g"})";
  const std::string other = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
  cells.push_back({"group_members", "[[\"" + std::string(kUuid) +
                                        "\", \"db-0\", 3306, \"ONLINE\", \"SECONDARY\"], [\"" +
                                        other +
                                        "\", \"db-1\", 3307, \"UNREACHABLE\", \"PRIMARY\"]]"});
  cells.push_back({"group_stats", R"(["17:4", 12])"});
  cells.push_back({"group_received", std::string(kUuid) + ":5-12"});
  const auto member = decode(cells).value().observation;
  ASSERT_TRUE(member.group);
  EXPECT_EQ(member.group->group_name, "g");
  EXPECT_EQ(member.group->view_id, "17:4");
  EXPECT_EQ(member.group->state, GroupState::Online);
  EXPECT_EQ(member.group->queued, 12u);
  ASSERT_EQ(member.group->peers.size(), 2u);
  EXPECT_EQ(member.group->peers[1].server_uuid, parse_uuid(other));
  EXPECT_EQ(member.group->peers[1].port, 3307);
  EXPECT_EQ(member.group->peers[1].state, GroupState::Unreachable);
  EXPECT_TRUE(member.group->peers[1].primary);
  EXPECT_EQ(member.position().to_string(), std::string(kUuid) + ":1-12");
}

TEST(MysqlProbe, AMemberOfNoGroupIsOffline) {
  auto cells = variables();
  for (auto& [name, value] : cells)
    if (name == "variable_values") value = R"({"group_replication_group_name":""})";
  cells.push_back({"group_members", R"([["", "", null, "OFFLINE", ""]])"});
  const auto member = decode(cells).value().observation;
  ASSERT_TRUE(member.group);
  EXPECT_EQ(member.group->state, GroupState::Offline);
}

TEST(MysqlProbe, ReadsOldServersByTheirOldColumns) {
  Cells row = {{"Channel_Name", ""},          {"Master_Host", "10.0.0.1"},
               {"Master_Port", "3306"},       {"Master_UUID", kUuid},
               {"Slave_IO_Running", "Yes"},   {"Slave_SQL_Running", "No"},
               {"Seconds_Behind_Master", "3"}};
  const auto member = decode(variables(), one_row(row), {}, DialectId::From5_7).value().observation;
  ASSERT_TRUE(member.replica.has_value());
  EXPECT_EQ(member.replica->source_host, "10.0.0.1");
  EXPECT_EQ(member.replica->io, ThreadState::On);
  EXPECT_EQ(member.replica->sql, ThreadState::Off);
  EXPECT_EQ(member.replica->seconds_behind, 3u);
}

TEST(MysqlProbe, RefusesAnAnswerWithoutIdentityOrWithABrokenSet) {
  auto no_uuid = variables();
  no_uuid[2].second = std::nullopt;
  EXPECT_FALSE(decode(no_uuid).has_value());
  auto broken = variables();
  broken[4].second = "nonsense";
  EXPECT_FALSE(decode(broken).has_value());
  EXPECT_FALSE(decode_probe(EndpointId{"e"}, {}, {}).has_value());
}

TEST(MysqlProbe, NamesOnlyWhatTheServerHas) {
  const auto text = [](const ProbeShape& shape) {
    return std::string(probe_statements(shape)[0].text());
  };
  EXPECT_THAT(text({DialectId::From8_2, true}), HasSubstr("performance_schema.clone_status"));
  EXPECT_THAT(text({DialectId::From8_2, false}), Not(HasSubstr("clone_status")));
  EXPECT_THAT(text({DialectId::From8_2, false}),
              HasSubstr("@@GLOBAL.replica_preserve_commit_order"));
  EXPECT_THAT(text({DialectId::From8_0_23, false}),
              HasSubstr("@@GLOBAL.slave_preserve_commit_order"));
  EXPECT_EQ(probe_statements({DialectId::From8_2, false})[1].text(), "SHOW REPLICA STATUS");
  EXPECT_EQ(probe_statements({DialectId::From5_7, false})[1].text(), "SHOW SLAVE STATUS");
  EXPECT_EQ(probe_statements({DialectId::From5_7, false})[2].text(), "SHOW SLAVE HOSTS");
}

}  // namespace
}  // namespace troupe::mysql
