#include "tests/oracle/readers.hpp"

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

#include "tests/oracle/connection.hpp"
#include "tests/oracle/until_stopped.hpp"

namespace troupe::oracle {
namespace {

constexpr std::chrono::milliseconds kPace(20);
constexpr std::chrono::seconds kPatience(1);

struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};

struct Look {
  bool answered = false;
  std::optional<RowName> newest;  // none in an empty table
};

Look look(MYSQL* handle) {
  if (!query(handle, "SELECT writer, number FROM troupe_demo.acknowledged ORDER BY id DESC LIMIT 1")
           .empty())
    return {};
  const std::unique_ptr<MYSQL_RES, FreeResult> result(mysql_store_result(handle));
  if (!result) return {};
  const auto row = mysql_fetch_row(result.get());
  if (!row) return {.answered = true, .newest = {}};
  return {true, row_name(std::strtoull(row[0], nullptr, 10), std::strtoull(row[1], nullptr, 10))};
}

}  // namespace

struct Readers::Impl {
  explicit Impl(std::vector<Address> a) : addresses(std::move(a)) {}

  void read(const Address& address) {
    mysql_thread_init();
    Connection handle;
    while (!threads.stopping()) {
      if (!handle) handle = connect(address, kPatience);
      const auto seen = handle ? look(handle.get()) : Look{};
      if (seen.answered) {
        const std::scoped_lock lock(mutex);
        ++reads;
        if (seen.newest) shown.insert(*seen.newest);
      } else {
        handle.reset();
      }
      threads.pause_until(std::chrono::steady_clock::now() + kPace);
    }
    handle.reset();
    mysql_thread_end();
  }

  const std::vector<Address> addresses;
  mutable std::mutex mutex;
  std::uint64_t reads = 0;
  std::unordered_set<RowName> shown;
  UntilStopped threads;  // the first to go
};

Readers::Readers(std::vector<Address> addresses)
    : impl_(std::make_unique<Impl>(std::move(addresses))) {}

Readers::~Readers() = default;

void Readers::start() {
  impl_->threads.start(impl_->addresses.size(),
                       [this](std::size_t i) { impl_->read(impl_->addresses[i]); });
}

void Readers::stop() { impl_->threads.stop(); }

std::uint64_t Readers::reads() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->reads;
}

std::uint64_t Readers::missing_in(const Rows& rows) const {
  const std::scoped_lock lock(impl_->mutex);
  std::uint64_t missing = 0;
  for (const auto name : impl_->shown)
    if (!rows.times.contains(name)) ++missing;
  return missing;
}

}  // namespace troupe::oracle
