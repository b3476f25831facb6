#include "engines/mysql/model/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

namespace troupe::mysql {
namespace {

// Plugins whose presence changes what Troupe may ask or send.
constexpr std::string_view kPluginList =
    "'clone', 'group_replication', 'rpl_semi_sync_source', 'rpl_semi_sync_replica', "
    "'rpl_semi_sync_master', 'rpl_semi_sync_slave'";
constexpr std::string_view kPluginsColumn =
    "(SELECT JSON_ARRAYAGG(PLUGIN_NAME) FROM information_schema.PLUGINS"
    " WHERE PLUGIN_STATUS = 'ACTIVE' AND PLUGIN_NAME IN ({})) AS plugins";

constexpr std::string_view kPlainVariables[] = {
    "server_uuid",
    "server_id",
    "gtid_executed",
    "gtid_purged",
    "gtid_mode",
    "read_only",
    "offline_mode",
    "super_read_only",
    "report_host",
    "sync_binlog",
    "relay_log_recovery",
    "sync_relay_log",
    "innodb_flush_log_at_trx_commit",
};

// Age of a timestamp on the server's own clock, in microseconds; NULL for "never".
std::string age_column(std::string_view timestamp, std::string_view name) {
  return fmt::format(
      "(SELECT TIMESTAMPDIFF(MICROSECOND, NULLIF({}, 0), NOW(6))"
      " FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = '') AS {}",
      timestamp, name);
}

std::string named_values_column(std::string_view table, std::span<const std::string_view> names,
                                std::string_view column) {
  return fmt::format(
      "(SELECT JSON_OBJECTAGG(VARIABLE_NAME, VARIABLE_VALUE) FROM performance_schema.{}"
      " WHERE VARIABLE_NAME IN ('{}')) AS {}",
      table, fmt::join(names, "', '"), column);
}

std::string status_column() {
  std::vector<std::string_view> names = {"Uptime"};
  for (const auto family : {SemiSyncNames::Old, SemiSyncNames::New}) {
    const auto& source = semi_sync_source_names(family);
    names.insert(names.end(), {source.clients, source.status, source.wait_sessions, source.yes_tx,
                               source.no_tx, semi_sync_replica_names(family).status});
  }
  return named_values_column("global_status", names, "status_values");
}

constexpr std::string_view kGroupName = "group_replication_group_name";

std::string variables_column() {
  std::vector<std::string_view> names = {kGroupName};
  for (const auto family : {SemiSyncNames::Old, SemiSyncNames::New}) {
    const auto& source = semi_sync_source_names(family);
    names.insert(names.end(), {source.enabled, source.timeout, source.wait_for_replica_count,
                               source.wait_no_replica, source.wait_point,
                               semi_sync_replica_names(family).enabled});
  }
  return named_values_column("global_variables", names, "variable_values");
}

// The tables are there without the plugin, too; roles and the channel's set since 8.0.
constexpr std::string_view kGroupColumns =
    ", (SELECT JSON_ARRAYAGG(JSON_ARRAY(MEMBER_ID, MEMBER_HOST, MEMBER_PORT, MEMBER_STATE, "
    "MEMBER_ROLE)) FROM performance_schema.replication_group_members) AS group_members"
    ", (SELECT JSON_ARRAY(VIEW_ID, COUNT_TRANSACTIONS_IN_QUEUE"
    " + COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE)"
    " FROM performance_schema.replication_group_member_stats"
    " WHERE MEMBER_ID = @@server_uuid) AS group_stats"
    ", (SELECT RECEIVED_TRANSACTION_SET FROM performance_schema.replication_connection_status"
    " WHERE CHANNEL_NAME = 'group_replication_applier') AS group_received";

std::string variables_query(const ProbeShape& shape) {
  const auto& spelling = dialect(shape.dialect);
  std::string sql = "SELECT VERSION() AS version, @@version_comment AS version_comment";
  for (const auto name : kPlainVariables) sql += fmt::format(", @@GLOBAL.{0} AS {0}", name);
  sql += fmt::format(", @@GLOBAL.{}preserve_commit_order AS replica_preserve_commit_order",
                     spelling.replica_variable);
  sql += fmt::format(", @@GLOBAL.{} AS log_replica_updates", spelling.log_replica_updates);
  if (shape.dialect >= DialectId::From8_0_26) {
    sql +=
        ", @@GLOBAL.skip_replica_start AS skip_replica_start"
        ", @@GLOBAL.replication_sender_observe_commit_only"
        " AS replication_sender_observe_commit_only";
    sql += kGroupColumns;
  }
  sql += ", " + age_column("LAST_HEARTBEAT_TIMESTAMP", "heartbeat_age");
  sql += ", " + age_column("LAST_QUEUED_TRANSACTION_END_QUEUE_TIMESTAMP", "last_queued_age");
  sql += ", " + status_column() + ", " + variables_column();
  sql += ", " + fmt::format(kPluginsColumn, kPluginList);
  if (shape.clone) {
    sql +=
        ", (SELECT JSON_ARRAY(STATE, ERROR_NO, ERROR_MESSAGE)"
        " FROM performance_schema.clone_status LIMIT 1) AS clone";
  }
  return sql;
}

// A JSON object of strings, as JSON_OBJECTAGG makes it.
class NamedValues {
 public:
  explicit NamedValues(std::optional<std::string_view> json) {
    boost::json::error_code failed;
    auto value = boost::json::parse(boost::json::string_view(json.value_or("{}")), failed);
    if (!failed && value.is_object()) values_ = std::move(value.as_object());
  }
  bool has(std::string_view name) const { return values_.contains(name); }
  std::optional<std::string_view> text(std::string_view name) const {
    const auto* value = values_.if_contains(name);
    if (!value || !value->is_string()) return std::nullopt;
    return std::string_view(value->get_string());
  }
  std::optional<std::uint64_t> number(std::string_view name) const {
    const auto value = text(name);
    return value ? parse_number(*value) : std::nullopt;
  }
  std::optional<bool> flag(std::string_view name) const {
    const auto value = text(name);
    return value ? parse_flag(*value) : std::nullopt;
  }

