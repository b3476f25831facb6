#include "engines/mysql/model/statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::mysql {
namespace {

constexpr std::string_view kHidden = "'<redacted>'";

std::string quote(std::string_view text, char mark, bool escape_backslash) {
  std::string out;
  out.reserve(text.size() + 2);
  out.push_back(mark);
  for (const char c : text) {
    if (c == mark || (c == '\\' && escape_backslash)) out.push_back(c);
    out.push_back(c);
  }
  out.push_back(mark);
  return out;
}

Statement plain(std::string_view trusted) { return StatementBuilder().sql(trusted).build(); }

std::string_view threads_clause(ReplicaThreads threads) {
  switch (threads) {
    case ReplicaThreads::Both:
      return "";
    case ReplicaThreads::Io:
      return " IO_THREAD";
    case ReplicaThreads::Sql:
      return " SQL_THREAD";
  }
  return "";
}

Statement replica_command(std::string_view verb, DialectId id, std::string_view rest) {
  return StatementBuilder().sql(verb).sql(" ").sql(dialect(id).replica).sql(rest).build();
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

// Bare where that is safe, as people write it.
void append_name(StatementBuilder& out, std::string_view name) {
  is_word(name) ? out.sql(name) : out.identifier(name);
}

void append_value(StatementBuilder& out, const VariableValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    out.sql(*flag ? "ON" : "OFF");
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    out.number(*number);
  } else if (const auto* word = std::get_if<Word>(&value); word && is_word(word->text)) {
    out.sql(word->text);
  } else if (word) {
    out.literal(word->text);
  } else {
    out.literal(std::get<std::string>(value));
  }
}

// The options of CHANGE REPLICATION SOURCE TO, with the prefix that the server's version wants.
class SourceOptions {
 public:
  explicit SourceOptions(const Dialect& spelling) : spelling_(spelling) {
    out_.sql(spelling.change_source);
  }
  // The next option's name; its value follows.
  StatementBuilder& option(std::string_view name, std::string_view before_prefix = "") {
    return out_.sql(std::exchange(first_, false) ? " " : ", ")
        .sql(before_prefix)
        .sql(spelling_.source_option)
        .sql(name)
        .sql(" = ");
  }
  Statement build() { return out_.build(); }

 private:
  const Dialect& spelling_;
  StatementBuilder out_;
  bool first_ = true;
};

constexpr std::string_view kProbePrivileges[] = {
    "CONNECTION_ADMIN",  // passes offline_mode and super_read_only, closes sessions
    "PROCESS",
    "REPLICATION CLIENT",
    "REPLICATION SLAVE",  // SHOW REPLICAS
    "SELECT",
    "SERVICE_CONNECTION_ADMIN",
    "SYSTEM_VARIABLES_ADMIN",  // super_read_only, offline_mode
};
// With the grant option and everything that the other purposes need, so that it can grant it on.
constexpr std::string_view kControlPrivileges[] = {
    "BACKUP_ADMIN",
    "BINLOG_ADMIN",
    "CLONE_ADMIN",
    "CONNECTION_ADMIN",
    "CREATE USER",
    "DELETE",  // UNINSTALL PLUGIN
    "INSERT",  // INSTALL PLUGIN
    "PROCESS",
    "RELOAD",
    "REPLICATION CLIENT",
    "REPLICATION SLAVE",
    "REPLICATION_APPLIER",
    "REPLICATION_SLAVE_ADMIN",
    "SELECT",
    "SERVICE_CONNECTION_ADMIN",
    "SESSION_VARIABLES_ADMIN",
    "SHUTDOWN",
    "SYSTEM_USER",
    "SYSTEM_VARIABLES_ADMIN",
    "UPDATE",
};
constexpr std::string_view kReplicationPrivileges[] = {
    "CONNECTION_ADMIN",  // dump threads have to survive offline_mode
    "REPLICATION CLIENT", "REPLICATION SLAVE",
    "SERVICE_CONNECTION_ADMIN",  // comes through the admin port
};
constexpr std::string_view kCloneDonorPrivileges[] = {
    "BACKUP_ADMIN",
    "CONNECTION_ADMIN",
    "SERVICE_CONNECTION_ADMIN",
};

std::span<const std::string_view> privileges_of(AccountPurpose purpose) {
  switch (purpose) {
    case AccountPurpose::Probe:
      return kProbePrivileges;
    case AccountPurpose::Control:
      return kControlPrivileges;
    case AccountPurpose::Replication:
      return kReplicationPrivileges;
    case AccountPurpose::CloneDonor:
      return kCloneDonorPrivileges;
  }
  return {};
}

}  // namespace

std::string quote_literal(std::string_view text, Escapes escapes) {
  return quote(text, '\'', escapes == Escapes::Backslash);
}

std::string quote_identifier(std::string_view text) { return quote(text, '`', false); }

