// What gateways have observed of endpoints outside the API server, and who wants to know.
//
// An actor says with each decision which endpoints it wants to have watched; an endpoint is watched
// as long as anybody wants it. A new observation wakes those who want it, under the causal chain
// that it belongs to (actors/model/causality.hpp). Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/model/decision.hpp"
#include "engines/agent/model/observation.hpp"
#include "engines/mysql/model/observation.hpp"
#include "runtime/actors.hpp"

namespace troupe::actors {

class Observations {
 public:
  // What the gateways are told to do. Called without locks held, in any thread.
  struct Watchers {
    std::function<void(const agent::Endpoint&)> watch_agent;
    std::function<void(const std::string& id)> unwatch_agent;
    std::function<void(const ServerTarget&)> watch_server;
    std::function<void(const mysql::EndpointId&)> unwatch_server;
  };

  Observations(Actors& actors, const Clock& clock);
  ~Observations();
  void connect(Watchers watchers);

  // Replaces what `actor` wants to have watched; empty lists when it ends.
  void want(ActorId actor, std::vector<agent::Endpoint> agents, std::vector<ServerTarget> servers);

  std::shared_ptr<const agent::AgentObservation> agent_seen(const std::string& id) const;
  std::shared_ptr<const mysql::ProbeOutcome> server_seen(const mysql::EndpointId& id) const;

  // An effect of that chain at the endpoint is under way: what is seen meanwhile comes of it.
  void begin(const std::string& id, CausalId chain);
  void end(const std::string& id, CausalId chain);

  // From the gateways.
  void put(const std::string& id, std::shared_ptr<const agent::AgentObservation> seen);
  void put(std::shared_ptr<const mysql::ProbeOutcome> seen);

  struct Size {
    std::size_t agents = 0;
    std::size_t servers = 0;
  };
  Size size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::actors
