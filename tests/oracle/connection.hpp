// A connection of a client that gives up after a while. Blocks.
#pragma once

#include <mysql.h>

#include <chrono>
#include <memory>
#include <string>

#include "tests/oracle/rows.hpp"

namespace troupe::oracle {

struct CloseConnection {
  void operator()(MYSQL* handle) const { mysql_close(handle); }
};
using Connection = std::unique_ptr<MYSQL, CloseConnection>;

// Null if nobody answers within `patience`, which also holds for each statement.
Connection connect(const Address& address, std::chrono::seconds patience);

// What is wrong, or empty.
std::string query(MYSQL* handle, const char* sql);

}  // namespace troupe::oracle
