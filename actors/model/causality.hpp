// Which causal chain a run or an observation belongs to: the one that a person who asks "what came
// of this?" wants to follow, from a death to the writes that mended it.
//
// A run has one chain and lists all of its causes with theirs, so what is not chosen is one click
// away. Pure values; not thread-safe.
#pragma once

#include <span>
#include <vector>

#include "actors/model/effect.hpp"
#include "engines/agent/model/observation.hpp"
#include "runtime/model/trace.hpp"

namespace troupe::actors {

// The chain of a run, the first of these that there is: the oldest one of an operation's step whose
// result it takes, that of a death, that of an effect which waits for another try, that of what
// woke it, the oldest one of any other result. None: a timer woke it, and a chain begins.
CausalId chain_of_run(std::span<const Cause> causes, CausalId retrying);

// The chains of what is observed of one endpoint.
class EndpointChains {
 public:
  // After this time an endpoint that never comes to rest is a new story.
  static constexpr Duration kLongestStory = std::chrono::minutes(10);

  // A command of that chain is under way: what is seen meanwhile comes of it.
  void begin(CausalId command);
  void end(CausalId command);

  // `fresh` is the id of a new chain, to be used if nothing known caused what was seen. The death
  // of a process, its restarts and its being well again are one story.
  CausalId of_agent(const agent::AgentObservation& seen, TimePoint now, CausalId fresh);
  // Also the first look at the server after a command, which shows what was done. One that is lost
  // may have died, and then its agent says so within kSameDeath.
  static constexpr Duration kSameDeath = std::chrono::seconds(2);
  CausalId of_server(bool answers, TimePoint now, CausalId fresh);

 private:
  bool in_story(TimePoint now) const { return story_ && now - began_ < kLongestStory; }
  bool just_lost(TimePoint now) const { return lost_ && now - lost_at_ < kSameDeath; }

  std::vector<CausalId> commands_;
  CausalId to_be_looked_at_;  // the last command, until the server was seen after it
  CausalId story_;            // set while the endpoint is not at rest
  TimePoint began_;
  CausalId lost_;  // the server was, in that chain, and the agent has not been heard since
  TimePoint lost_at_;
};

}  // namespace troupe::actors
