#include "actors/model/causality.hpp"

#include <algorithm>
#include <utility>

namespace troupe::actors {
namespace {

void keep_oldest(CausalId& oldest, CausalId id) {
  if (!oldest || id < oldest) oldest = id;
}

// Nothing is on its way to another state by itself.
bool at_rest(const agent::AgentObservation& seen) {
  using agent::ProcessState;
  const auto state = seen.process.state;
  return seen.connected() && !seen.process.dying && !seen.process.paused &&
         (state == ProcessState::Running || state == ProcessState::Stopped ||
          state == ProcessState::Fatal);
}

}  // namespace

CausalId chain_of_run(std::span<const Cause> causes, CausalId retrying) {
  CausalId step, death, event, other;
  for (const auto& cause : causes) {
    if (!cause.id || cause.type == CauseType::Timer) continue;
    if (cause.type != CauseType::EffectResult) {
      if (!event) event = cause.id;
      if (!death && cause.alarm) death = cause.id;
      continue;
    }
    const auto* result = static_cast<const EffectResult*>(cause.subject.get());
    keep_oldest(result && result->step ? step : other, cause.id);
  }
  for (const auto id : {step, death, retrying, event})
    if (id) return id;
  return other;
}

void EndpointChains::begin(CausalId command) {
  commands_.push_back(command);
  to_be_looked_at_ = command;
}

void EndpointChains::end(CausalId command) {
  const auto found = std::find(commands_.begin(), commands_.end(), command);
  if (found != commands_.end()) commands_.erase(found);
}

CausalId EndpointChains::of_agent(const agent::AgentObservation& seen, TimePoint now,
                                  CausalId fresh) {
  CausalId chain = fresh;
  if (!commands_.empty())
    chain = commands_.back();
  else if (in_story(now))
    chain = story_;
  else if (just_lost(now) && !at_rest(seen))
    chain = lost_;
  if (at_rest(seen)) {
    story_ = {};
  } else if (!in_story(now)) {
    story_ = chain;
    began_ = now;
  }
  return chain;
}

CausalId EndpointChains::of_server(bool answers, TimePoint now, CausalId fresh) {
  const auto command = std::exchange(to_be_looked_at_, {});
  if (!commands_.empty()) return commands_.back();
  if (command) return command;
  if (in_story(now)) return story_;
  if (answers) {
    lost_ = {};
    return fresh;
  }
  if (just_lost(now)) return lost_;
  lost_ = fresh;
  lost_at_ = now;
  return fresh;
}

}  // namespace troupe::actors
