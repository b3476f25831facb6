// Whether every member has, once, each write that anybody was told of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/oracle/mysql_cluster.hpp"
#include "tests/oracle/writers.hpp"

namespace troupe::oracle {

struct Judgement {
  std::uint64_t lost = 0;     // by the member that lacks most
  std::uint64_t doubled = 0;  // by the member that has most twice
  std::string problem;        // a member could not be read
  bool good() const { return lost == 0 && doubled == 0 && problem.empty(); }
};

// When the writers have stopped. Tells what each member has; a replica may take its time to apply.
Judgement judge_members(const MysqlCluster& cluster, const std::vector<const Writers*>& writers);

// Until all members have executed the same transactions and hold the same rows; else how they
// differ. When nobody writes.
std::optional<std::string> difference_of_members(const MysqlCluster& cluster);

}  // namespace troupe::oracle