 private:
  boost::json::object values_;
};

std::vector<std::string> decode_plugins(const Row& row) {
  std::vector<std::string> plugins;
  boost::json::error_code failed;
  const auto json = row.get("plugins").value_or("[]");
  const auto list = boost::json::parse(boost::json::string_view(json), failed);
  if (failed || !list.is_array()) return plugins;
  for (const auto& name : list.get_array()) {
    if (name.is_string()) plugins.emplace_back(name.get_string());
  }
  std::sort(plugins.begin(), plugins.end());
  return plugins;
}

bool has_plugin(const std::vector<std::string>& plugins, std::string_view name) {
  return std::binary_search(plugins.begin(), plugins.end(), name);
}

std::optional<WaitPoint> wait_point(std::optional<std::string_view> text) {
  if (text == "AFTER_SYNC") return WaitPoint::AfterSync;
  if (text == "AFTER_COMMIT") return WaitPoint::AfterCommit;
  return std::nullopt;
}

SemiSyncSource decode_source(const NamedValues& variables, const NamedValues& status) {
  for (const auto family : {SemiSyncNames::New, SemiSyncNames::Old}) {
    const auto& names = semi_sync_source_names(family);
    if (!variables.has(names.enabled)) continue;
    SemiSyncSource source;
    source.names = family;
    source.enabled = variables.flag(names.enabled);
    source.timeout_ms = variables.number(names.timeout);
    source.wait_for_replica_count = variables.number(names.wait_for_replica_count);
    source.wait_no_replica = variables.flag(names.wait_no_replica);
    source.wait_point = wait_point(variables.text(names.wait_point));
    source.active = status.flag(names.status);
    source.clients = status.number(names.clients);
    source.wait_sessions = status.number(names.wait_sessions);
    source.yes_tx = status.number(names.yes_tx);
    source.no_tx = status.number(names.no_tx);
    return source;
  }
  return {};
}

SemiSyncReplica decode_replica_side(const NamedValues& variables, const NamedValues& status) {
  for (const auto family : {SemiSyncNames::New, SemiSyncNames::Old}) {
    const auto& names = semi_sync_replica_names(family);
    if (!variables.has(names.enabled)) continue;
    return {family, variables.flag(names.enabled), status.flag(names.status)};
  }
  return {};
}

DurabilitySettings decode_durability(const Row& row) {
  DurabilitySettings set;
  set.sync_binlog = row.number("sync_binlog");
  set.innodb_flush_log_at_trx_commit = row.number("innodb_flush_log_at_trx_commit");
  set.sync_relay_log = row.number("sync_relay_log");
  set.relay_log_recovery = row.flag("relay_log_recovery");
  set.replica_preserve_commit_order = row.flag("replica_preserve_commit_order");
  set.replication_sender_observe_commit_only = row.flag("replication_sender_observe_commit_only");
  set.log_replica_updates = row.flag("log_replica_updates");
  set.skip_replica_start = row.flag("skip_replica_start");
  set.gtid_mode = row.get("gtid_mode") == "ON";
  return set;
}

std::optional<Duration> decode_age(const Row& row, std::string_view column) {
  const auto microseconds = row.number(column);
  if (!microseconds) return std::nullopt;
  return std::chrono::microseconds(*microseconds);
}

std::optional<CloneStatus> decode_clone(const Row& row) {
  const auto json = row.get("clone");
  if (!json) return std::nullopt;
  boost::json::error_code failed;
  const auto value = boost::json::parse(boost::json::string_view(*json), failed);
  if (failed || !value.is_array() || value.get_array().size() != 3) return std::nullopt;
  const auto& fields = value.get_array();
  const auto text = [&](std::size_t i) {
    return fields[i].is_string() ? std::string_view(fields[i].get_string()) : std::string_view{};
  };
  CloneStatus status;
  if (text(0) == "In Progress") status.state = CloneState::InProgress;
  if (text(0) == "Completed") status.state = CloneState::Completed;
  if (text(0) == "Failed") status.state = CloneState::Failed;
  if (fields[1].is_int64()) status.error.number = static_cast<unsigned>(fields[1].get_int64());
  status.error.text = sanitize(text(2));
  return status;
}

boost::json::array parse_array(std::optional<std::string_view> json) {
  boost::json::error_code failed;
  auto value = boost::json::parse(boost::json::string_view(json.value_or("[]")), failed);
  return !failed && value.is_array() ? std::move(value.as_array()) : boost::json::array();
}

std::string_view text_of(const boost::json::value& value) {
  return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
}

std::uint64_t number_of(const boost::json::value& value) {
  boost::json::error_code failed;
  const auto number = value.to_number<std::uint64_t>(failed);
  return failed ? 0 : number;
}

GroupState group_state(std::string_view text) {
  for (const auto state :
       {GroupState::Recovering, GroupState::Online, GroupState::Error, GroupState::Unreachable})
    if (to_string(state) == text) return state;
  return GroupState::Offline;
}

Result<std::optional<GroupStatus>> decode_group(const Row& row, const NamedValues& variables,
                                                const Uuid& self) {
  if (!variables.has(kGroupName)) return std::optional<GroupStatus>();
  GroupStatus group;
  group.group_name = variables.text(kGroupName).value_or("");
  for (const auto& entry : parse_array(row.get("group_members"))) {
    if (!entry.is_array() || entry.get_array().size() != 5) continue;
    const auto& fields = entry.get_array();
    group.peers.push_back({.server_uuid = parse_uuid(text_of(fields[0])),
                           .host = std::string(text_of(fields[1])),
                           .port = static_cast<std::uint16_t>(number_of(fields[2])),
                           .state = group_state(text_of(fields[3])),
                           .primary = text_of(fields[4]) == "PRIMARY"});
    if (group.peers.back().server_uuid == self) group.state = group.peers.back().state;
  }
  if (const auto stats = parse_array(row.get("group_stats")); stats.size() == 2) {
    group.view_id = text_of(stats[0]);
    group.queued = number_of(stats[1]);
  }
  auto received = GtidSet::parse(row.text("group_received"));
  if (!received) return received.error();
  group.received = std::move(*received);
  return std::optional(std::move(group));
}

ThreadState thread_state(std::optional<std::string_view> text) {
  if (text == "Yes") return ThreadState::On;
  if (text == "Connecting") return ThreadState::Connecting;
  return ThreadState::Off;
}

// Reads columns by their new names, whichever the server uses.
class ReplicaRow {
 public:
  ReplicaRow(const Row& row, DialectId id) : row_(row), old_(id < DialectId::From8_0_22) {}
  std::optional<std::string_view> get(std::string_view name) const {
    return row_.get(column(name));
  }
  std::optional<std::uint64_t> number(std::string_view name) const {
    return row_.number(column(name));
  }
  std::string text(std::string_view name) const { return row_.text(column(name)); }

