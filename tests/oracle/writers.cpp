#include "tests/oracle/writers.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "tests/oracle/connection.hpp"
#include "tests/oracle/until_stopped.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::oracle {
int least_handovers(const std::vector<Acknowledged>& rows) {
  // It moves when it must: when a row of another one has been acknowledged, at the latest.
  int changes = -1;
  std::size_t owner = 0;
  std::map<std::size_t, Instant> had_it_until;
  for (const auto& row : rows) {
    const auto until = had_it_until.find(row.writer);
    const bool had_it = until != had_it_until.end() && until->second >= row.begun;
    if (had_it || (changes >= 0 && row.writer == owner)) continue;
    if (changes >= 0) had_it_until[owner] = row.at;
    owner = row.writer;
    ++changes;
  }
  return std::max(changes, 0);
}

struct Writers::Impl {
  Impl(std::vector<Route> r, WriterOptions o) : routes(std::move(r)), options(o) {}

  void write(std::size_t writer) {
    mysql_thread_init();
    Connection handle;
    const auto pace = std::chrono::microseconds(1'000'000 / options.rows_a_second);
    auto due = std::chrono::steady_clock::now();
    // What hung in the same moment would try again in the same moment for ever, and the time at
    // which service is back be known to the nearest `patience` only.
    bool spread = false;
    for (std::uint64_t number = 0; !threads.stopping(); ++number) {
      const auto begun = std::chrono::steady_clock::now();
      if (attempt(handle, writer, number, begun)) {
        due = std::max(due + pace, std::chrono::steady_clock::now() - pace);
        spread = false;
      } else {
        handle.reset();
        due = std::chrono::steady_clock::now() + options.retry_after;
        const bool hung = due - begun >= options.patience;
        if (hung && !std::exchange(spread, true))
          due += std::chrono::milliseconds(options.patience) * writer / routes.size();
      }
      threads.pause_until(due);
    }
    handle.reset();
    mysql_thread_end();
  }

  bool attempt(Connection& handle, std::size_t writer, std::uint64_t number, Instant begun) {
    if (!handle) handle = connect(routes[writer](), options.patience);
    if (!handle) return false;
    const auto sql = "INSERT INTO troupe_demo.acknowledged (writer, number) VALUES (" +
                     std::to_string(options.first_id + writer) + ", " + std::to_string(number) +
                     ")";
    if (!query(handle.get(), sql.c_str()).empty()) return false;
    const std::scoped_lock lock(mutex);
    acks.push_back({options.first_id + writer, number, begun, std::chrono::steady_clock::now()});
    return true;
  }

  const std::vector<Route> routes;
  const WriterOptions options;
  mutable std::mutex mutex;
  std::vector<Acknowledged> acks;  // in the order of `at`
  UntilStopped threads;            // the first to go
};

namespace {

std::vector<Writers::Route> routes_to(std::vector<Address> addresses) {
  std::vector<Writers::Route> routes;
  for (auto& address : addresses)
    routes.emplace_back([address = std::move(address)] { return address; });
  return routes;
}

}  // namespace

Writers::Writers(std::vector<Address> addresses, WriterOptions options)
    : Writers(routes_to(std::move(addresses)), options) {}

Writers::Writers(std::size_t count, Route route, WriterOptions options)
    : Writers(std::vector<Route>(count, route), options) {}

Writers::Writers(std::vector<Route> routes, WriterOptions options)
    : impl_(std::make_unique<Impl>(std::move(routes), options)) {}

Writers::~Writers() = default;

std::optional<std::string> Writers::prepare(const Address& address) {
  const auto handle = connect(address, std::chrono::seconds(5));
  if (!handle) return "cannot connect to " + address.host;
  for (const auto* sql :
       {"CREATE DATABASE IF NOT EXISTS troupe_demo",
        "DROP TABLE IF EXISTS troupe_demo.acknowledged",
        // A key of its own, which says nothing of what is written: groups demand one.
        "CREATE TABLE troupe_demo.acknowledged (id BIGINT AUTO_INCREMENT PRIMARY KEY, "
        "writer INT NOT NULL, number BIGINT NOT NULL, "
        "at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6))"})
    if (auto problem = query(handle.get(), sql); !problem.empty()) return problem;
  return std::nullopt;
}

void Writers::start() {
  impl_->threads.start(impl_->routes.size(), [this](std::size_t i) { impl_->write(i); });
}

void Writers::stop() { impl_->threads.stop(); }

std::uint64_t Writers::acknowledged() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->acks.size();
}

bool Writers::flow(std::uint64_t more, std::chrono::seconds within) const {
  const auto enough = acknowledged() + more;
  return support::eventually(within, [&] { return acknowledged() >= enough; });
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
  return least_handovers(impl_->acks);
}

std::uint64_t Writers::missing_in(const Rows& rows) const {
  const std::scoped_lock lock(impl_->mutex);
  std::uint64_t missing = 0;
  for (const auto& a : impl_->acks)
    if (!rows.times.contains(row_name(a.writer, a.number))) ++missing;
  return missing;
}

}  // namespace troupe::oracle
