// The same blow to the primary again and again, under load, and how long each time nobody could
// write: where the time went, and whether anything was lost.
//
// While a primary is cut off, one more client writes to it from its own side.
#pragma once

#include <string>

#include "tests/oracle/mysql_cluster.hpp"
#include "tests/oracle/strike.hpp"

namespace troupe::oracle {

struct KillsOptions {
  int times = 10;
  Strike how = Strike::Process;
  int resident_gib = 0;  // that the primary has in memory, each time
  std::string operator_url;
  std::string json_file;  // empty: none
};

// The exit status: 0 if each time somebody took over, all came back, and nothing was lost.
int run_kills(const Kubectl& kubectl, const KillsOptions& options);

}  // namespace troupe::oracle
