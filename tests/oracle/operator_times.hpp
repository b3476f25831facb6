// What the operator's own history says of a failover. Pure.
//
// The history has wall-clock times of the operator's machine, so the kill is given in the same
// clock's, read there: microseconds since 1970.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>

namespace troupe::oracle {

// When a database was killed.
struct KillTime {
  // When the kill was asked for: what the operator did before is no answer to it.
  std::int64_t asked = 0;
  // When the process was last seen alive. All is counted from here. A signal kills when it is asked
  // for; a Pod's way to its death leads through the API server, where the operator can see it
  // coming.
  std::int64_t last_alive = 0;
};

// In milliseconds from the kill. Below 0: the operator acted on the Pod's deletion while the
// process was still alive.
struct OperatorTimes {
  std::optional<double> detected;  // the run that wrote the failover's record
  std::optional<double> promoted;  // the run that heard that the new source is open
};

// `history`: the answer of /api/actors/{id}/history of the MysqlReplication.
OperatorTimes times_in(const boost::json::value& history, const KillTime& kill);

}  // namespace troupe::oracle
