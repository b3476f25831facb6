#include "engines/agent/server/mysql_clone.hpp"

#include <fmt/format.h>

#include <future>

namespace troupe::agent {
namespace {

using mysql::StatementBuilder;
using std::chrono::milliseconds;

constexpr milliseconds kProgressInterval{500};
constexpr milliseconds kRestartPoll{20};

Error failed(std::string_view what) {
  return error(Code::Retry, fmt::format("the clone has failed: {}", what));
}

}  // namespace

MysqlClone::MysqlClone(MysqlMember& member, LocalMysql& database, DataDirectory& directory,
                       const Board& board, StartsWith starts_with)
    : member_(member),
      database_(database),
      directory_(directory),
      board_(board),
      starts_with_(std::move(starts_with)) {}

Result<Reply> MysqlClone::run(const Clone& command, Work& work) {
  if (command.donor_host.empty()) return error(Code::Invalid, "no donor is named");
  const auto done_before = check_member(command, work);
  if (!done_before) return done_before.error();
  if (!*done_before) {
    if (auto fits = check_space(command); !fits) return fits.error();
    if (auto begun = begin(work); !begun) return begun.error();
    const auto replaces_data = holds_data(work);
    if (!replaces_data) return replaces_data.error();
    if (*replaces_data)
      if (auto alone = take_off_network(work); !alone) return alone.error();
    if (auto forgotten = directory_.forget_name(); !forgotten) return forgotten.error();
    const auto old_pid = board_.state().process.pid;
    if (auto received = receive(command, *replaces_data, work); !received) return received.error();
    work.stage("the server restarts on the new data");
    if (auto restarted = wait_for_restart(old_pid, work); !restarted) return restarted.error();
    const auto complete = completed(work);
    if (!complete) return complete.error();
    if (!*complete) return failed("the server has started without the donor's data");
  }
  // The donor's own source came along in its tables.
  if (auto left = member_.leave_replication(work); !left) return left.error();
  if (auto cleared = directory_.clear(DataDirectory::Mark::Cloning); !cleared)
    return cleared.error();
  const auto who = member_.identity(work);
  if (!who) return who.error();
  return Reply{Cloned{who->server_uuid, who->executed.to_string()},
               fmt::format("holds the data of {}:{}", command.donor_host, command.donor_port)};
}

// True: an earlier attempt has already brought the data.
Result<bool> MysqlClone::check_member(const Clone& command, Work& work) {
  const bool begun = directory_.is_set(DataDirectory::Mark::Cloning);
  if (begun) {
    const auto complete = completed(work);
    if (!complete) return complete.error();
    if (*complete) return true;
  }
  const auto who = member_.identity(work);
  if (!who) return who.error();
  if (!who->read_only)
    return error(Code::Conflict, "the member is open for writes: close it first");
  if (!begun && !command.replace_data && !who->executed.empty()) {
    return error(Code::Conflict, fmt::format("the member holds {}, which a clone would replace",
                                             who->executed.to_string()));
  }
  return false;
}

Result<void> MysqlClone::check_space(const Clone& command) const {
  const auto space = directory_.space();
  if (command.needed_bytes == 0 || space.free_bytes >= command.needed_bytes) return {};
  return error(Code::Invalid, fmt::format("the clone needs {} bytes, {} are free",
                                          command.needed_bytes, space.free_bytes));
}

// A mark that is there already is of an attempt that has not got as far as this one will.
Result<void> MysqlClone::begin(Work& work) {
  if (auto left = member_.leave_replication(work); !left) return left;
  if (directory_.is_set(DataDirectory::Mark::Cloning)) return {};
  const auto last = last_clone(work);
  if (!last) return last.error();
  return directory_.set(DataDirectory::Mark::Cloning, last->began);
}

// Whether a clone would drop anything.
Result<bool> MysqlClone::holds_data(Work& work) {
  const auto who = member_.identity(work);
  if (!who) return who.error();
  if (!who->executed.empty()) return true;
  const auto rows = database_.query(
      StatementBuilder()
          .sql("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN "
               "('information_schema', 'mysql', 'performance_schema', 'sys') LIMIT 1")
          .build(),
      work);
  if (!rows) return rows.error();
  return !rows->empty();
}

// Only for this life: the one after it is an ordinary one, even if nobody is left to say so then.
Result<void> MysqlClone::take_off_network(Work& work) {
  work.stage("the server restarts where only its agent reaches it");
  const auto old_pid = board_.state().process.pid;
  if (auto taken = starts_with_(Network::Off, work); !taken) return taken;
  const auto told =
      database_.execute({StatementBuilder().sql("RESTART").build()}, work, work.left());
  if (!told && mysql::reaction_of(told.error().number) != mysql::Reaction::Reconnect)
    return to_error(told.error());
  if (auto restarted = wait_for_restart(old_pid, work); !restarted) return restarted;
  return starts_with_(Network::On, work);
}

Result<void> MysqlClone::receive(const Clone& command, bool replaces_data, Work& work) {
  auto prepared =
      database_.query(mysql::set_clone_donor(command.donor_host, command.donor_port), work);
  if (prepared) prepared = database_.query(mysql::set_offline_mode(true), work);
  if (prepared && replaces_data)
    prepared = database_.query(mysql::set_global({{"super_read_only", false}}), work);
  if (!prepared) return prepared.error();
  auto cloning = std::async(std::launch::async, [&] {
    return database_.execute(
        {mysql::clone_instance(command.donor_user, command.donor_host, command.donor_port,
                               command.donor_password, true)},
        work, work.left());
  });
  while (cloning.wait_for(kProgressInterval) != std::future_status::ready) report_progress(work);
  const auto answer = cloning.get();
  if (answer) return {};
  const auto& failure = answer.error();
  const bool ended_itself = failure.number == mysql::error_number::kCannotRestart ||
                            failure.number == mysql::error_number::kServerLost ||
                            failure.number == mysql::error_number::kServerGone;
  if (auto go_on = work.check(); !go_on) return go_on;
  if (ended_itself) return {};
  Work last_word(std::chrono::seconds(10));
  [[maybe_unused]] const auto closed = database_.query(mysql::set_super_read_only(true), last_word);
  return failed(failure.message);
}

void MysqlClone::report_progress(Work& work) {
  const auto rows =
      database_.query(StatementBuilder()
                          .sql("SELECT STAGE AS stage, ESTIMATE AS estimate, DATA AS data "
                               "FROM performance_schema.clone_progress WHERE STATE = 'In Progress'")
                          .build(),
                      work, std::chrono::seconds(2));
  if (!rows || rows->empty()) return;
  const auto row = (*rows)[0];
  const auto estimate = row.number("estimate").value_or(0);
  const auto data = row.number("data").value_or(0);
  work.stage(
      fmt::format("{}, {} of {} bytes", row.text("stage"), data, estimate),
      estimate == 0 ? 0 : std::min(1.0, static_cast<double>(data) / static_cast<double>(estimate)));
}

Result<void> MysqlClone::wait_for_restart(std::int64_t old_pid, Work& work) {
  while (true) {
    const auto process = board_.state().process;
    if (process.state == ProcessState::Running && process.pid != old_pid) return {};
    if (auto go_on = work.pause(kRestartPoll); !go_on) return go_on;
  }
}

Result<MysqlClone::LastClone> MysqlClone::last_clone(Work& work) {
  const auto rows =
      database_.query(StatementBuilder()
                          .sql("SELECT STATE AS state, CAST(BEGIN_TIME AS CHAR) AS began "
                               "FROM performance_schema.clone_status")
                          .build(),
                      work);
  if (!rows) return rows.error();
  if (rows->empty()) return LastClone{};
  const auto row = (*rows)[0];
  return LastClone{.began = row.text("began"), .completed = row.text("state") == "Completed"};
}

// The clone that the mark stands for: one of the past is completed, too.
Result<bool> MysqlClone::completed(Work& work) {
  const auto last = last_clone(work);
  if (!last) return last.error();
  return last->completed && last->began != directory_.line_of(DataDirectory::Mark::Cloning);
}

}  // namespace troupe::agent
