// Which changes of a rendered option file a running server can be told, so that they need no
// restart.
#pragma once

#include <optional>
#include <vector>

#include "engines/agent/model/option_file.hpp"
#include "engines/mysql/model/statement.hpp"

namespace troupe::agent {

// From what the server runs with to what its file says now. Nullopt: only a restart does it, as
// where a setting has gone or is one that roles depend on. The server may refuse the rest, too: not
// every variable is dynamic. What a pin takes the effect from is no change.
std::optional<std::vector<mysql::Assignment>> live_changes(const std::vector<Setting>& running,
                                                           const std::vector<Setting>& wanted);

}  // namespace troupe::agent
