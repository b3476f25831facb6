// Starting host programs (runc, ip) and learning how processes end.
//
// run_program() blocks and belongs on a WorkerPool. ExitWatch belongs to an io_context's thread.
// Descriptors are inherited by nobody: what a program gets is said in its Streams.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/fd.hpp"
#include "runtime/model/result.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

struct Pipe {
  Fd read, write;
};
// Both ends close-on-exec.
Result<Pipe> make_pipe();

// What a program gets as its first three descriptors; -1 is /dev/null.
struct Streams {
  int in = -1;
  int out = -1;
  int err = -1;
  std::string terminal;  // path of a terminal that replaces all three and leads a new session
};

Result<pid_t> spawn(const std::vector<std::string>& argv, const Streams& streams);

// How a process ended, as a shell reports it: 128 + signal when killed.
struct ExitStatus {
  int code = 0;
  int signal = 0;  // 0: it exited by itself
};

// The status word that waitpid() and /proc/PID/stat give.
ExitStatus exit_status_from_wait(int status);

struct HostProgram {
  std::vector<std::string> argv;
  std::string input;  // at most a pipe's buffer (64 KiB)
  std::chrono::milliseconds deadline{10'000};
};

// Runs to the end and returns what it printed on both streams. A non-zero status is an error that
// quotes the end of the output.
Result<std::string> run_program(const HostProgram& program);
// The same with streams of the caller's choosing; the output is not seen.
Result<ExitStatus> run_program(const HostProgram& program, const Streams& streams);

// Calls back once when a child ended, and reaps it. Destroying the watch only stops the callback:
// the child is still reaped.
class ExitWatch {
 public:
  using Callback = std::function<void(ExitStatus)>;
  ExitWatch() = default;
  ExitWatch(ExitWatch&&) = default;
  ExitWatch& operator=(ExitWatch&& other) noexcept;
  ~ExitWatch();

  // `child` is a child of this process, possibly adopted (PR_SET_CHILD_SUBREAPER).
  static Result<ExitWatch> start(boost::asio::io_context& io, pid_t child, Callback callback);
  // Safe against reuse of the pid: the child is reaped only through this watch.
  void signal(int number) const;
  bool active() const { return impl_ != nullptr; }

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
