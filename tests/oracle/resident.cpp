#include "tests/oracle/resident.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "tests/support/eventually.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::seconds;

constexpr seconds kFilling(300);
constexpr int kRowsAtOnce = 64;  // of a MiB
constexpr std::int64_t kPage = 16 << 10;

// Of the buffer pool, in bytes; -1 if it is not to be seen.
std::int64_t size_of_pages(MYSQL* handle, const char* which) {
  const auto sql = fmt::format(
      "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = "
      "'Innodb_buffer_pool_pages_{}'",
      which);
  if (!query(handle, sql.c_str()).empty()) return -1;
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(handle),
                                                                        mysql_free_result);
  const auto row = result ? mysql_fetch_row(result.get()) : nullptr;
  return row && row[0] ? std::atoll(row[0]) * kPage : -1;
}

std::string fill(MYSQL* handle, int gib) {
  auto problem = query(handle,
                       "CREATE TEMPORARY TABLE troupe_demo.resident (id INT AUTO_INCREMENT PRIMARY "
                       "KEY, b LONGBLOB)");
  const auto insert = fmt::format(
      "INSERT INTO troupe_demo.resident (b) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + "
      "1 FROM n WHERE i < {}) SELECT REPEAT('x', 1048576) FROM n",
      kRowsAtOnce);
  for (int rows = 0; problem.empty() && rows < gib * 1024; rows += kRowsAtOnce)
    problem = query(handle, insert.c_str());
  return problem;
}

}  // namespace

std::string buffer_pool_for(int gib) {
  return fmt::format("SET GLOBAL innodb_buffer_pool_size = {}", (gib + 1LL) << 30);
}

Resident keep_resident(const Address& server, int gib) {
  Resident out{.session = connect(server, kFilling)};
  auto* handle = out.session.get();
  if (!handle) return {.problem = "no connection to " + server.host};
  out.problem = fill(handle, gib);
  if (!out.problem.empty()) return {.problem = "not filled: " + out.problem};
  if (size_of_pages(handle, "data") < (std::int64_t{gib} << 30))
    return {.problem = fmt::format("{} MiB of the buffer pool are in use, {} GiB were to be",
                                   size_of_pages(handle, "data") >> 20, gib)};
  if (!support::eventually(kFilling, [&] { return size_of_pages(handle, "dirty") < 64 << 20; }))
    return {.problem = "its pages are not written down"};
  return out;
}

}  // namespace troupe::oracle
