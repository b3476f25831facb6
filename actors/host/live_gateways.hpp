// The operator's gateways: the API server, the agents, the servers, and what takes randomness.
#pragma once

#include <functional>
#include <memory>

#include "actors/host/effect_counters.hpp"
#include "actors/host/gateways.hpp"
#include "engines/agent/model/command.hpp"
#include "k8s/client/api_gateway.hpp"

namespace troupe::actors {

class Authority;

class LiveGateways final : public Gateways {
 public:
  // As agent::Gateway::call(): `done` comes exactly once, and never from within the call.
  using AskMember = std::function<void(const std::string& endpoint, agent::Command command,
                                       std::function<void(Result<agent::Reply>)> done)>;
  // As mysql::Gateway::probe_now().
  using ProbeServer =
      std::function<void(const mysql::EndpointId& server, std::function<void()> done)>;

  struct Parts {
    k8s::ApiGateway& api;
    AskMember ask_agent;
    ProbeServer probe_now;
    Authority& authority;
    // Where events go; not answered, because nobody waits for one.
    std::function<void(const EmitEvent&, CausalId)> events;
    const Clock& clock;
  };
  explicit LiveGateways(Parts parts) : parts_(std::move(parts)) {}

  void start(ActorId actor, CausalId id, const Effect& effect, Done done) override;
  const EffectCounters& counters() const { return *counters_; }

 private:
  Parts parts_;
  const std::shared_ptr<EffectCounters> counters_ = std::make_shared<EffectCounters>();
};

}  // namespace troupe::actors
