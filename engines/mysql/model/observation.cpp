#include "engines/mysql/model/observation.hpp"

namespace troupe::mysql {

GtidSet MemberObservation::position() const {
  auto all = replica ? unite(gtid_executed, replica->retrieved) : gtid_executed;
  if (group) all.add(group->received);
  return all;
}

namespace {

std::optional<TimePoint> stalled_since(const MemberObservation* before,
                                       const MemberObservation& now) {
  const auto& side = now.semi_sync_source;
  if (side.wait_sessions.value_or(0) == 0) return std::nullopt;
  // An acknowledged transaction counts as yes_tx, one that was not waited for as no_tx.
  const bool same = before && before->uptime <= now.uptime &&
                    before->semi_sync_source.wait_sessions.value_or(0) > 0 &&
                    before->semi_sync_source.yes_tx == side.yes_tx &&
                    before->semi_sync_source.no_tx == side.no_tx;
  if (!same) return now.seen;
  return before->stalled_since.value_or(before->seen);
}

}  // namespace

void remember(const MemberObservation* before, MemberObservation& now) {
  if (before && before->server_uuid != now.server_uuid) before = nullptr;
  now.stalled_since = stalled_since(before, now);
  now.known_since = before ? before->known_since : now.answered();
}

void ProbeOutcome::found(Reachability what, TimePoint asked, TimePoint ended) {
  tried = ended;
  if (reachability != what) since = what == Reachability::Timeout ? asked : ended;
  reachability = what;
}

std::string_view to_string(ThreadState state) {
  switch (state) {
    case ThreadState::Off:
      return "off";
    case ThreadState::Connecting:
      return "connecting";
    case ThreadState::On:
      return "on";
  }
  return "off";
}

std::string_view to_string(WaitPoint point) {
  return point == WaitPoint::AfterSync ? "AFTER_SYNC" : "AFTER_COMMIT";
}

std::string_view to_string(CloneState state) {
  switch (state) {
    case CloneState::NotStarted:
      return "not-started";
    case CloneState::InProgress:
      return "in-progress";
    case CloneState::Completed:
      return "completed";
    case CloneState::Failed:
      return "failed";
  }
  return "not-started";
}

std::string_view to_string(GroupState state) {
  switch (state) {
    case GroupState::Offline:
      return "OFFLINE";
    case GroupState::Recovering:
      return "RECOVERING";
    case GroupState::Online:
      return "ONLINE";
    case GroupState::Error:
      return "ERROR";
    case GroupState::Unreachable:
      return "UNREACHABLE";
  }
  return "OFFLINE";
}

}  // namespace troupe::mysql
