// What the operator's own history says of a failover. Pure.
//
// The history has wall-clock times of the operator's machine, so the kill is given in the same
// clock's, read there: microseconds since 1970.
#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  // When each phase of the failover ended, in the order of their ends; those that were found.
  std::vector<std::pair<std::string, double>> phases;

  // The same, as far as clients waited for them: from 0 on, and none longer than to their first
  // write. That a server takes writes, the operator hears a round trip after it does, and so does a
  // client.
  std::vector<std::pair<std::string, double>> until(double first_write) const;
  std::optional<double> detected() const { return at("detected"); }
  std::optional<double> promoted() const { return at("opened"); }

 private:
  std::optional<double> at(std::string_view phase) const;
};

// `history`: the answer of /api/actors/{id}/history of the MysqlReplication. The phases:
//   detected           the run that writes the failover's record
//   recorded           it is written, and the replicas' receivers are being stopped
//   receivers stopped  that many of them that one can be chosen, and is
//   choice recorded    it is written, and the chosen one is being promoted
//   promoted           it has applied what it had received, and is being opened
//   opened             it says that it takes writes
//   routed             its Pod has the label that the Service looks for
OperatorTimes times_in(const boost::json::value& history, const KillTime& kill);

}  // namespace troupe::oracle
