// Programs as a person runs them, and how they end. Blocks; each run has a deadline.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::support {

struct Ran {
  int status = 0;   // exit status; 128 + signal when killed; 124 at the deadline; 127: cannot run
  std::string out;  // standard output
  std::string err;
};

// Runs a program found on the path, killed at the deadline. `input` is what it reads, at most what
// a pipe holds (64 KiB).
Ran run(const std::vector<std::string>& argv, std::chrono::seconds deadline,
        std::string_view input = {});

// Whether nothing of the process runs any more: it is gone, or only waits to be waited for.
bool has_ended(pid_t pid);
// Whether it was stopped (SIGSTOP).
bool is_stopped(pid_t pid);

}  // namespace troupe::support
