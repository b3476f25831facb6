#include "tests/oracle/rows.hpp"

#include <cstdlib>

#include "tests/oracle/connection.hpp"

namespace troupe::oracle {

Rows read_rows(const Address& member) {
  Rows rows;
  const auto handle = connect(member, std::chrono::seconds(30));
  if (!handle) {
    rows.error = "cannot connect to " + member.host;
    return rows;
  }
  rows.error = query(handle.get(), "SELECT writer, number FROM troupe_demo.acknowledged");
  if (!rows.error.empty()) return rows;
  MYSQL_RES* result = mysql_use_result(handle.get());
  while (const auto row = mysql_fetch_row(result)) {
    ++rows.count;
    const auto name =
        row_name(std::strtoull(row[0], nullptr, 10), std::strtoull(row[1], nullptr, 10));
    if (++rows.times[name] == 2) ++rows.doubled;
  }
  rows.error = mysql_error(handle.get());  // set if the connection broke before the last row
  mysql_free_result(result);
  return rows;
}

}  // namespace troupe::oracle
