#include "engines/agent/server/fence_watch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::agent {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestInterval{1000};
constexpr milliseconds kAnswerLimit{1000};  // counters only: a healthy server takes a millisecond

mysql::Statement report_statement() {
  const auto& names = mysql::semi_sync_source_names(mysql::SemiSyncNames::New);
  return mysql::StatementBuilder()
      .sql(fmt::format("SELECT @@super_read_only AS closed, @@{} AS semi_sync, @@{} AS needed, "
                       "(SELECT VARIABLE_VALUE FROM performance_schema.global_status "
                       "WHERE VARIABLE_NAME = '{}') AS attached",
                       names.enabled, names.wait_for_replica_count, names.clients))
      .build();
}

Result<SourceReport> ask(LocalMysql& session, Work& work) {
  const auto rows = session.query(report_statement(), work, kAnswerLimit);
  if (!rows) return rows.error();
  const auto row = (*rows)[0];
  return SourceReport{.writable = row.flag("closed") == false,
                      .semi_sync = row.flag("semi_sync").value_or(false),
                      .needed = row.number("needed").value_or(0),
                      .attached = row.number("attached").value_or(0)};
}

}  // namespace

FenceWatch::FenceWatch(boost::asio::io_context& context, LocalLogin login, SelfFenceLimits limits,
                       Member member)
    : interval_(std::min<Duration>(kLongestInterval, limits.shortage / 4)),
      member_(std::move(member)),
      session_(context, std::move(login)),
      rule_(limits, clock_.now()) {}

FenceWatch::~FenceWatch() { stop(); }

void FenceWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FenceWatch::start() {
  thread_ = std::thread([this] { keep_watch(); });
}

void FenceWatch::renew() {
  const std::lock_guard lock(mutex_);
  rule_.renew(clock_.now());
}

void FenceWatch::set_fenced(bool fenced) {
  const std::lock_guard lock(mutex_);
  rule_.set_fenced(fenced);
}

void FenceWatch::keep_watch() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, interval_);
    if (stopping_ || !rule_.wants_report(clock_.now())) continue;
    lock.unlock();
    look();
    lock.lock();
  }
}

void FenceWatch::look() {
  if (!member_.can_be_asked()) return;
  Work work(kAnswerLimit);
  const auto report = ask(session_, work);
  // A command may have changed the member meanwhile; what it left behind is known once it has
  // ended.
  if (!report || !member_.can_be_asked()) return;
  std::optional<std::string> reason;
  {
    const std::lock_guard lock(mutex_);
    reason = rule_.judge(*report, clock_.now());
  }
  if (reason) member_.fence(*reason);
}

}  // namespace troupe::agent
