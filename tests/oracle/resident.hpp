// Memory that a server has in use. When it dies, the kernel takes all of it back before it closes
// the server's connections: of a large server's death, whoever waits for those hears late.
#pragma once

#include <string>

#include "tests/oracle/connection.hpp"

namespace troupe::oracle {

// The statement, for an administrator, that makes room for `gib` and the server's own work.
std::string buffer_pool_for(int gib);

struct Resident {
  Connection session;   // ends it
  std::string problem;  // why there is none
};
// Fills `gib` of the server's buffer pool with a temporary table, of which no binary log knows, and
// waits until its disk is quiet again. Blocks for a minute or so.
Resident keep_resident(const Address& server, int gib);

}  // namespace troupe::oracle
