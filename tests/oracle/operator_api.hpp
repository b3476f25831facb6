// What a running operator says over its own endpoint.
#pragma once

#include <cstdint>
#include <string>

#include "tests/oracle/operator_times.hpp"

namespace troupe::oracle {

// Of the first MysqlReplication that it has.
OperatorTimes times_of(const std::string& operator_url, const KillTime& kill);
std::int64_t resident_bytes(const std::string& operator_url);

}  // namespace troupe::oracle
