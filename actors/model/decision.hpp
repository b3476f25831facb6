// The result of every decide(): what to do next, when to look again, what it is doing and what
// holds it back.
#pragma once

#include <string>
#include <vector>

#include "actors/model/effect.hpp"
#include "runtime/model/trace.hpp"

namespace troupe::actors {

// A server to be probed every second while somebody wants to know.
struct ServerTarget {
  mysql::EndpointId id;
  std::string label;  // namespace/name, for logs
  std::string ip;
  std::uint16_t port = 3306;
  std::uint16_t admin_port = 0;  // to be tried when clients have all connections; 0: there is none
  std::string user;
  Secret password;
  std::string ca_pem;    // of the server's certificate; empty: the operator's authority
  std::string tls_name;  // the DNS name that it must bear; empty: the IP address
};

struct Decision {
  std::vector<Effect> effects;
  // What this actor wants to have observed, as long as it says so.
  std::vector<agent::Endpoint> agents;
  std::vector<ServerTarget> servers;
  TimePoint wake = TimePoint::max();
  std::vector<Guard> guards;
  std::string doing;

  void add(std::string key, Action action, Duration deadline = std::chrono::seconds(10)) {
    effects.push_back({std::move(key), std::move(action), deadline});
  }
  void hold(std::string rule, std::string text, TimePoint since = {}) {
    guards.push_back({std::move(rule), std::move(text), since});
  }
  void wake_at(TimePoint t) { wake = std::min(wake, t); }
};

}  // namespace troupe::actors
