#include "tests/sim/mysql/agent_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::mysql_topology::sim {

namespace {

std::string stage_of(const Server& s) {
  if (!s.job || s.job->command.verb != Verb::Promote || s.executed.contains(s.received)) return {};
  return fmt::format("applying {} transactions", subtract(s.received, s.executed).count());
}

}  // namespace

AgentState agent_state(const Server& s, std::string container) {
  return {.container = std::move(container),
          .boot = s.agent_boot,
          .wanted = s.wanted,
          .running = s.running,
          .initialised = s.initialised,
          .partial = s.partial,
          .cloning = s.job && s.job->command.verb == Verb::Clone && s.job->phase > 0,
          .epoch = s.epoch,
          .disk_total = s.disk_total,
          .disk_free = s.disk_free,
          .data_bytes = s.data_bytes,
          .stage = stage_of(s)};
}

AgentStream::News AgentStream::look(const std::optional<AgentState>& state, TimePoint now,
                                    Duration silence) {
  if (!state) return stay_silent(now, silence);
  silent_since_ = TimePoint::max();
  if (state == pushed_ && !lost_) return News::None;
  const bool restarted = pushed_ && pushed_->boot != state->boot;
  using enum agent::ProcessState;
  agent::AgentObservation o;
  if (seen_) o = *seen_;
  if (std::exchange(lost_, false) || !seen_) o.since = now;
  o.stream = agent::StreamState::Connected;
  o.seen = now;
  o.boot_id = fmt::format("boot-{}", state->boot);
  o.container_id = state->container;
  o.process.supervisor_connected = true;
  o.process.state = state->running ? Running : state->wanted ? Backoff : Stopped;
  o.process.terminating = state->terminating;
  o.data = !state->initialised                ? agent::DataState::Empty
           : state->partial || state->cloning ? agent::DataState::ClonePartial
                                              : agent::DataState::Initialised;
  o.operation.reset();
  if (state->cloning) o.operation = agent::OperationProgress{.kind = "Clone"};
  if (!state->stage.empty())
    o.operation = agent::OperationProgress{.kind = "Promote", .stage = state->stage};
  o.highest_epoch = state->epoch;
  o.disk_total_bytes = state->disk_total;
  o.disk_free_bytes = state->disk_free;
  o.data_bytes = state->data_bytes;
  pushed_ = state;
  seen_ = std::make_shared<const agent::AgentObservation>(std::move(o));
  return restarted ? News::Restarted : News::Pushed;
}

AgentStream::News AgentStream::stay_silent(TimePoint now, Duration silence) {
  silent_since_ = std::min(silent_since_, now);
  if (now - silent_since_ <= silence || std::exchange(lost_, true)) return News::None;
  if (seen_) {
    auto o = *seen_;
    o.stream = agent::StreamState::Lost;
    o.since = now;
    seen_ = std::make_shared<const agent::AgentObservation>(std::move(o));
  }
  return News::Lost;
}

}  // namespace troupe::mysql_topology::sim
