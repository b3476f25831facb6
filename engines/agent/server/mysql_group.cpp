// The steps of group replication: into a group, out of it, to its head.
//
// A member is offline until the group has taken it in, and again as soon as it is asked to leave;
// one that loses its group goes offline by itself (option_file.hpp pins how). In between, the group
// decides who may write, and this agent has no part in it.
#include <fmt/format.h>

#include <utility>

#include "engines/agent/server/mysql_member.hpp"

namespace troupe::agent {
namespace {

using mysql::GtidSet;
using mysql::Statement;
using mysql::StatementBuilder;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kPlugin = "group_replication";
constexpr std::string_view kPluginFile = "group_replication.so";
constexpr std::string_view kRecoveryChannel = "group_replication_recovery";
constexpr milliseconds kPoll{50};            // a member's state takes a round of the whole group
constexpr milliseconds kMembership{60'000};  // START and STOP wait for a view of the group
// A new primary applies what it has received first, and then opens by itself.
constexpr seconds kOpensByItself{5};
constexpr std::size_t kMaxMembers = 9;  // the server's own limit

Statement seat_statement() {
  return StatementBuilder()
      .sql(
          "SELECT (SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_NAME = "
          "'group_replication' AND PLUGIN_STATUS = 'ACTIVE') AS installed, "
          "(SELECT VARIABLE_VALUE FROM performance_schema.global_variables "
          "WHERE VARIABLE_NAME = 'group_replication_group_name') AS group_name, "
          "(SELECT MEMBER_STATE FROM performance_schema.replication_group_members "
          "WHERE MEMBER_ID = @@server_uuid) AS state, "
          "(SELECT MEMBER_ROLE FROM performance_schema.replication_group_members "
          "WHERE MEMBER_ID = @@server_uuid) AS role, "
          "(SELECT COUNT(*) FROM performance_schema.replication_group_members) AS members, "
          "(SELECT COUNT(*) FROM performance_schema.replication_group_members "
          "WHERE MEMBER_STATE IN ('ONLINE', 'RECOVERING')) AS reachable, "
          "@@super_read_only AS read_only")
      .build();
}

std::string hosts_of(const std::vector<std::string>& addresses) {
  std::string out;
  for (const auto& address : addresses)
    out += fmt::format("{}{}", out.empty() ? "" : ",", address.substr(0, address.rfind(':')));
  return out;
}

Result<void> check(const StartGroup& command) {
  if (command.group_name.empty() || command.local_address.empty() || command.user.empty())
    return error(Code::Invalid, "a group needs a name, an address and an account");
  if (command.members.empty() || command.members.size() > kMaxMembers)
    return error(Code::Invalid, fmt::format("a group has 1 to {} members, not {}", kMaxMembers,
                                            command.members.size()));
  return {};
}

}  // namespace

Result<MysqlMember::GroupSeat> MysqlMember::group_seat(Work& work) {
  const auto rows = database_.query(seat_statement(), work);
  if (!rows) return rows.error();
  const auto row = (*rows)[0];
  const auto state = row.text("state");
  return GroupSeat{.installed = row.number("installed").value_or(0) > 0,
                   .group = row.text("group_name"),
                   .state = state.empty() ? "OFFLINE" : state,
                   .primary = row.text("role") == "PRIMARY",
                   .read_only = row.flag("read_only").value_or(false),
                   .members = row.number("members").value_or(0),
                   .reachable = row.number("reachable").value_or(0)};
}

Result<Reply> MysqlMember::run(const StartGroup& command, Work& work) {
  if (auto right = check(command); !right) return right.error();
  const auto seat = group_seat(work);
  if (!seat) return seat.error();
  const bool has_left = std::exchange(left_group_in_, {}) == process_life();
  Result<void> done;
  if (!seat->is_taken()) {
    if (command.bootstrap && !has_left)
      return error(Code::Conflict, "the member begins a group only right after a StopGroup");
    done = join_group(command, work);
  } else if (seat->group != command.group_name) {
    return error(Code::Conflict, fmt::format("the member is in group {}, not in {}", seat->group,
                                             command.group_name));
  } else {
    done = set_group_addresses(command, work);
    if (done && seat->state == "ONLINE") done = set_group_account(command, work);
  }
  if (done) done = wait_until_online(work);
  if (done) done = mark_opened();
  if (done) done = fence_mark().clear();
  if (done) done = run_statement(mysql::set_offline_mode(false), work);
  if (done) done = let_primary_write(work);
  if (!done) return done.error();
  const auto who = identity(work);
  if (!who) return who.error();
  return Reply{GroupStarted{who->server_uuid, who->executed.to_string()},
               fmt::format("ONLINE in group {}", command.group_name)};
}

// --- into the group ----------------------------------------------------------------------------

Result<void> MysqlMember::join_group(const StartGroup& command, Work& work) {
  auto done = run_statement(mysql::set_offline_mode(true), work);
  if (done) done = install_group_plugin(work);
  // What it has received from a source of another kind of replication is its own from now on.
  if (done) done = drain_received(work);
  if (done) done = leave_replication(work);
  if (done) done = drop_semi_sync_source(work);
  // A member that the group has expelled has to be taken out of it by hand.
  if (done) done = leave_group(work);
  if (done) done = run_statement(mysql::set_super_read_only(true), work);
  if (done) done = set_group_addresses(command, work);
  if (done)
    done = run_statement(
        mysql::set_global(
            {{"group_replication_group_name", command.group_name},
             {"group_replication_local_address", command.local_address},
             {"group_replication_ssl_mode",
              mysql::Word{command.own_authorities ? "VERIFY_CA" : "REQUIRED"}},
             {"group_replication_recovery_use_ssl", true},
             {"group_replication_recovery_ssl_ca",
              command.own_authorities ? (settings_.tls_dir / "ca.crt").string() : std::string()}}),
        work);
  if (done) done = set_group_account(command, work);
  if (!done) return done;
  if (auto go_on = work.check(); !go_on) return go_on;
  if (auto marked = mark_opened(); !marked) return marked;
  return start_group(command.bootstrap, work);
}

// Only for who needs it: others run without. Opened to nobody but this session.
Result<void> MysqlMember::install_group_plugin(Work& work) {
  const auto seat = group_seat(work);
  if (!seat) return seat.error();
  if (seat->installed) return {};
  auto done = run_statement(mysql::set_global({{"super_read_only", false}}), work);
  if (done) done = run_statement(mysql::install_plugin(kPlugin, kPluginFile), work);
  Work last_word(seconds(10));
  auto closed = run_statement(mysql::set_super_read_only(true), last_word);
  return done ? closed : done;
}

Result<void> MysqlMember::set_group_addresses(const StartGroup& command, Work& work) {
  return run_statement(
      mysql::set_global(
          {{"group_replication_group_seeds", fmt::format("{}", fmt::join(command.members, ","))},
           {"group_replication_ip_allowlist", hosts_of(command.members)}}),
      work);
}

Result<void> MysqlMember::set_group_account(const StartGroup& command, Work& work) {
  if (channel_password(kRecoveryChannel, work) == command.password) return {};
  return run_statement(
      mysql::change_group_account(command.user, command.password, kRecoveryChannel), work);
}

// The switch is on for as long as it takes, whatever becomes of it.
Result<void> MysqlMember::start_group(bool bootstrap, Work& work) {
  const auto begins = [this](bool on, Work& within) {
    return run_statement(mysql::set_global({{"group_replication_bootstrap_group", on}}), within);
  };
  if (auto set = begins(bootstrap, work); !set) return set;
  const auto started =
      run_statement(StatementBuilder().sql("START GROUP_REPLICATION").build(), work, kMembership);
  if (bootstrap) {
    Work last_word(seconds(10));
    if (auto ended = begins(false, last_word); !ended) return ended;
  }
  if (!started) return group_error(started.error(), work);
  return {};
}

Result<void> MysqlMember::wait_until_online(Work& work) {
  while (true) {
    const auto seat = group_seat(work);
    if (!seat) return seat.error();
    if (!seat->is_taken())
      return group_error(error(Code::Retry, "the group has not taken it in: " + seat->state), work);
    if (!seat->sees_majority())
      return error(Code::Conflict,
                   fmt::format("the member reaches {} of the {} members of its group, no majority",
                               seat->reachable, seat->members));
    if (seat->state == "ONLINE") return {};
    work.stage("recovering from the group");
    if (auto go_on = work.pause(kPoll); !go_on) return go_on;
  }
}

// A primary opens by itself. One that was closed for accounts at just that moment does not.
Result<void> MysqlMember::let_primary_write(Work& work) {
  Work patience(work.within(kOpensByItself));
  while (true) {
    const auto seat = group_seat(work);
    if (!seat) return seat.error();
    if (!seat->primary || !seat->read_only) return {};
    if (!patience.pause(kPoll)) return run_statement(mysql::set_read_only(false), work);
  }
}

// The statement says no more than that it failed; the reason goes to the server's log.
Error MysqlMember::group_error(const Error& failed, Work& work) {
  const auto rows = database_.query(
      StatementBuilder()
          .sql("SELECT DATA AS reason FROM performance_schema.error_log WHERE PRIO = 'Error' "
               "AND SUBSYSTEM = 'Repl' AND LOGGED > NOW(6) - INTERVAL 2 MINUTE "
               "ORDER BY LOGGED DESC LIMIT 1")
          .build(),
      work);
  const auto reason = rows && !rows->empty() ? (*rows)[0].text("reason") : std::string();
  if (reason.empty()) return failed;
  return error(Code::Retry, mysql::sanitize(reason));
}

// --- out of it ---------------------------------------------------------------------------------

Result<void> MysqlMember::leave_group(Work& work) {
  const auto seat = group_seat(work);
  if (!seat) return seat.error();
  if (!seat->installed || seat->state == "OFFLINE") return {};
  return run_statement(StatementBuilder().sql("STOP GROUP_REPLICATION").build(), work, kMembership);
}

Result<GtidSet> MysqlMember::received_from_group(Work& work) {
  const auto rows = database_.query(StatementBuilder()
                                        .sql("SELECT RECEIVED_TRANSACTION_SET AS received FROM "
                                             "performance_schema.replication_connection_status "
                                             "WHERE CHANNEL_NAME = 'group_replication_applier'")
                                        .build(),
                                    work);
  if (!rows) return rows.error();
  return GtidSet::parse(rows->empty() ? std::string() : (*rows)[0].text("received"));
}

Result<Reply> MysqlMember::run(const StopGroup&, Work& work) {
  auto done = run_statement(mysql::set_offline_mode(true), work);
  if (done) done = cut_sockets(work);
  if (done) done = leave_group(work);
  if (done) done = run_statement(mysql::set_super_read_only(true), work, work.left());
  if (!done) return done.error();
  const auto received = received_from_group(work);
  if (!received) return received.error();
  const auto who = identity(work);
  if (!who) return who.error();
  left_group_in_ = process_life();
  return Reply{GroupStopped{who->server_uuid, received->to_string(), who->executed.to_string()},
               "in no group, and closed"};
}

// --- to its head -------------------------------------------------------------------------------

Result<Reply> MysqlMember::run(const SetGroupPrimary& command, Work& work) {
  const auto seat = group_seat(work);
  if (!seat) return seat.error();
  if (seat->state != "ONLINE")
    return error(Code::Conflict, "the member is " + seat->state + " in its group, not ONLINE");
  const auto who = identity(work);
  if (!who) return who.error();
  if (!seat->primary) {
    const auto limit = std::chrono::duration_cast<seconds>(command.running_limit).count();
    auto elected = run_statement(StatementBuilder()
                                     .sql("SELECT group_replication_set_as_primary(")
                                     .literal(who->server_uuid)
                                     .sql(", ")
                                     .number(static_cast<std::uint64_t>(limit))
                                     .sql(")")
                                     .build(),
                                 work, work.left());
    if (!elected) return elected.error();
  }
  return Reply{GroupPrimarySet{who->server_uuid, who->executed.to_string()},
               "the primary of its group"};
}

}  // namespace troupe::agent
