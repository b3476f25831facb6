#include "tests/oracle/writers.hpp"

#include <mysql.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace troupe::oracle {
namespace {

struct Close {
  void operator()(MYSQL* handle) const { mysql_close(handle); }
};
using Handle = std::unique_ptr<MYSQL, Close>;

Handle open(const Address& a, std::chrono::seconds patience) {
  Handle handle(mysql_init(nullptr));
  const unsigned seconds = static_cast<unsigned>(patience.count());
  mysql_options(handle.get(), MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
  mysql_options(handle.get(), MYSQL_OPT_READ_TIMEOUT, &seconds);
  mysql_options(handle.get(), MYSQL_OPT_WRITE_TIMEOUT, &seconds);
  if (!mysql_real_connect(handle.get(), a.host.c_str(), a.user.c_str(), a.password.c_str(), nullptr,
                          a.port, nullptr, 0))
    return nullptr;
  return handle;
}

std::string run(MYSQL* handle, const char* sql) {
  return mysql_query(handle, sql) == 0 ? std::string() : mysql_error(handle);
}

struct Acknowledged {
  Instant sent;  // for the first time
  Instant at;
};

constexpr unsigned kDuplicateKey = 1062;

}  // namespace

struct Writers::Impl {
  Impl(Address a, WriterOptions o) : address(std::move(a)), options(o) {}

  void write(int writer) {
    mysql_thread_init();
    Handle handle;
    const auto pace = std::chrono::microseconds(1'000'000 / options.rows_a_second);
    auto due = std::chrono::steady_clock::now();
    for (std::uint64_t row = 0; !stopping; ++row) {
      const auto sent = std::chrono::steady_clock::now();
      if (!insist(handle, writer, row)) break;
      note(writer, row, sent);
      due = std::max(due + pace, std::chrono::steady_clock::now() - pace);
      pause_until(due);
    }
    handle.reset();
    mysql_thread_end();
  }

  // Until the row is acknowledged; false if told to stop before.
  bool insist(Handle& handle, int writer, std::uint64_t row) {
    const auto sql = "INSERT INTO troupe_demo.acknowledged (writer, number) VALUES (" +
                     std::to_string(writer) + ", " + std::to_string(row) + ")";
    bool sent_before = false;
    while (!stopping) {
      if (!handle) handle = open(address, options.patience);
      if (handle) {
        if (mysql_query(handle.get(), sql.c_str()) == 0) return true;
        // It was written by an attempt whose answer was lost. A replica says so, too, and would
        // not take a write: only the primary's word is an acknowledgement.
        if (sent_before && mysql_errno(handle.get()) == kDuplicateKey) return true;
        sent_before = true;
        handle.reset();
      }
      pause_until(std::chrono::steady_clock::now() + options.retry_after);
    }
    return false;
  }

  void note(int writer, std::uint64_t row, Instant sent) {
    const auto now = std::chrono::steady_clock::now();
    const std::scoped_lock lock(mutex);
    acks.push_back({sent, now});
    rows.emplace_back(writer, row);
  }

  void pause_until(Instant t) {
    std::unique_lock lock(pause_mutex);
    paused.wait_until(lock, t, [this] { return stopping.load(); });
  }

  Address address;
  WriterOptions options;
  std::atomic<bool> stopping{false};
  std::mutex pause_mutex;
  std::condition_variable paused;
  mutable std::mutex mutex;
  std::vector<Acknowledged> acks;
  std::vector<std::pair<int, std::uint64_t>> rows;
  std::vector<std::thread> threads;
};

Writers::Writers(Address address, WriterOptions options)
    : impl_(std::make_unique<Impl>(std::move(address), options)) {}

Writers::~Writers() { stop(); }

std::optional<std::string> Writers::prepare(const Address& address) {
  const auto handle = open(address, std::chrono::seconds(5));
  if (!handle) return "cannot connect to " + address.host;
  for (const auto* sql :
       {"CREATE DATABASE IF NOT EXISTS troupe_demo",
        "CREATE TABLE IF NOT EXISTS troupe_demo.acknowledged (writer INT, number BIGINT, "
        "at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6), PRIMARY KEY (writer, number))",
        "DELETE FROM troupe_demo.acknowledged"})
    if (auto problem = run(handle.get(), sql); !problem.empty()) return problem;
  return std::nullopt;
}

void Writers::start() {
  for (int i = 0; i < impl_->options.writers; ++i)
    impl_->threads.emplace_back([this, i] { impl_->write(i); });
}

void Writers::stop() {
  {
    const std::scoped_lock lock(impl_->pause_mutex);
    impl_->stopping = true;
  }
  impl_->paused.notify_all();
  for (auto& t : impl_->threads) t.join();
  impl_->threads.clear();
}

std::uint64_t Writers::acknowledged() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->acks.size();
}

std::optional<Instant> Writers::first_acknowledged_after(Instant t) const {
  // A killed server's last answers may still be in a socket's buffer; no failover is that quick.
  constexpr auto kLastAnswers = std::chrono::milliseconds(20);
  const std::scoped_lock lock(impl_->mutex);
  std::optional<Instant> first;
  for (const auto& a : impl_->acks)
    if (a.at > t + kLastAnswers && (!first || a.at < *first)) first = a.at;
  return first;
}

std::optional<Instant> Writers::last_acknowledged_before(Instant t) const {
  const std::scoped_lock lock(impl_->mutex);
  std::optional<Instant> last;
  for (const auto& a : impl_->acks)
    if (a.at <= t && (!last || a.at > *last)) last = a.at;
  return last;
}

std::chrono::milliseconds Writers::longest_gap(Instant from, Instant to) const {
  std::vector<Instant> times;
  {
    const std::scoped_lock lock(impl_->mutex);
    for (const auto& a : impl_->acks)
      if (a.at >= from && a.at <= to) times.push_back(a.at);
  }
  std::sort(times.begin(), times.end());
  times.push_back(to);
  auto longest = std::chrono::steady_clock::duration::zero();
  auto previous = from;
  for (const auto t : times) {
    longest = std::max(longest, t - previous);
    previous = t;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(longest);
}

Writers::Verdict Writers::judge(const Address& member) const {
  Verdict v;
  const auto handle = open(member, std::chrono::seconds(30));
  if (!handle) {
    v.error = "cannot connect to " + member.host;
    return v;
  }
  v.error = run(handle.get(), "SELECT writer, number FROM troupe_demo.acknowledged");
  if (!v.error.empty()) return v;
  std::unordered_map<std::uint64_t, int> there;
  const auto key = [](int writer, std::uint64_t number) {
    return (static_cast<std::uint64_t>(writer) << 48) | number;
  };
  MYSQL_RES* result = mysql_use_result(handle.get());
  while (const auto row = mysql_fetch_row(result)) {
    ++v.rows;
    if (++there[key(std::atoi(row[0]), std::strtoull(row[1], nullptr, 10))] == 2) ++v.doubled;
  }
  mysql_free_result(result);
  const std::scoped_lock lock(impl_->mutex);
  for (const auto& [writer, number] : impl_->rows)
    if (!there.contains(key(writer, number))) ++v.lost;
  return v;
}

}  // namespace troupe::oracle
