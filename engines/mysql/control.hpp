// The two things that the gateway may do to a member beside reading it: close it and cut sessions.
//
// Each request runs on a connection of its own, so that a statement which hangs (super_read_only
// waits for commits that wait for acknowledgements) holds up nothing else; when it times out the
// connection is closed and the server may still carry it out later. Internal to the gateway and
// confined to its executor.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engines/mysql/gateway.hpp"
#include "engines/mysql/monitor.hpp"

namespace troupe::mysql::internal {

void close_member(const SharedSurroundings& around, const Endpoint& endpoint, CloseMember what,
                  Gateway::OnClosed done);

// `keep_sessions` are the gateway's own.
void kill_connections(const SharedSurroundings& around, const Endpoint& endpoint,
                      std::vector<std::string> keep_users, std::vector<std::uint64_t> keep_sessions,
                      Gateway::OnKilled done);

}  // namespace troupe::mysql::internal