 private:
  std::string column(std::string_view name) const {
    std::string out(name);
    if (!old_) return out;
    for (const auto& [modern, former] :
         {std::pair<std::string_view, std::string_view>{"Source", "Master"},
          {"Replica", "Slave"}}) {
      const auto at = out.find(modern);
      if (at != std::string::npos) out.replace(at, modern.size(), former);
    }
    return out;
  }
  const Row& row_;
  bool old_;
};

Result<ReplicaStatus> decode_replica(const ReplicaRow& row) {
  ReplicaStatus status;
  status.source_host = row.text("Source_Host");
  status.source_port = static_cast<std::uint16_t>(row.number("Source_Port").value_or(0));
  status.source_user = row.text("Source_User");
  status.source_uuid = parse_uuid(row.text("Source_UUID"));
  status.io = thread_state(row.get("Replica_IO_Running"));
  status.sql = thread_state(row.get("Replica_SQL_Running"));
  status.io_error = {static_cast<unsigned>(row.number("Last_IO_Errno").value_or(0)),
                     sanitize(row.text("Last_IO_Error"))};
  status.sql_error = {static_cast<unsigned>(row.number("Last_SQL_Errno").value_or(0)),
                      sanitize(row.text("Last_SQL_Error"))};
  status.auto_position = row.number("Auto_Position") == 1U;
  status.seconds_behind = row.number("Seconds_Behind_Source");
  auto retrieved = GtidSet::parse(row.text("Retrieved_Gtid_Set"));
  if (!retrieved) return retrieved.error();
  status.retrieved = std::move(*retrieved);
  return status;
}

Result<void> decode_channels(const ResultSet& rows, DialectId id, MemberObservation& out) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows[i];
    if (!row.text("Channel_Name").empty()) {
      ++out.other_channels;
      continue;
    }
    auto status = decode_replica(ReplicaRow(row, id));
    if (!status) return status.error();
    out.replica = std::move(*status);
  }
  return {};
}

