// Saving transactions that nobody else has, and emptying a history that was never anyone's.
#include <fmt/format.h>

#include <fstream>

#include "engines/agent/model/digest.hpp"
#include "engines/agent/server/data_directory.hpp"
#include "engines/agent/server/files.hpp"
#include "engines/agent/server/mysql_member.hpp"

namespace troupe::agent {
namespace {

namespace fs = std::filesystem;
using mysql::GtidSet;
using mysql::StatementBuilder;

constexpr std::size_t kMaxNoteBytes = 1024 * 1024;
constexpr std::string_view kNoteName = "README";

std::string note(const GtidSet& set, const std::string& server_uuid) {
  return fmt::format(
      "Binary logs of server {} that hold transactions which no other member had when it left its\n"
      "role. Read them with mysqlbinlog --include-gtids='{}'.\n",
      server_uuid, set.to_string());
}

}  // namespace

Result<std::vector<MysqlMember::BinlogFile>> MysqlMember::binlog_files(Work& work) {
  const auto logs = database_.query(StatementBuilder().sql("SHOW BINARY LOGS").build(), work);
  if (!logs) return logs.error();
  std::vector<BinlogFile> files;
  for (std::size_t i = 0; i < logs->size(); ++i) {
    BinlogFile file{.name = (*logs)[i].text("Log_name"),
                    .bytes = (*logs)[i].number("File_size").value_or(0)};
    // The second event of a file says what all files before it hold.
    const auto events = database_.query(
        StatementBuilder().sql("SHOW BINLOG EVENTS IN ").literal(file.name).sql(" LIMIT 2").build(),
        work, std::chrono::seconds(60));
    if (!events) return events.error();
    if (events->size() == 2 && (*events)[1].text("Event_type") == "Previous_gtids") {
      auto previous = GtidSet::parse((*events)[1].text("Info"));
      if (!previous) return previous.error();
      file.previous = *std::move(previous);
    }
    files.push_back(std::move(file));
  }
  return files;
}

Result<Reply> MysqlMember::run(const SaveTransactions& command, Work& work) {
  const auto wanted = GtidSet::parse(command.gtid_set);
  if (!wanted) return wanted.error();
  if (wanted->empty()) return error(Code::Invalid, "no transactions are named");
  const auto who = identity(work);
  if (!who) return who.error();
  const auto here = mysql::subtract(who->executed, who->purged);
  if (!here.contains(*wanted)) {
    return error(Code::NotFound, fmt::format("{} is not in the binary logs here",
                                             mysql::subtract(*wanted, here).to_string()));
  }
  const auto directory =
      settings_.keep_dir() / "saved" /
      fmt::format("{}-{}", who->server_uuid, sha256_hex(wanted->to_string()).substr(0, 12));
  const auto text = note(*wanted, who->server_uuid);
  TransactionsSaved saved{.path = directory, .count = wanted->count()};
  if (const auto present = read_file(directory / kNoteName, kMaxNoteBytes);
      present && *present == text) {
    return Reply{std::move(saved), "saved before"};
  }
  // So that no file that is copied is still being written.
  if (auto flushed = run_statement(StatementBuilder().sql("FLUSH BINARY LOGS").build(), work);
      !flushed) {
    return flushed.error();
  }
  const auto files = binlog_files(work);
  if (!files) return files.error();
  const auto base =
      database_.query(StatementBuilder().sql("SELECT @@log_bin_basename AS base").build(), work);
  if (!base) return base.error();
  if (auto made = make_directory(directory, 0700, settings_.run_as); !made) return made.error();
  for (std::size_t i = 0; i + 1 < files->size(); ++i) {
    const auto content = mysql::subtract((*files)[i + 1].previous, (*files)[i].previous);
    if (mysql::intersect(content, *wanted).empty()) continue;
    if (auto go_on = work.check(); !go_on) return go_on.error();
    work.stage("copying " + (*files)[i].name,
               static_cast<double>(i) / static_cast<double>(files->size()));
    const auto source = fs::path((*base)[0].text("base")).parent_path() / (*files)[i].name;
    std::error_code failure;
    fs::copy_file(source, directory / (*files)[i].name, fs::copy_options::overwrite_existing,
                  failure);
    if (failure) {
      return error(Code::Fatal,
                   fmt::format("cannot copy {}: {}", source.string(), failure.message()));
    }
    saved.bytes += (*files)[i].bytes;
  }
  // Written last: it says that the rest is complete.
  if (auto done = write_durably(directory / kNoteName, text, 0600, settings_.run_as); !done)
    return done.error();
  auto message = fmt::format("{} transactions saved in {}", saved.count, saved.path);
  return Reply{std::move(saved), std::move(message)};
}

Result<Reply> MysqlMember::run(const ResetBinlogs&, Work& work) {
  const auto who = identity(work);
  if (!who) return who.error();
  if (who->executed.empty()) return Reply{Done{}, "the GTID set is empty already"};
  const auto own = mysql::parse_uuid(who->server_uuid);
  if (!own) return error(Code::Fatal, "the server's uuid cannot be read: " + who->server_uuid);
  const auto schemas = database_.query(
      StatementBuilder()
          .sql("SELECT COUNT(*) AS count FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN "
               "('mysql', 'sys', 'information_schema', 'performance_schema')")
          .build(),
      work);
  if (!schemas) return schemas.error();
  if (!who->super_read_only || !who->executed.without(*own).empty() ||
      (*schemas)[0].number("count") != 0u) {
    return error(Code::Conflict, fmt::format("this member may hold data: GTIDs {}, {} schemas, {}",
                                             who->executed.to_string(), (*schemas)[0].text("count"),
                                             who->super_read_only ? "read-only" : "writable"));
  }
  const auto spelling = dialect(work);
  if (!spelling) return spelling.error();
  if (auto left = leave_replication(work); !left) return left.error();
  if (auto reset = run_statement(mysql::reset_binary_logs(*spelling), work); !reset)
    return reset.error();
  return Reply{Done{}, "the GTID set is empty now"};
}

}  // namespace troupe::agent
