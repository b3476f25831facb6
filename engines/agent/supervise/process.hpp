// Starting processes and seeing them die: the few system calls behind the supervisor.
//
// A killed database closes its sockets, and can be waited for, only after its memory is freed,
// which takes seconds for a large buffer pool; its vitals show it within a millisecond
// (runtime/model/process_stat.hpp). Linux only.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "engines/agent/supervise/protocol.hpp"
#include "runtime/fd.hpp"

namespace troupe::agent::supervise {

// The first 4 KiB of a file. (Not a stream: those would triple the size of the static executable.)
std::optional<std::string> read_small_file(const char* path);

struct Vitals {
  bool dying = false;   // exiting or a zombie
  bool paused = false;  // stopped by a signal or a tracer
};

// Parses the text of /proc/PID/stat; empty if it is not one.
std::optional<Vitals> parse_stat(std::string_view text);

// Looks at one process again and again through one open file.
class VitalsProbe {
 public:
  explicit VitalsProbe(pid_t pid);
  // A process that is gone counts as dying.
  Vitals look() const;

 private:
  Fd file_;
};

struct Spawned {
  pid_t pid = -1;
  int error = 0;  // errno of fork or exec; then there is no process
  Fd output;      // the read end of its stdout and stderr, if they were asked for
};

// Executes a program in a child with default signals, stdin from /dev/null and, if `own_group`, a
// process group of its own. `argv[0]` is looked up in PATH. The child dies with its parent.
struct SpawnMode {
  bool capture_output = false;
  bool own_group = false;
};
Spawned spawn(const SpawnSpec& spec, SpawnMode mode);

}  // namespace troupe::agent::supervise
