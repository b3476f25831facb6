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
                       const Board& board)
    : member_(member), database_(database), directory_(directory), board_(board) {}

Result<Reply> MysqlClone::run(const Clone& command, Work& work) {
  if (command.donor_host.empty()) return error(Code::Invalid, "no donor is named");
  const auto done_before = check_member(command, work);
  if (!done_before) return done_before.error();
  if (!*done_before) {
    if (auto fits = check_space(command); !fits) return fits.error();
    if (auto marked = directory_.set(DataDirectory::Mark::Cloning); !marked) return marked.error();
    if (auto forgotten = directory_.forget_name(); !forgotten) return forgotten.error();
    const auto old_pid = board_.state().process.pid;
    if (auto received = receive(command, work); !received) return received.error();
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

Result<void> MysqlClone::receive(const Clone& command, Work& work) {
  if (auto left = member_.leave_replication(work); !left) return left;
  auto prepared =
      database_.query(mysql::set_clone_donor(command.donor_host, command.donor_port), work);
  // A clone writes; the member stays read-only for everybody without SUPER, and offline.
  if (prepared) prepared = database_.query(mysql::set_offline_mode(true), work);
  if (prepared) prepared = database_.query(mysql::set_global({{"super_read_only", false}}), work);
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
  work.stage("the server restarts on the new data");
  while (true) {
    const auto process = board_.state().process;
    if (process.state == ProcessState::Running && process.pid != old_pid) return {};
    if (auto go_on = work.pause(kRestartPoll); !go_on) return go_on;
  }
}

Result<bool> MysqlClone::completed(Work& work) {
  const auto rows = database_.query(
      StatementBuilder()
          .sql("SELECT STATE AS state, ERROR_NO AS number, ERROR_MESSAGE AS message "
               "FROM performance_schema.clone_status")
          .build(),
      work);
  if (!rows) return rows.error();
  return !rows->empty() && (*rows)[0].text("state") == "Completed";
}

}  // namespace troupe::agent