std::vector<AttachedReplica> decode_attached(const ResultSet& rows) {
  std::vector<AttachedReplica> attached;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows[i];
    const auto uuid = row.get("Replica_UUID") ? row.text("Replica_UUID") : row.text("Slave_UUID");
    attached.push_back({static_cast<std::uint32_t>(row.number("Server_Id").value_or(0)),
                        parse_uuid(uuid), row.text("Host"),
                        static_cast<std::uint16_t>(row.number("Port").value_or(0))});
  }
  return attached;
}

Result<void> decode_identity(const Row& row, MemberObservation& out) {
  const auto uuid = parse_uuid(row.text("server_uuid"));
  if (!uuid) return error(Code::Invalid, "probe: the server gave no server_uuid");
  out.server_uuid = *uuid;
  out.server_id = static_cast<std::uint32_t>(row.number("server_id").value_or(0));
  out.version_text = row.text("version");
  const auto detection = detect(out.version_text, row.text("version_comment"));
  out.version = detection.version;
  out.dialect = detection.id;
  auto executed = GtidSet::parse(row.text("gtid_executed"));
  if (!executed) return executed.error();
  out.gtid_executed = std::move(*executed);
  auto purged = GtidSet::parse(row.text("gtid_purged"));
  if (!purged) return purged.error();
  out.gtid_purged = std::move(*purged);
  return {};
}

}  // namespace

Statement hello_statement() {
  return StatementBuilder()
      .sql("SELECT VERSION() AS version, @@version_comment AS version_comment, ")
      .sql(fmt::format(kPluginsColumn, kPluginList))
      .build();
}

Result<Hello> decode_hello(const ResultSet& answer) {
  if (answer.size() != 1) return error(Code::Invalid, "hello: expected one row");
  const auto row = answer[0];
  Hello hello;
  hello.detection = detect(row.text("version"), row.text("version_comment"));
  hello.shape = {hello.detection.id, has_plugin(decode_plugins(row), "clone")};
  return hello;
}

std::array<Statement, kProbeStatements> probe_statements(const ProbeShape& shape) {
  const auto& spelling = dialect(shape.dialect);
  return {StatementBuilder().sql(variables_query(shape)).build(),
          StatementBuilder().sql("SHOW ").sql(spelling.replica).sql(" STATUS").build(),
          StatementBuilder().sql(spelling.show_replicas).build()};
}

Result<ProbeAnswer> decode_probe(const EndpointId& endpoint, const ProbeShape& shape,
                                 std::span<const ResultSet> answers) {
  if (answers.size() != kProbeStatements || answers[0].size() != 1) {
    return error(Code::Invalid, "probe: expected three answers, the first of one row");
  }
  const auto row = answers[0][0];
  ProbeAnswer answer;
  auto& out = answer.observation;
  out.endpoint = endpoint;
  if (auto identity = decode_identity(row, out); !identity) return identity.error();

  const NamedValues status(row.get("status_values"));
  const NamedValues variables(row.get("variable_values"));
  out.uptime = std::chrono::seconds(status.number("Uptime").value_or(0));
  out.read_only = row.flag("read_only").value_or(false);
  out.super_read_only = row.flag("super_read_only").value_or(false);
  out.offline_mode = row.flag("offline_mode").value_or(false);
  out.report_host = row.text("report_host");
  out.semi_sync_source = decode_source(variables, status);
  out.semi_sync_replica = decode_replica_side(variables, status);
  out.durability = decode_durability(row);
  out.plugins = decode_plugins(row);
  out.clone = decode_clone(row);
  auto group = decode_group(row, variables, out.server_uuid);
  if (!group) return group.error();
  out.group = std::move(*group);
  if (auto channels = decode_channels(answers[1], shape.dialect, out); !channels) {
    return channels.error();
  }
  if (out.replica) {
    out.replica->heartbeat_age = decode_age(row, "heartbeat_age");
    out.replica->last_queued_age = decode_age(row, "last_queued_age");
  }
  out.attached = decode_attached(answers[2]);
  answer.shape = {out.dialect, has_plugin(out.plugins, "clone")};
  return answer;
}

}  // namespace troupe::mysql