StatementBuilder& StatementBuilder::both(std::string_view text) {
  text_ += text;
  redacted_ += text;
  return *this;
}

StatementBuilder& StatementBuilder::sql(std::string_view trusted) { return both(trusted); }

StatementBuilder& StatementBuilder::identifier(std::string_view name) {
  return both(quote_identifier(name));
}

StatementBuilder& StatementBuilder::literal(std::string_view value) {
  return both(quote_literal(value));
}

StatementBuilder& StatementBuilder::number(std::uint64_t value) {
  return both(fmt::to_string(value));
}

StatementBuilder& StatementBuilder::secret(const Secret& value) {
  text_ += quote_literal(value.reveal());
  redacted_ += kHidden;
  return *this;
}

StatementBuilder& StatementBuilder::account(std::string_view user, std::string_view host) {
  return literal(user).sql("@").literal(host);
}

Statement StatementBuilder::build() {
  Statement statement;
  statement.text_ = Secret(std::exchange(text_, {}));
  statement.redacted_ = std::exchange(redacted_, {});
  return statement;
}

Statement session_setup() {
  return plain(
      "SET NAMES utf8mb4, SESSION autocommit = ON, SESSION time_zone = '+00:00', SESSION sql_mode ="
      " 'NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'");
}

Statement set_global(std::span<const Assignment> assignments) {
  StatementBuilder out;
  out.sql("SET ");
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    out.sql(i == 0 ? "GLOBAL " : ", GLOBAL ");
    append_name(out, assignments[i].name);
    out.sql(" = ");
    append_value(out, assignments[i].value);
  }
  return out.build();
}

Statement set_global(std::initializer_list<Assignment> assignments) {
  return set_global(std::span(assignments.begin(), assignments.size()));
}

Statement set_read_only(bool on) { return set_global({{"read_only", on}}); }
Statement set_super_read_only(bool on) { return set_global({{"super_read_only", on}}); }
Statement set_offline_mode(bool on) { return set_global({{"offline_mode", on}}); }

Statement enable_semi_sync_source(SemiSyncNames family, std::uint64_t acks,
                                  std::uint64_t timeout_ms) {
  const auto& names = semi_sync_source_names(family);
  return set_global({{std::string(names.timeout), timeout_ms},
                     {std::string(names.wait_no_replica), true},
                     {std::string(names.wait_point), Word{"AFTER_SYNC"}},
                     {std::string(names.wait_for_replica_count), acks},
                     {std::string(names.enabled), true}});
}

Statement disable_semi_sync_source(SemiSyncNames family) {
  return set_global({{std::string(semi_sync_source_names(family).enabled), false}});
}

Statement set_semi_sync_acks(SemiSyncNames family, std::uint64_t acks) {
  return set_global({{std::string(semi_sync_source_names(family).wait_for_replica_count), acks}});
}

Statement set_semi_sync_replica(SemiSyncNames family, bool on) {
  return set_global({{std::string(semi_sync_replica_names(family).enabled), on}});
}

Statement change_source(DialectId id, const SourceConfig& source, RelayLog relay_log) {
  const auto& spelling = dialect(id);
  SourceOptions out(spelling);
  out.option("HOST").literal(source.host);
  out.option("PORT").number(source.port);
  out.option("USER").literal(source.user);
  out.option("PASSWORD").secret(source.password);
  // A running applier refuses the option, though it changes nothing.
  if (relay_log == RelayLog::ThrownAway) out.option("AUTO_POSITION").number(1);
  const auto heartbeat = source.heartbeat_period.count();
  out.option("HEARTBEAT_PERIOD").sql(fmt::format("{}.{:03}", heartbeat / 1000, heartbeat % 1000));
  out.option("CONNECT_RETRY").number(static_cast<std::uint64_t>(source.connect_retry.count()));
  out.option("RETRY_COUNT").number(source.retry_count);
  out.option("SSL").number(source.tls && source.tls->required ? 1 : 0);
  if (source.tls) {
    out.option("SSL_CA").literal(source.tls->ca_file);
    out.option("SSL_VERIFY_SERVER_CERT").number(source.tls->verify_name ? 1 : 0);
  } else if (source.get_public_key) {
    out.option("PUBLIC_KEY", "GET_").number(1);
  }
  return out.build();
}

Statement start_replica(DialectId id, ReplicaThreads threads) {
  return replica_command("START", id, threads_clause(threads));
}

Statement stop_replica(DialectId id, ReplicaThreads threads) {
  return replica_command("STOP", id, threads_clause(threads));
}

Statement reset_replica(DialectId id, ResetReplica what) {
  return replica_command("RESET", id, what == ResetReplica::All ? " ALL" : "");
}

Statement reset_binary_logs(DialectId id) { return plain(dialect(id).reset_binary_logs); }

