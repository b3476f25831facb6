#include "engines/agent/model/observation.hpp"

#include <fmt/format.h>

namespace troupe::agent {

std::string_view to_string(StreamState state) {
  switch (state) {
    case StreamState::Connecting:
      return "connecting";
    case StreamState::Connected:
      return "connected";
    case StreamState::Lost:
      return "lost";
    case StreamState::Refused:
      return "refused";
    case StreamState::TlsFailed:
      return "tls-failed";
  }
  return "unknown";
}

std::string_view to_string(ProcessState state) {
  switch (state) {
    case ProcessState::Stopped:
      return "stopped";
    case ProcessState::Starting:
      return "starting";
    case ProcessState::Running:
      return "running";
    case ProcessState::Backoff:
      return "backoff";
    case ProcessState::Stopping:
      return "stopping";
    case ProcessState::Exited:
      return "exited";
    case ProcessState::Fatal:
      return "fatal";
    case ProcessState::Unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view to_string(DataState state) {
  switch (state) {
    case DataState::Unknown:
      return "unknown";
    case DataState::Empty:
      return "empty";
    case DataState::Initialised:
      return "initialised";
    case DataState::ClonePartial:
      return "clone-partial";
    case DataState::Foreign:
      return "foreign";
  }
  return "unknown";
}

std::string how_it_ended(const ProcessStatus& p) {
  if (p.dying) return "is being torn down by the kernel";
  if (p.exit_signal) return fmt::format("was ended by signal {}", *p.exit_signal);
  if (p.exit_code) return fmt::format("ended with status {}", *p.exit_code);
  return fmt::format("is {}", to_string(p.state));
}

bool AgentObservation::death_witnessed() const {
  if (seen == TimePoint{}) return false;
  if (process.dying) return true;
  switch (process.state) {
    case ProcessState::Stopped:
    case ProcessState::Backoff:
    case ProcessState::Exited:
    case ProcessState::Fatal:
      return true;
    case ProcessState::Unknown:  // process 1 ended, and everything in its container with it
      return !process.supervisor_connected && !container_id.empty();
    case ProcessState::Starting:
    case ProcessState::Running:
    case ProcessState::Stopping:
      return false;
  }
  return false;
}

}  // namespace troupe::agent
