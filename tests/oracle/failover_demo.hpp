// The demo: writers on the read-write Service, the primary killed, the failover watched and judged.
#pragma once

#include <string>

#include "tests/oracle/mysql_cluster.hpp"

namespace troupe::oracle {

struct DemoOptions {
  std::string operator_url;
  std::string json_file;  // empty: none
  bool once = false;      // else it runs on until it is interrupted
  bool kill_pod = false;  // the whole Pod instead of the database's process
};

// The exit status: 0 if nothing was lost and the old primary came back.
int run_demo(const Kubectl& kubectl, const DemoOptions& options);

}  // namespace troupe::oracle
