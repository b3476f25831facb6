// What a unit's agent says about its database: the newest state of one Watch stream.
//
// The gateway (engines/agent/gateway.hpp) publishes one immutable observation for every change and
// never one for a mere heartbeat, but for `seen`. TimePoints are the operator's monotonic clock,
// set by the gateway; wall times come from the agent's machine and are for display only. What was
// read from the stream stays as it was when the stream is lost: `stream` and `seen` say how old it
// is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/agent/model/epoch.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::agent {

enum class StreamState {
  Connecting,  // never answered yet
  Connected,   // a heartbeat is at most a few seconds old
  Lost,        // was connected; reset, or silent for too long
  Refused,     // the address answers, nothing listens on the port (or the agent denied us)
  TlsFailed,   // the handshake failed: a wrong or expired certificate on either side
};
std::string_view to_string(StreamState state);

// The numbers are the wire's and the API's (status.processState).
enum class ProcessState {
  Stopped = 0,   // never started, or stopped on order
  Starting = 1,  // the process runs, the server does not answer yet (crash recovery may be long)
  Running = 2,   // the server answers on its local socket
  Backoff = 3,   // it died and is started again shortly
  Stopping = 4,  // told to stop, still there
  Exited = 5,    // gone; see exit_code and exit_signal
  Fatal = 6,     // cannot be executed at all
  Unknown = 7,   // the supervisor does not answer
};
std::string_view to_string(ProcessState state);

struct ProcessStatus {
  ProcessState state = ProcessState::Unknown;
  std::int64_t pid = 0;               // in the database container's own numbering
  std::optional<WallTime> started;    // of the current or last process
  std::optional<int> exit_code;       // of the last process that ended
  std::optional<int> exit_signal;     // likewise, when a signal ended it
  std::uint32_t restarts = 0;         // by the supervisor, since its own start
  bool dying = false;                 // the kernel is tearing it down: it will never answer again
  bool paused = false;                // stopped by a signal (SIGSTOP) or a debugger
  bool terminating = false;           // the container was told to end (pod deleted, node drained)
  bool supervisor_connected = false;  // false once it was true: the container's process 1 is gone
  bool operator==(const ProcessStatus&) const = default;
};
// Of a process that has ended or is ending, to follow its name: "was ended by signal 9".
std::string how_it_ended(const ProcessStatus& process);

enum class DataState {
  Unknown,       // not looked at yet
  Empty,         // nothing there, or an initialisation that never finished
  Initialised,   // a data directory that a server can start on
  ClonePartial,  // a clone was interrupted: only good for being cloned or initialised again
  Foreign,       // something else lies there; never touched
};
std::string_view to_string(DataState state);

struct ConfigStatus {
  std::string hash;                     // SHA-256 of the file in place, hex; empty: none yet
  std::string error;                    // why the last rendering failed; the old file stays
  std::vector<std::string> overridden;  // settings of it that unsafe values were taken from
  bool restart_needed = false;          // the file is newer than the running process
  bool operator==(const ConfigStatus&) const = default;
};

// What is in effect of the files of certificates: in the agent, and in the database if it runs.
struct CertificateStatus {
  std::string trusted;  // SHA-256 of ca.crt, hex; empty: none yet
  std::string shown;    // of tls.crt
  std::string error;    // why newer files are not in effect
  bool operator==(const CertificateStatus&) const = default;
};

// An operation that takes longer than a heartbeat: an initialisation, a drain, a clone.
struct OperationProgress {
  std::string id;    // the command's request id
  std::string kind;  // the command's name, e.g. "Clone"
  std::string stage;
  double progress = 0;  // 0 to 1; 0 also when it cannot be known
  std::optional<WallTime> started;
  bool operator==(const OperationProgress&) const = default;
};

struct OperationOutcome {
  std::string id;
  std::string kind;
  std::optional<Code> failed;  // empty: done
  std::string message;
  std::optional<WallTime> finished;
  bool operator==(const OperationOutcome&) const = default;
};

// The member has closed itself (self_fence.hpp) and stays closed until it is opened, or made to
// follow, by order.
struct FencedStatus {
  std::optional<WallTime> since;
  std::string reason;
  bool operator==(const FencedStatus&) const = default;
};

struct AgentObservation {
  StreamState stream = StreamState::Connecting;
  TimePoint since;           // when `stream` took its value
  TimePoint seen;            // the newest message of the agent; default: none yet
  std::string stream_error;  // why it is not Connected

  std::string agent_version;
  std::string boot_id;       // of the agent's process; changes with its restart
  std::string container_id;  // of the supervisor's process; changes with the container's restart

  ProcessStatus process;
  DataState data = DataState::Unknown;
  ConfigStatus config;
  CertificateStatus certificates;
  Epoch highest_epoch;      // the lowest that the agent still accepts
  std::string server_uuid;  // of the database, once it is known
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t disk_total_bytes = 0;
  std::uint64_t data_bytes = 0;  // of the data directory: what a clone of this member copies
  std::optional<OperationProgress> operation;
  std::optional<OperationOutcome> last_operation;
  std::optional<FencedStatus> fenced;

  bool connected() const { return stream == StreamState::Connected; }
  // True when the database process is known to be gone or going: evidence that needs no timeout.
  bool death_witnessed() const;
  bool operator==(const AgentObservation&) const = default;
};

}  // namespace troupe::agent
