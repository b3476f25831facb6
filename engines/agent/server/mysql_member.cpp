#include "engines/agent/server/mysql_member.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engines/agent/server/files.hpp"

namespace troupe::agent {
namespace {

using mysql::GtidSet;
using mysql::SemiSyncNames;
using mysql::Statement;
using mysql::StatementBuilder;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The supervisor's plugins are the new ones (option_file.cpp loads them).
constexpr auto kNames = SemiSyncNames::New;
constexpr milliseconds kPoll{3};            // between looks at a counter that is about to change
constexpr milliseconds kDrainSlice{500};    // between reports of a drain's progress
constexpr milliseconds kStopLimit{30'000};  // STOP REPLICA may wait for a large transaction
constexpr milliseconds kToLogEnd{1'000};    // for an applier that has nothing left to apply
constexpr std::uint64_t kReceiverTimeoutSeconds = 8;  // eight missed heartbeats of a source

Statement identity_statement() {
  return StatementBuilder()
      .sql(
          "SELECT @@server_uuid AS server_uuid, @@gtid_executed AS executed, "
          "@@gtid_purged AS purged, @@read_only AS read_only, "
          "@@super_read_only AS super_read_only, @@offline_mode AS offline")
      .build();
}

// The session that hands out what is to be applied, while there is one.
Statement applier_statement() {
  return StatementBuilder()
      .sql(
          "SELECT t.PROCESSLIST_ID AS session, IFNULL(t.PROCESSLIST_STATE, '') AS state, "
          "c.PROCESSING_TRANSACTION <> '' AS in_transaction "
          "FROM performance_schema.replication_applier_status_by_coordinator c "
          "JOIN performance_schema.threads t USING (THREAD_ID) WHERE c.CHANNEL_NAME = ''")
      .build();
}

Statement semi_sync_statement() {
  const auto& source = mysql::semi_sync_source_names(kNames);
  const auto& replica = mysql::semi_sync_replica_names(kNames);
  const auto status = [](std::string_view name, std::string_view as) {
    return fmt::format(
        "(SELECT VARIABLE_VALUE FROM performance_schema.global_status "
        "WHERE VARIABLE_NAME = '{}') AS {}",
        name, as);
  };
  return StatementBuilder()
      .sql(fmt::format(
          "SELECT @@{} AS source_enabled, @@{} AS acks, @@{} AS replica_enabled, {}, {}",
          source.enabled, source.wait_for_replica_count, replica.enabled,
          status(source.clients, "clients"), status(source.wait_sessions, "waiting_sessions")))
      .build();
}

}  // namespace

MysqlMember::MysqlMember(const AgentSettings& settings, LocalMysql& database,
                         SuperviseClient& supervisor, const Board& board)
    : settings_(settings), database_(database), supervisor_(supervisor), board_(board) {}

// --- reading -----------------------------------------------------------------------------------

Result<mysql::DialectId> MysqlMember::dialect(Work& work) {
  if (dialect_ != mysql::DialectId::Unsupported) return dialect_.load();
  const auto rows = database_.query(
      StatementBuilder().sql("SELECT VERSION() AS version, @@version_comment AS comment").build(),
      work);
  if (!rows) return rows.error();
  const auto detected = mysql::detect((*rows)[0].text("version"), (*rows)[0].text("comment"));
  if (detected.id < mysql::DialectId::From8_0_26) {
    return error(Code::Invalid,
                 fmt::format("MySQL {} is too old or unknown, expected 8.0.26 or later ({})",
                             (*rows)[0].text("version"), detected.reason));
  }
  dialect_ = detected.id;
  return detected.id;
}

Result<void> MysqlMember::run_statement(Statement statement, Work& work, milliseconds limit) {
  auto done = database_.query(std::move(statement), work, limit);
  if (!done) return done.error();
  return {};
}

Result<MysqlMember::Identity> MysqlMember::identity(Work& work) {
  const auto rows = database_.query(identity_statement(), work);
  if (!rows) return rows.error();
  const auto row = (*rows)[0];
  auto executed = GtidSet::parse(row.text("executed"));
  if (!executed) return executed.error();
  auto purged = GtidSet::parse(row.text("purged"));
  if (!purged) return purged.error();
  return Identity{.server_uuid = row.text("server_uuid"),
                  .executed = *std::move(executed),
                  .purged = *std::move(purged),
                  .read_only = row.flag("read_only").value_or(false),
                  .super_read_only = row.flag("super_read_only").value_or(false),
                  .offline = row.flag("offline").value_or(false)};
}

Result<std::optional<MysqlMember::Channel>> MysqlMember::channel(Work& work) {
  const auto rows = database_.query(StatementBuilder().sql("SHOW REPLICA STATUS").build(), work);
  if (!rows) return rows.error();
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const auto row = (*rows)[i];
    if (!row.text("Channel_Name").empty()) continue;
    const auto receiver = row.text("Replica_IO_Running");
    auto received = GtidSet::parse(row.text("Retrieved_Gtid_Set"));
    if (!received) return received.error();
    return Channel{
        .host = row.text("Source_Host"),
        .user = row.text("Source_User"),
        .port = static_cast<std::uint16_t>(row.number("Source_Port").value_or(0)),
        .auto_position = row.flag("Auto_Position").value_or(false),
        .receiver_wanted = receiver != "No",
        .receiver_connected = receiver == "Yes",
        .applier_running = row.text("Replica_SQL_Running") == "Yes",
        .receiver_error_number = static_cast<unsigned>(row.number("Last_IO_Errno").value_or(0)),
        .receiver_error = row.text("Last_IO_Error"),
        .applier_error = row.text("Last_SQL_Error"),
        .received = *std::move(received)};
  }
  return std::optional<Channel>();
}

Result<MysqlMember::SemiSync> MysqlMember::semi_sync(Work& work) {
  const auto rows = database_.query(semi_sync_statement(), work);
  if (!rows) return rows.error();
  const auto row = (*rows)[0];
  return SemiSync{.source_enabled = row.flag("source_enabled").value_or(false),
                  .replica_enabled = row.flag("replica_enabled").value_or(false),
                  .acks = row.number("acks").value_or(0),
                  .clients = row.number("clients").value_or(0),
                  .waiting_sessions = row.number("waiting_sessions").value_or(0)};
}

// --- receiving and applying --------------------------------------------------------------------

Result<void> MysqlMember::stop_receiver(Work& work) {
  const auto spelling = dialect(work);
  if (!spelling) return spelling.error();
  return run_statement(mysql::stop_replica(*spelling, mysql::ReplicaThreads::Io), work, kStopLimit);
}

// A transaction whose rest was not received before its source died: an applier in the middle of one
// waits a minute for more when it is told to stop (SLAVE_WAIT_GROUP_DONE in the server's
// sql/rpl_replica.cc), and nobody sends it. Killed, it rolls back what nobody acknowledged.
//
// The receiver is stopped, and what it has received is applied or soon will be: the applier comes
// to the end of its log, where it either is in a transaction or in none.
Result<void> MysqlMember::give_up_cut_short(Work& work) {
  const auto end = Work::Clock::now() + work.within(kToLogEnd);
  while (true) {
    const auto rows = database_.query(applier_statement(), work);
    if (!rows) return rows.error();
    if (rows->empty()) return {};
    const auto row = (*rows)[0];
    const bool at_end = row.text("state").find("has read all relay log") != std::string::npos;
    if (at_end && !row.flag("in_transaction").value_or(false)) return {};
    if (at_end) {
      const auto killed = database_.execute(
          {mysql::kill_connection(row.number("session").value_or(0))}, work, work.left());
      if (!killed && killed.error().number != mysql::error_number::kNoSuchThread)
        return to_error(killed.error());
    }
    if (Work::Clock::now() >= end) return {};  // STOP REPLICA does it, if late
    if (auto go_on = work.pause(kPoll); !go_on) return go_on;
  }
}

Result<void> MysqlMember::stop_replicating(Work& work) {
  const auto spelling = dialect(work);
  if (!spelling) return spelling.error();
  if (auto given_up = give_up_cut_short(work); !given_up) return given_up;
  return run_statement(mysql::stop_replica(*spelling), work, kStopLimit);
}

void MysqlMember::let_go_of_source(Work& work) {
  if (stop_receiver(work)) (void)give_up_cut_short(work);
}

Result<Reply> MysqlMember::run(const StopReceiver&, Work& work) {
  auto present = channel(work);
  if (!present) return present.error();
  if (*present && (*present)->receiver_wanted) {
    if (auto stopped = stop_receiver(work); !stopped) return stopped.error();
    present = channel(work);
    if (!present) return present.error();
  }
  const auto who = identity(work);
  if (!who) return who.error();
  const auto received = *present ? (*present)->received : GtidSet{};
  return Reply{ReceiverStopped{who->server_uuid, received.to_string(), who->executed.to_string()},
               "the receiver is stopped"};
}

// The applier must run, or what was received is never executed.
Result<void> MysqlMember::expect_applier(Work& work) {
  const auto present = channel(work);
  if (!present) return present.error();
  if (!*present || (*present)->applier_running) return {};
  if (!(*present)->applier_error.empty()) {
    return error(Code::Fatal,
                 "the applier has stopped: " + mysql::sanitize((*present)->applier_error));
  }
  const auto spelling = dialect(work);
  if (!spelling) return spelling.error();
  return run_statement(mysql::start_replica(*spelling, mysql::ReplicaThreads::Sql), work);
}

Result<void> MysqlMember::drain(const GtidSet& until, Work& work) {
  auto who = identity(work);
  if (!who) return who.error();
  const auto at_first = mysql::subtract(until, who->executed).count();
  while (true) {
    const auto left = mysql::subtract(until, who->executed).count();
    if (left == 0) return {};
    work.stage(fmt::format("applying {} transactions", left),
               1.0 - static_cast<double>(left) / static_cast<double>(at_first));
    if (auto applying = expect_applier(work); !applying) return applying;
    const auto waited = database_.query(mysql::wait_for_executed(until, kDrainSlice), work,
                                        kDrainSlice + seconds(5));
    if (!waited) return waited.error();
    if (auto go_on = work.check(); !go_on) return go_on;
    who = identity(work);
    if (!who) return who.error();
  }
}

Result<void> MysqlMember::drain_received(Work& work) {
  const auto present = channel(work);
  if (!present) return present.error();
  if (!*present) return {};
  return drain((*present)->received, work);
}

Result<Reply> MysqlMember::run(const Drain& command, Work& work) {
  if (command.until.empty()) {
    if (auto drained = drain_received(work); !drained) return drained.error();
  } else {
    const auto until = GtidSet::parse(command.until);
    if (!until) return until.error();
    if (auto drained = drain(*until, work); !drained) return drained.error();
  }
  const auto who = identity(work);
  if (!who) return who.error();
  return Reply{Drained{who->executed.to_string()}, "everything asked for is applied"};
}

Result<void> MysqlMember::leave_replication(Work& work) {
  const auto present = channel(work);
  if (!present) return present.error();
  if (!*present) return {};
  const auto spelling = dialect(work);
  if (!spelling) return spelling.error();
  auto left = stop_receiver(work);
  if (left) left = stop_replicating(work);
  if (left) left = run_statement(mysql::reset_replica(*spelling), work);
  return left;
}

// --- becoming the source -----------------------------------------------------------------------

Result<Reply> MysqlMember::run(const Promote& command, Work& work) {
  const auto before = channel(work);
  if (!before) return before.error();
  if (*before) {
    // Nothing more comes in, then all that came in is applied, then the applier has nothing to do.
    if ((*before)->receiver_wanted) {
      if (auto stopped = stop_receiver(work); !stopped) return stopped.error();
    }
    if (auto drained = drain_received(work); !drained) return drained.error();
    if (auto stopped = stop_replicating(work); !stopped) return stopped.error();
  }
  auto prepared = command.semi_sync && command.acks > 0 ? make_semi_sync_source(command.acks, work)
                                                        : drop_semi_sync_source(work);
  if (!prepared) return prepared.error();
  auto replica_off = run_statement(mysql::set_semi_sync_replica(kNames, false), work);
  if (!replica_off) return replica_off.error();
  const auto who = identity(work);
  if (!who) return who.error();
  return Reply{Promoted{who->server_uuid, who->executed.to_string()}, "ready to be the source"};
}

Result<void> MysqlMember::make_semi_sync_source(std::uint32_t acks, Work& work) {
  auto set = run_statement(mysql::enable_semi_sync_source(kNames, acks), work);
  if (!set) return set;
  // A server may clip a value with no more than a warning: read back what counts.
  const auto& names = mysql::semi_sync_source_names(kNames);
  const auto rows = database_.query(
      StatementBuilder()
          .sql(fmt::format("SELECT @@{} AS enabled, @@{} AS acks, @@{} AS timeout_ms, "
                           "@@{} AS wait_no_replica, @@{} AS wait_point",
                           names.enabled, names.wait_for_replica_count, names.timeout,
                           names.wait_no_replica, names.wait_point))
          .build(),
      work);
  if (!rows) return rows.error();
  const auto row = (*rows)[0];
  if (row.flag("enabled") == true && row.number("acks") == acks &&
      row.number("timeout_ms") == mysql::kSemiSyncTimeoutMs &&
      row.flag("wait_no_replica") == true && row.text("wait_point") == "AFTER_SYNC") {
    return {};
  }
  return error(Code::Fatal,
               fmt::format("the server did not take the semi-sync settings: enabled {}, "
                           "acks {}, timeout {} ms, wait_no_replica {}, wait point {}",
                           row.text("enabled"), row.text("acks"), row.text("timeout_ms"),
                           row.text("wait_no_replica"), row.text("wait_point")));
}

// Switching it off answers waiting commits with OK: never while there are any.
Result<void> MysqlMember::drop_semi_sync_source(Work& work) {
  const auto now = semi_sync(work);
  if (!now) return now.error();
  if (!now->source_enabled) return {};
  if (now->waiting_sessions > 0) {
    return error(Code::Conflict,
                 fmt::format("{} commits wait for acknowledgements: close the member "
                             "first",
                             now->waiting_sessions));
  }
  return run_statement(mysql::disable_semi_sync_source(kNames), work);
}

Result<void> MysqlMember::wait_for_clients(std::uint32_t acks, Work& work) {
  while (true) {
    const auto now = semi_sync(work);
    if (!now) return now.error();
    if (!now->source_enabled || now->acks != acks) {
      return error(Code::Invalid,
                   fmt::format("the member is not promoted with {} acknowledgements: "
                               "semi-sync is {} with {}",
                               acks, now->source_enabled ? "on" : "off", now->acks));
    }
    if (now->clients >= acks) return {};
    work.stage(fmt::format("{} of {} replicas are attached", now->clients, acks));
    if (auto go_on = work.pause(kPoll); !go_on) {
      return error(go_on.error().code, fmt::format("{}: {} of {} replicas are attached",
                                                   go_on.error().message, now->clients, acks));
    }
  }
}

Result<Reply> MysqlMember::run(const OpenForWrites& command, Work& work) {
  const auto acks = command.semi_sync ? command.acks : 0;
  const auto present = channel(work);
  if (!present) return present.error();
  if (*present && ((*present)->receiver_wanted || (*present)->applier_running)) {
    return error(Code::Invalid, "the member still replicates: promote it first");
  }
  // While replicas attach: writers need not wait for the disk.
  if (auto marked = mark_opened(); !marked) return marked.error();
  if (acks > 0) {
    if (auto attached = wait_for_clients(acks, work); !attached) return attached.error();
  }
  const auto before = identity(work);
  if (!before) return before.error();
  const auto counters = semi_sync(work);
  if (!counters) return counters.error();
  if (auto go_on = work.check(); !go_on) return go_on.error();
  auto opened = fence_mark().clear();
  if (opened) opened = run_statement(mysql::set_offline_mode(false), work);
  if (opened) opened = run_statement(mysql::set_read_only(false), work);
  // Poolers and people misread the row of a source that is no more. It takes a tenth of a second,
  // in which clients write.
  if (opened) opened = leave_replication(work);
  if (!opened) return opened.error();
  return Reply{Opened{before->server_uuid, before->executed.to_string(),
                      static_cast<std::uint32_t>(counters->clients)},
               "open for writes"};
}

// --- following ---------------------------------------------------------------------------------

Result<Reply> MysqlMember::run(const Follow& command, Work& work) {
  if (command.source.host.empty()) return error(Code::Invalid, "no source is named");
  const auto purged = GtidSet::parse(command.source_purged);
  if (!purged) return purged.error();
  auto closed = run_statement(mysql::set_super_read_only(true), work);
  if (!closed) return closed.error();
  const auto lost = out_of_reach(*purged, work);
  if (!lost) return lost.error();
  if (!lost->empty()) {
    return error(Code::Conflict,
                 fmt::format("the source has purged {} that this member lacks: clone it",
                             lost->to_string()));
  }
  const auto who = identity(work);
  if (!who) return who.error();
  if (auto pointed = point_at(command, work); !pointed) return pointed.error();
  if (auto receives = wait_for_receiver(command, work); !receives) return receives.error();
  if (auto ended = fence_mark().clear(); !ended) return ended.error();
  if (command.serve_reads) {
    auto serves = run_statement(mysql::set_offline_mode(false), work);
    if (!serves) return serves.error();
  }
  return Reply{Following{who->server_uuid, who->executed.to_string()},
               fmt::format("follows {}:{}", command.source.host, command.source.port)};
}

// What it has received it has, though it may have to be applied yet: following looks only at what
// is executed.
Result<GtidSet> MysqlMember::out_of_reach(const GtidSet& purged, Work& work) {
  const auto who = identity(work);
  if (!who) return who.error();
  auto lacking = mysql::subtract(purged, who->executed);
  if (lacking.empty()) return lacking;
  const auto present = channel(work);
  if (!present) return present.error();
  if (!*present || !(*present)->received.contains(lacking)) return lacking;
  if (auto drained = drain(lacking, work); !drained) return drained.error();
  return GtidSet{};
}

Result<void> MysqlMember::point_at(const Follow& command, Work& work) {
  const auto& source = command.source;
  const auto spelling = dialect(work);
  if (!spelling) return spelling.error();
  const auto present = channel(work);
  if (!present) return present.error();
  const auto flags = semi_sync(work);
  if (!flags) return flags.error();
  const auto& now = *present;
  const bool same = now && now->host == source.host &&
                    (now->port == source.port || now->port == source.admin_port) &&
                    now->user == source.user && now->auto_position;
  if (same && now->receiver_connected && now->applier_running &&
      flags->replica_enabled == command.semi_sync && !flags->source_enabled &&
      channel_password("", work) == source.password) {
    return {};
  }
  if (now && now->receiver_wanted) {
    if (auto stopped = stop_receiver(work); !stopped) return stopped;
  }
  // The relay log may hold the only copies of what the old source acknowledged. An applier that is
  // behind applies it while the new source is already followed: nobody waits for it.
  const bool applies_on = now && now->auto_position && now->applier_running;
  if (now && !applies_on) {
    if (auto drained = drain_received(work); !drained) return drained;
    if (auto stopped = stop_replicating(work); !stopped) return stopped;
  }
  auto ca_file = source_ca_file(source);
  if (!ca_file) return ca_file.error();
  mysql::SourceConfig config{
      .host = source.host, .port = source.port, .user = source.user, .password = source.password};
  if (source.tls) config.tls = mysql::SourceTls{.required = true, .ca_file = *ca_file};
  auto done = drop_semi_sync_source(work);
  if (done) done = run_statement(mysql::set_semi_sync_replica(kNames, command.semi_sync), work);
  if (done)
    done =
        run_statement(mysql::set_global({{"replica_net_timeout", kReceiverTimeoutSeconds}}), work);
  if (!done) return done;
  const auto replicate = [&](mysql::RelayLog relay_log) {
    return database_.execute(
        {mysql::change_source(*spelling, config, relay_log), mysql::start_replica(*spelling)}, work,
        work.left());
  };
  auto replicates = replicate(applies_on ? mysql::RelayLog::Kept : mysql::RelayLog::ThrownAway);
  if (replicates) return {};
  // A server that was killed while it forgot a source remembers a relay log that is gone. What it
  // could not read it has vouched for to nobody when the new source was chosen.
  const auto number = replicates.error().number;
  if (number != mysql::error_number::kCannotOpenChannel &&
      number != mysql::error_number::kCannotOpenRelayLog)
    return to_error(replicates.error());
  if (auto forgotten = run_statement(mysql::reset_replica(*spelling), work); !forgotten)
    return forgotten;
  replicates = replicate(mysql::RelayLog::ThrownAway);
  if (!replicates) return to_error(replicates.error());
  return {};
}

// Read rather than compared by the server: no statement has it. One that cannot be read is empty,
// and no source's.
Secret MysqlMember::channel_password(std::string_view channel, Work& work) {
  const auto rows = database_.query(StatementBuilder()
                                        .sql("SELECT User_password AS password FROM "
                                             "mysql.slave_master_info WHERE Channel_name = ")
                                        .literal(channel)
                                        .build(),
                                    work);
  return rows && rows->size() == 1 ? Secret((*rows)[0].text("password")) : Secret();
}

// A source that refuses the account goes on doing so until somebody mends it, which takes a turn of
// this agent, too: it is not waited for.
Result<void> MysqlMember::wait_for_receiver(const Follow& command, Work& work) {
  while (true) {
    const auto present = channel(work);
    if (!present) return present.error();
    if (*present && (*present)->receiver_connected) return {};
    std::string why = "it has not connected yet";
    if (*present && !(*present)->receiver_error.empty()) {
      why = mysql::sanitize((*present)->receiver_error);
    }
    const auto found = *present ? mysql::reachability_of((*present)->receiver_error_number)
                                : mysql::Reachability::Unknown;
    if (found == mysql::Reachability::AuthFailed) {
      return error(Code::Denied, "the source refuses the replication account: " + why);
    }
    // Its clients have taken all connections.
    const auto admin_port = command.source.admin_port;
    if (found == mysql::Reachability::Overloaded && admin_port != 0 &&
        (*present)->port != admin_port) {
      auto among_administrators = command;
      among_administrators.source.port = admin_port;
      if (auto pointed = point_at(among_administrators, work); !pointed) return pointed;
      continue;
    }
    work.stage("connecting to the source: " + why);
    if (*present && !(*present)->receiver_wanted) {
      return error(Code::Conflict, "the receiver has stopped: " + why);
    }
    if (auto go_on = work.pause(kPoll); !go_on) {
      return error(go_on.error().code == Code::Timeout ? Code::Retry : go_on.error().code,
                   fmt::format("the source is not reached: {}", why));
    }
  }
}

Result<void> MysqlMember::reload_certificates(Work& work) {
  return run_statement(mysql::reload_tls(), work);
}

// The server reads it at each connect.
Result<std::string> MysqlMember::source_ca_file(const ReplicationSource& source) const {
  if (source.own_authorities) return (settings_.tls_dir / "ca.crt").string();
  if (source.ca_pem.empty()) return std::string();
  const auto file = settings_.keep_dir() / "source-ca.pem";
  auto written = write_durably(file, source.ca_pem, 0644, settings_.run_as);
  if (!written) return written.error();
  return file.string();
}

}  // namespace troupe::agent
