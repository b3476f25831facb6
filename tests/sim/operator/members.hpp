// A process's gateways to the members: agents' streams and commands, and probes of the servers, as
// engines/agent/gateway.hpp and engines/mysql/gateway.hpp promise them, over the Fleet.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/sim/mysql/agent_stream.hpp"
#include "tests/sim/operator/process.hpp"

namespace troupe::operator_sim {

class Members final : public std::enable_shared_from_this<Members> {
 public:
  using Answered = std::function<void(Result<agent::Reply>)>;

  explicit Members(Process& process) : process_(process) {}

  actors::Observations::Watchers watchers();
  void ask(const std::string& endpoint, agent::Command command, Answered done);
  void probe_now(const mysql::EndpointId& server, std::function<void()> done);
  // What the streams of a member's agents bring, or that they are silent.
  void look_at_agents_of(int member);
  // The process ends.
  void close();

 private:
  // A stream and the calls beside it: they end with it, as their outcome can come no other way.
  struct Agent {
    agent::Endpoint endpoint;
    int member = -1;
    std::map<std::uint64_t, Answered> calls;
    mysql_topology::sim::AgentStream stream;
  };
  struct Probed {
    actors::ServerTarget target;
    std::shared_ptr<const mysql::ProbeOutcome> seen;
  };

  void look_at(const std::string& id, Agent& agent);
  std::optional<mysql_topology::sim::AgentState> state_of(const Agent& agent) const;
  void answer(const std::string& endpoint, std::uint64_t call, const Result<agent::Reply>& reply);
  void end_calls(Agent& agent, std::string_view why);
  void probe_again(const std::string& id);
  void probe(const std::string& id, std::function<void()> done);
  void probed(const std::string& id, mysql::Reachability reachability,
              std::shared_ptr<mysql::MemberObservation> seen);

  Process& process_;
  std::uint64_t last_call_ = 0;
  std::map<std::string, Agent> agents_;
  std::map<std::string, Probed> servers_;
};

}  // namespace troupe::operator_sim
