#include "engines/mysql/model/observation.hpp"

namespace troupe::mysql {

GtidSet MemberObservation::position() const {
  auto all = replica ? unite(gtid_executed, replica->retrieved) : gtid_executed;
  if (group) all.add(group->received);
  return all;
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
