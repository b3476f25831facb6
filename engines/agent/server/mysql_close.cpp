// Ending every acknowledgement of writes, by consent or by force.
#include <fmt/format.h>

#include "engines/agent/server/files.hpp"
#include "engines/agent/server/mysql_member.hpp"

namespace troupe::agent {
namespace {

using mysql::Statement;
using mysql::StatementBuilder;
using std::chrono::milliseconds;

constexpr milliseconds kPoll{3};
constexpr milliseconds kKnockLimit{200};  // a socket that nobody listens on refuses at once
constexpr std::size_t kMaxMarkBytes = 256;
constexpr milliseconds kKillLimit{20'000};  // a large buffer pool is freed before a process is gone
// Replication's dump threads have to outlive a switchover, and so have probes: accounts that pass
// offline_mode but cannot write.
constexpr std::string_view kClientSessions =
    "SELECT p.ID AS id FROM performance_schema.processlist p "
    "WHERE p.ID <> CONNECTION_ID() AND p.COMMAND NOT LIKE 'Binlog Dump%' "
    "AND p.USER NOT IN ('system user', 'event_scheduler', ";
constexpr std::string_view kNotPrivilegedReaders =
    ") AND NOT EXISTS (SELECT 1 FROM mysql.global_grants g JOIN mysql.user u "
    "ON u.User = g.USER AND u.Host = g.HOST WHERE g.USER = p.USER "
    "AND g.PRIV = 'CONNECTION_ADMIN' AND u.Insert_priv = 'N' AND u.Super_priv = 'N')";

Statement client_sessions() {
  return StatementBuilder()
      .sql(kClientSessions)
      .literal(kLocalUser)
      .sql(kNotPrivilegedReaders)
      .build();
}

Closed without_server(bool killed) { return Closed{.killed = killed}; }

}  // namespace

// Which life of the database this is; a new one boots closed.
std::string MysqlMember::process_life() const {
  const auto state = board_.state();
  const auto started = state.process.started.value_or(WallTime{}).time_since_epoch().count();
  return fmt::format("{} {} {}\n", state.container_id, state.process.pid, started);
}

// Before it is opened, so that an agent that comes later knows: a server that does not answer may
// still acknowledge writes.
Result<void> MysqlMember::mark_opened() const {
  const auto life = process_life();
  if (const auto marked = read_file(opened_mark(), kMaxMarkBytes); marked && *marked == life)
    return {};
  return write_durably(opened_mark(), life, 0600);
}

bool MysqlMember::opened_since_start() const {
  const auto marked = read_file(opened_mark(), kMaxMarkBytes);
  if (!marked) return marked.error().code != Code::NotFound;  // cannot be known: assume the worst
  return *marked == process_life();
}

// Never opened by an agent, and nobody listens yet whom a person could have opened.
bool MysqlMember::is_starting_closed() {
  if (board_.state().process.state != ProcessState::Starting || opened_since_start()) return false;
  Work knock(kKnockLimit);
  return !identity(knock);
}

std::filesystem::path MysqlMember::opened_mark() const {
  return settings_.private_dir() / "opened";
}

Result<Reply> MysqlMember::run(const Close& command, Work& work) {
  const auto process = board_.state().process;
  if (!process.supervisor_connected) {
    return error(Code::Retry,
                 "troupe-supervise is not connected: its container is down or starting");
  }
  if (process.state != ProcessState::Running && process.state != ProcessState::Starting &&
      process.state != ProcessState::Stopping) {
    return Reply{without_server(true), "the database does not run; it boots closed"};
  }
  if (is_starting_closed()) {
    return Reply{without_server(true), "the database is starting; it boots closed"};
  }
  // A paused process would not answer, and on waking up it would acknowledge.
  const auto grace = process.paused && command.kill_if_blocked
                         ? milliseconds(0)
                         : std::chrono::duration_cast<milliseconds>(command.grace);
  Work attempt(work.within(grace));
  auto closed = close_serving(attempt);
  if (closed) return Reply{*closed, "closed: offline and read-only"};
  if (auto go_on = work.check(); !go_on && go_on.error().code != Code::Timeout)
    return go_on.error();
  if (!command.kill_if_blocked) {
    return error(Code::Timeout, "the member cannot be closed: " + closed.error().message);
  }
  Work force(kKillLimit);
  auto killed = kill_blocked(closed.error(), force);
  if (!killed) return killed.error();
  return Reply{*killed, "killed, as it could not be closed: " + closed.error().message};
}

Result<Closed> MysqlMember::close_serving(Work& work) {
  auto done = run_statement(mysql::set_offline_mode(true), work);
  if (done) done = cut_sockets(work);
  // Waits for commits that are under way; those that wait for acknowledgements may never end.
  if (done) done = run_statement(mysql::set_super_read_only(true), work, work.left());
  if (!done) return done.error();
  const auto counters = semi_sync(work);
  if (!counters) return counters.error();
  if (counters->waiting_sessions > 0) {
    return error(Code::Timeout, fmt::format("{} commits still wait for acknowledgements",
                                            counters->waiting_sessions));
  }
  const auto who = identity(work);
  if (!who) return who.error();
  if (!who->super_read_only || !who->offline) {
    return error(Code::Conflict, "somebody opened the member while it was being closed");
  }
  return Closed{false, who->server_uuid, who->executed.to_string()};
}

// A client whose socket is gone cannot be told OK.
Result<void> MysqlMember::cut_sockets(Work& work) {
  while (true) {
    const auto rows = database_.query(client_sessions(), work);
    if (!rows) return rows.error();
    if (rows->empty()) return {};
    bool any = false;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const auto killed = database_.execute(
          {mysql::kill_connection((*rows)[i].number("id").value_or(0))}, work, work.left());
      if (!killed && killed.error().number != mysql::error_number::kNoSuchThread) {
        return to_error(killed.error());
      }
      any = true;
    }
    // A session that waits for an acknowledgement stays in the list, but KILL has shut its socket.
    const auto counters = semi_sync(work);
    if (!counters) return counters.error();
    if (any && counters->waiting_sessions >= rows->size()) return {};
    if (auto go_on = work.pause(kPoll); !go_on) return go_on;
  }
}

Result<Closed> MysqlMember::kill_blocked(const Error& why, Work& work) {
  work.stage("killing: " + why.message);
  const auto before = board_.state().process;
  auto killed = supervisor_.kill_database({.stay_stopped = false}, work);
  if (!killed) return killed.error();
  while (true) {
    const auto now = board_.state().process;
    // A process that is dying answers nobody any more.
    if (now.dying || now.pid != before.pid || !now.supervisor_connected)
      return without_server(true);
    if (auto go_on = work.pause(kPoll); !go_on) return go_on.error();
  }
}

}  // namespace troupe::agent
