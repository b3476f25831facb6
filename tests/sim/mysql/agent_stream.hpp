// What the stream of a modelled server's agent brings to an operator, and when it counts as lost.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engines/agent/model/observation.hpp"
#include "tests/sim/mysql/fleet.hpp"

namespace troupe::mysql_topology::sim {

// What an agent pushes: it does so when any of it has changed.
struct AgentState {
  std::string container;
  int boot = 0;  // of the agent
  bool wanted = false;
  bool running = false;
  bool terminating = false;
  bool initialised = false;
  bool partial = false;
  bool cloning = false;
  Epoch epoch;
  std::uint64_t disk_total = 0;
  std::uint64_t disk_free = 0;
  std::uint64_t data_bytes = 0;
  std::string stage;  // of a promotion
  bool operator==(const AgentState&) const = default;
};

AgentState agent_state(const Server& server, std::string container);

class AgentStream {
 public:
  enum class News {
    None,
    Pushed,
    Restarted,  // pushed, by another life of the agent
    Lost        // it has been silent for too long
  };
  // Nothing: the agent is not reached.
  News look(const std::optional<AgentState>& state, TimePoint now, Duration silence);

  // Null: nothing was ever pushed.
  const std::shared_ptr<const agent::AgentObservation>& seen() const { return seen_; }

 private:
  News stay_silent(TimePoint now, Duration silence);

  TimePoint silent_since_ = TimePoint::max();
  bool lost_ = false;
  std::optional<AgentState> pushed_;
  std::shared_ptr<const agent::AgentObservation> seen_;
};

}  // namespace troupe::mysql_topology::sim
