// Where a unit's agent is reached. An endpoint is one life of one Pod: a replaced or restarted Pod
// is another endpoint, and nothing observed of the old one is believed of it.
#pragma once

#include <cstdint>
#include <string>

namespace troupe::agent {

inline constexpr std::uint16_t kAgentPort = 2214;
// Of the server beside it, where there is room for administrators when clients have taken all
// connections (MySQL's admin_port, by its default).
inline constexpr std::uint16_t kServerAdminPort = 33062;
// Whether a replica that names the port `named` follows the server whose clients come to `port`.
constexpr bool is_port_of_server(std::uint16_t named, std::uint16_t port) {
  return named == port || named == kServerAdminPort;
}

struct Endpoint {
  std::string id;    // Pod uid and start time
  std::string unit;  // namespace/name
  std::string ip;    // the Pod's
  std::uint16_t port = kAgentPort;
  std::string server_name;  // a DNS name in the agent's certificate
  bool operator==(const Endpoint&) const = default;
};

}  // namespace troupe::agent
