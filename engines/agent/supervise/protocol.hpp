// What troupe-agent and troupe-supervise say to each other over a Unix socket.
//
// A frame is a length (4 bytes, big endian, of what follows), a kind (1), the id of the request
// that it belongs to (4; 0 for events) and a body of numbers (8 bytes, big endian), texts and lists
// (each behind its length as a number). The agent asks, the supervisor answers every request once
// and pushes an Event after each change of the process. Both ends say Hello first; a different
// version ends the connection, so that an upgraded agent and an older supervisor notice each other.
//
// This library is linked into a static executable that runs in any image: nothing but the C++
// standard library and POSIX. Everything read is bounded; what does not parse is an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::agent::supervise {

inline constexpr std::uint64_t kProtocolVersion = 2;
// Larger than any command line or output tail that is sent; small enough to refuse nonsense early.
inline constexpr std::size_t kMaxFrameBytes = 256 * 1024;
inline constexpr std::size_t kMaxListItems = 4096;

enum class Kind : std::uint8_t {
  Hello = 1,
  Start = 2,        // SpawnSpec -> Done
  Stop = 3,         // StopOrder -> Done (the order is taken; events tell the rest)
  Kill = 4,         // KillOrder -> Done
  Run = 5,          // RunOrder -> Done with RunOutcome, when the command has ended
  Environment = 6,  // -> Done with pairs of name and value
  Release = 7,      // ReleaseOrder -> Done; the answer to `terminating`
  EndRun = 8,       // -> Done, when no command of Run is left: a running one is killed
  Done = 64,
  Failed = 65,  // one text: why
  Event = 128,  // ProcessReport
};

struct Frame {
  Kind kind = Kind::Failed;
  std::uint32_t id = 0;
  std::string body;
};

struct Hello {
  std::uint64_t version = kProtocolVersion;
  std::uint64_t pid = 0;  // the supervisor's, in its own numbering
  std::uint64_t uid = 0;
  std::string instance;  // random, one for each life of the supervisor
};

// How to execute a program. The environment is the container's own, without passwords, plus `env`.
struct SpawnSpec {
  std::vector<std::string> argv;
  std::vector<std::string> env;  // NAME=value
  std::string cwd;               // empty: unchanged
  std::uint64_t uid = 0;         // 0: unchanged
  std::uint64_t gid = 0;         // 0: unchanged
  // With this exit code it asks to be started again: that is no crash. 0: it never does.
  std::uint64_t restart_code = 0;
};

struct StopOrder {
  std::uint64_t signal = 15;
  std::uint64_t grace_ms = 60'000;  // then SIGKILL
};

struct KillOrder {
  bool stay_stopped = true;  // false: started again at once, as after a crash
};

struct RunOrder {
  SpawnSpec spawn;
  std::uint64_t timeout_ms = 60'000;  // then SIGKILL
};

struct RunOutcome {
  std::uint64_t exit_code = 0;
  std::uint64_t signal = 0;  // not 0: ended by it
  std::string output;        // the last bytes of stdout and stderr
};

// What may happen to the database now that the container has to end.
struct ReleaseOrder {
  bool graceful = false;  // false: SIGKILL, because commits may still wait for acknowledgements
};

enum class State : std::uint8_t {
  Stopped = 0,
  Running = 2,  // the numbers of ProcessState; whether it serves is the agent's to find out
  Backoff = 3,
  Stopping = 4,
  Exited = 5,
  Fatal = 6,
};

struct ProcessReport {
  State state = State::Stopped;
  std::uint64_t pid = 0;
  std::uint64_t started_us = 0;  // wall time
  std::uint64_t ended = 0;       // 1: some process has ended; then the two below are of the last
  std::uint64_t exit_code = 0;
  std::uint64_t exit_signal = 0;
  std::uint64_t restarts = 0;
  bool dying = false;
  bool paused = false;
  std::uint64_t terminating_ms =
      0;                // not 0: the container ends; time left for a Release, at least 1
  std::string message;  // why, when something failed
  bool operator==(const ProcessReport&) const = default;
};

std::string encode(const Hello& value);
std::string encode(const SpawnSpec& value);
std::string encode(const StopOrder& value);
std::string encode(const KillOrder& value);
std::string encode(const RunOrder& value);
std::string encode(const RunOutcome& value);
std::string encode(const ReleaseOrder& value);
std::string encode(const ProcessReport& value);
std::string encode(const std::vector<std::string>& value);
std::string encode(std::string_view text);

// Empty when the body is not exactly a T.
template <class T>
std::optional<T> decode(std::string_view body);

std::string to_bytes(const Frame& frame);

// Cuts a stream of bytes into frames.
class FrameReader {
 public:
  void append(std::string_view bytes) { buffer_.append(bytes); }
  // The next whole frame, if there is one.
  std::optional<Frame> next();
  // A frame was too long or too short: close the connection.
  bool broken() const { return broken_; }

 private:
  std::string buffer_;
  bool broken_ = false;
};

}  // namespace troupe::agent::supervise
