// Schedules of faults (fault_schedule.hpp) on a real cluster under load, each judged by itself:
// what was acknowledged is there once, on every member; never could two write; the members hold the
// same; and everything is whole again soon after the last fault was taken back.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/oracle/fault_schedule.hpp"
#include "tests/oracle/mysql_cluster.hpp"
#include "tests/oracle/operator_control.hpp"

namespace troupe::oracle {

struct ScheduleResult {
  std::string problem;  // what is not as it has to be; empty: all is well
  int faults = 0;
  int not_possible = 0;  // of them: there was nobody to strike
  std::uint64_t acknowledged = 0;
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::uint64_t reads = 0;
  std::uint64_t shown_and_gone = 0;  // rows that a reader was shown and nobody has
  std::int64_t epochs = 0;           // that have passed
  std::chrono::milliseconds longest_outage{};
  std::chrono::milliseconds whole_after{};  // since the last fault was taken back
};

// Tells what it does. The cluster's volumes are file systems of their own (troupe-sim's
// --default-fstype), or those of everybody fill up.
ScheduleResult run_schedule(const Kubectl& kubectl, const FaultSchedule& schedule,
                            const OperatorControl& control);

struct FaultSoakOptions {
  std::uint64_t seed = 1;  // of the first schedule; each next one has the next
  int schedules = 0;       // 0: as many as begin within `duration`
  std::chrono::seconds duration{600};
  OperatorControl control;
  std::string replay;     // command that replays a seed, but for its number
  std::string json_file;  // empty: none
};

// Ends with the first schedule that is not well. The exit status: 0 if all were.
int run_fault_soak(const Kubectl& kubectl, const FaultSoakOptions& options);

}  // namespace troupe::oracle