Statement set_gtid_purged(const GtidSet& set) {
  return set_global({{"gtid_purged", set.to_string()}});
}

Statement wait_for_executed(const GtidSet& set, std::chrono::milliseconds timeout) {
  const auto ms = timeout.count();
  return StatementBuilder()
      .sql("SELECT WAIT_FOR_EXECUTED_GTID_SET(")
      .literal(set.to_string())
      .sql(fmt::format(", {}.{:03})", ms / 1000, ms % 1000))
      .build();
}

Statement change_group_account(std::string_view user, const Secret& password,
                               std::string_view channel) {
  return StatementBuilder()
      .sql("CHANGE REPLICATION SOURCE TO SOURCE_USER = ")
      .literal(user)
      .sql(", SOURCE_PASSWORD = ")
      .secret(password)
      .sql(" FOR CHANNEL ")
      .literal(channel)
      .build();
}

Statement set_clone_donor(std::string_view host, std::uint16_t port) {
  return set_global({{"clone_valid_donor_list", fmt::format("{}:{}", host, port)}});
}

Statement clone_instance(std::string_view user, std::string_view host, std::uint16_t port,
                         const Secret& password, bool require_tls) {
  return StatementBuilder()
      .sql("CLONE INSTANCE FROM ")
      .account(user, host)
      .sql(":")
      .number(port)
      .sql(" IDENTIFIED BY ")
      .secret(password)
      .sql(require_tls ? " REQUIRE SSL" : "")
      .build();
}

std::vector<std::string_view> privileges_of(std::span<const AccountPurpose> purposes) {
  std::vector<std::string_view> all;
  for (const auto purpose : purposes) {
    const auto some = privileges_of(purpose);
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Statement create_user(std::string_view user, std::string_view host, const Secret& password) {
  return StatementBuilder()
      .sql("CREATE USER IF NOT EXISTS ")
      .account(user, host)
      .sql(" IDENTIFIED WITH caching_sha2_password BY ")
      .secret(password)
      .build();
}

Statement alter_user_password(std::string_view user, std::string_view host, const Secret& password,
                              OldPassword old) {
  return StatementBuilder()
      .sql("ALTER USER ")
      .account(user, host)
      .sql(" IDENTIFIED BY ")
      .secret(password)
      .sql(old == OldPassword::Retain ? " RETAIN CURRENT PASSWORD" : "")
      .build();
}

Statement discard_old_password(std::string_view user, std::string_view host) {
  return StatementBuilder()
      .sql("ALTER USER ")
      .account(user, host)
      .sql(" DISCARD OLD PASSWORD")
      .build();
}

Statement drop_user(std::string_view user, std::string_view host) {
  return StatementBuilder().sql("DROP USER IF EXISTS ").account(user, host).build();
}

Statement grant(std::string_view user, std::string_view host,
                std::span<const AccountPurpose> purposes) {
  const bool pass_on =
      std::find(purposes.begin(), purposes.end(), AccountPurpose::Control) != purposes.end();
  return StatementBuilder()
      .sql(fmt::format("GRANT {} ON *.* TO ", fmt::join(privileges_of(purposes), ", ")))
      .account(user, host)
      .sql(pass_on ? " WITH GRANT OPTION" : "")
      .build();
}

Statement grant_all(std::string_view user, std::string_view host) {
  return StatementBuilder()
      .sql("GRANT ALL ON *.* TO ")
      .account(user, host)
      .sql(" WITH GRANT OPTION")
      .build();
}

Statement list_sessions(std::span<const std::string> without_users,
                        std::span<const std::uint64_t> without_ids) {
  StatementBuilder out;
  out.sql(
      "SELECT ID FROM performance_schema.processlist WHERE COMMAND <> 'Daemon'"
      " AND USER NOT IN ('system user', 'event_scheduler'");
  for (const auto& user : without_users) out.sql(", ").literal(user);
  out.sql(") AND ID NOT IN (CONNECTION_ID()");
  for (const auto id : without_ids) out.sql(", ").number(id);
  return out.sql(") LIMIT ").number(kMaxSessionsListed).build();
}

Statement kill_connection(std::uint64_t id) {
  return StatementBuilder().sql("KILL CONNECTION ").number(id).build();
}

Statement install_plugin(std::string_view name, std::string_view soname) {
  return StatementBuilder()
      .sql("INSTALL PLUGIN ")
      .identifier(name)
      .sql(" SONAME ")
      .literal(soname)
      .build();
}

Statement uninstall_plugin(std::string_view name) {
  return StatementBuilder().sql("UNINSTALL PLUGIN ").identifier(name).build();
}

Statement set_session_binlog(bool on) {
  return plain(on ? "SET SESSION sql_log_bin = ON" : "SET SESSION sql_log_bin = OFF");
}

Statement reload_tls() { return plain("ALTER INSTANCE RELOAD TLS"); }

}  // namespace troupe::mysql
