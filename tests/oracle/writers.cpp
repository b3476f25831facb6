#include "tests/oracle/writers.hpp"

#include <mysql.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

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
  const bool is_socket = a.host.starts_with('/');
  if (!mysql_real_connect(handle.get(), is_socket ? nullptr : a.host.c_str(), a.user.c_str(),
                          a.password.c_str(), nullptr, a.port, is_socket ? a.host.c_str() : nullptr,
                          0))
    return nullptr;
  return handle;
}

std::string run(MYSQL* handle, const char* sql) {
  return mysql_query(handle, sql) == 0 ? std::string() : mysql_error(handle);
}

struct Acknowledged {
  std::size_t writer;
  std::uint64_t number;
  Instant begun;
  Instant at;
};

std::uint64_t key(std::uint64_t writer, std::uint64_t number) { return (writer << 48) | number; }

}  // namespace

struct Writers::Impl {
  using Route = std::function<Address(std::size_t writer)>;
  Impl(std::size_t n, Route r, WriterOptions o) : count(n), route(std::move(r)), options(o) {}

  void write(std::size_t writer) {
    mysql_thread_init();
    Handle handle;
    const auto pace = std::chrono::microseconds(1'000'000 / options.rows_a_second);
    auto due = std::chrono::steady_clock::now();
    // What hung in the same moment would try again in the same moment for ever, and the time at
    // which service is back be known to the nearest `patience` only.
    bool spread = false;
    for (std::uint64_t number = 0; !stopping; ++number) {
      const auto begun = std::chrono::steady_clock::now();
      if (attempt(handle, writer, number, begun)) {
        due = std::max(due + pace, std::chrono::steady_clock::now() - pace);
        spread = false;
      } else {
        handle.reset();
        due = std::chrono::steady_clock::now() + options.retry_after;
        const bool hung = due - begun >= options.patience;
        if (hung && !std::exchange(spread, true))
          due += std::chrono::milliseconds(options.patience) * writer / count;
      }
      pause_until(due);
    }
    handle.reset();
    mysql_thread_end();
  }

  bool attempt(Handle& handle, std::size_t writer, std::uint64_t number, Instant begun) {
    if (!handle) handle = open(route(writer), options.patience);
    if (!handle) return false;
    const auto sql = "INSERT INTO troupe_demo.acknowledged (writer, number) VALUES (" +
                     std::to_string(options.first_id + writer) + ", " + std::to_string(number) +
                     ")";
    if (mysql_query(handle.get(), sql.c_str()) != 0) return false;
    const std::scoped_lock lock(mutex);
    acks.push_back({options.first_id + writer, number, begun, std::chrono::steady_clock::now()});
    return true;
  }

  void pause_until(Instant t) {
    std::unique_lock lock(pause_mutex);
    paused.wait_until(lock, t, [this] { return stopping.load(); });
  }

  const std::size_t count;
  const Route route;
  const WriterOptions options;
  std::atomic<bool> stopping{false};
  std::mutex pause_mutex;
  std::condition_variable paused;
  mutable std::mutex mutex;
  std::vector<Acknowledged> acks;  // in the order of `at`
  std::vector<std::thread> threads;
};

Writers::Writers(std::vector<Address> addresses, WriterOptions options)
    : impl_(std::make_unique<Impl>(
          addresses.size(), [addresses](std::size_t writer) { return addresses[writer]; },
          options)) {}

Writers::Writers(std::size_t count, std::function<Address()> route, WriterOptions options)
    : impl_(std::make_unique<Impl>(
          count, [route = std::move(route)](std::size_t) { return route(); }, options)) {}

Writers::~Writers() { stop(); }

std::optional<std::string> Writers::prepare(const Address& address) {
  const auto handle = open(address, std::chrono::seconds(5));
  if (!handle) return "cannot connect to " + address.host;
  for (const auto* sql :
       {"CREATE DATABASE IF NOT EXISTS troupe_demo",
        "DROP TABLE IF EXISTS troupe_demo.acknowledged",
        // A key of its own, which says nothing of what is written: groups demand one.
        "CREATE TABLE troupe_demo.acknowledged (id BIGINT AUTO_INCREMENT PRIMARY KEY, "
        "writer INT NOT NULL, number BIGINT NOT NULL, "
        "at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6))"})
    if (auto problem = run(handle.get(), sql); !problem.empty()) return problem;
  return std::nullopt;
}

void Writers::start() {
  for (std::size_t i = 0; i < impl_->count; ++i)
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
  // The answer to what was asked before may have been on its way for as long as anything is.
  const std::scoped_lock lock(impl_->mutex);
  for (const auto& a : impl_->acks)
    if (a.begun > t) return a.at;
  return std::nullopt;
}

std::chrono::milliseconds Writers::longest_gap(Instant from, Instant to) const {
  const std::scoped_lock lock(impl_->mutex);
  auto longest = std::chrono::steady_clock::duration::zero();
  auto previous = from;
  for (const auto& a : impl_->acks) {
    if (a.at < from || a.at > to) continue;
    longest = std::max(longest, a.at - previous);
    previous = a.at;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::max(longest, to - previous));
}

int Writers::handovers() const {
  const std::scoped_lock lock(impl_->mutex);
  int changes = 0;
  for (std::size_t i = 1; i < impl_->acks.size(); ++i)
    changes += impl_->acks[i].writer != impl_->acks[i - 1].writer;
  return changes;
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
  MYSQL_RES* result = mysql_use_result(handle.get());
  while (const auto row = mysql_fetch_row(result)) {
    ++v.rows;
    const auto writer = std::strtoull(row[0], nullptr, 10);
    if (++there[key(writer, std::strtoull(row[1], nullptr, 10))] == 2) ++v.doubled;
  }
  v.error = mysql_error(handle.get());  // set if the connection broke before the last row
  mysql_free_result(result);
  const std::scoped_lock lock(impl_->mutex);
  for (const auto& a : impl_->acks)
    if (!there.contains(key(a.writer, a.number))) ++v.lost;
  return v;
}

}  // namespace troupe::oracle
