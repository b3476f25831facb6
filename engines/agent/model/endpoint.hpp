// Where a unit's agent is reached. An endpoint is one life of one Pod: a replaced or restarted Pod
// is another endpoint, and nothing observed of the old one is believed of it.
#pragma once

#include <cstdint>
#include <string>

namespace troupe::agent {

inline constexpr std::uint16_t kAgentPort = 2214;

struct Endpoint {
  std::string id;    // Pod uid and start time
  std::string unit;  // namespace/name
  std::string ip;    // the Pod's
  std::uint16_t port = kAgentPort;
  std::string server_name;  // a DNS name in the agent's certificate
  bool operator==(const Endpoint&) const = default;
};

}  // namespace troupe::agent
