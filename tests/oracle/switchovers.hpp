// One planned switchover after the other, under load, and for how long nobody could write each
// time.
#pragma once

#include <string>

#include "tests/oracle/mysql_cluster.hpp"

namespace troupe::oracle {

struct SwitchoversOptions {
  int times = 20;
  std::string json_file;  // empty: none
};

// The exit status: 0 if each order was obeyed and nothing was lost.
int run_switchovers(const Kubectl& kubectl, const SwitchoversOptions& options);

}  // namespace troupe::oracle
