// What a Service's address leads to and what the cluster's names mean: pure tables made from the
// API's objects, swapped whole into the forwarder and the name server.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace troupe::sim {

struct Backend {
  std::string address;
  std::uint16_t port = 0;
  friend auto operator<=>(const Backend&, const Backend&) = default;
};

// Where connections are accepted.
struct Frontend {
  std::string address;
  std::uint16_t port = 0;
  friend auto operator<=>(const Frontend&, const Frontend&) = default;
};

struct ForwardTarget {
  std::string service;  // namespace/name, for messages
  std::vector<Backend> backends;
  bool same_client_same_backend = false;  // sessionAffinity: ClientIP
};
using ForwardTable = std::map<Frontend, ForwardTarget>;

// Adds the frontends of one Service with its endpoint slices. `node_addresses` are where node ports
// are open. Only ready endpoints receive connections; a port is matched by its name.
void add_forwards(ForwardTable& table, const boost::json::value& service,
                  const std::vector<const boost::json::value*>& slices,
                  const std::vector<std::string>& node_addresses);

// Names below the cluster's domain, lower case and without the final dot.
class NameTable {
 public:
  struct Target {
    std::string host;
    std::uint16_t port = 0;
    friend auto operator<=>(const Target&, const Target&) = default;
  };

  // A Service's own name, and for a headless one the names of its pods.
  void add_service(const boost::json::value& service,
                   const std::vector<const boost::json::value*>& slices);

  bool knows(std::string_view name) const;
  std::vector<std::string> addresses(std::string_view name) const;
  std::vector<Target> services(std::string_view name) const;  // SRV
  std::string alias(std::string_view name) const;             // CNAME of an ExternalName, or empty
  std::string name_of_address(std::string_view address) const;  // PTR, or empty

 private:
  void add_endpoints(const std::string& domain, const boost::json::value& service,
                     const boost::json::value& slice);

  std::multimap<std::string, std::string, std::less<>> addresses_;
  std::multimap<std::string, Target, std::less<>> services_;
  std::map<std::string, std::string, std::less<>> aliases_, names_;
  std::map<std::string, bool, std::less<>> known_;  // also names that have no address now
};

inline constexpr std::string_view kClusterDomain = "cluster.local";

}  // namespace troupe::sim
