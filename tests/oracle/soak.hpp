// The soak: writers on the read-write Service for a long time, and again and again something is
// killed: the primary's process, its Pod, a replica's Pod, the operator, or primary and operator at
// once. After each kill writes have to flow again and every member has to come back.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/oracle/mysql_cluster.hpp"
#include "tests/oracle/operator_control.hpp"

namespace troupe::oracle {

struct SoakOptions {
  std::chrono::seconds duration{600};
  std::uint64_t seed = 1;  // of what is killed, and when
  OperatorControl control;
  std::string json_file;  // empty: none
};

// The exit status: 0 if nothing acknowledged was lost or doubled and all that was killed came back.
int run_soak(const Kubectl& kubectl, const SoakOptions& options);

}  // namespace troupe::oracle
