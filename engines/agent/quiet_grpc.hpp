// Keeps the gRPC library from writing to stderr: what it has to say about a connection is in the
// connection's status, and a peer with a wrong certificate would fill the log.
#pragma once

namespace troupe::agent {

void quiet_grpc();

}  // namespace troupe::agent
