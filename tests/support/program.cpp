#include "tests/support/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <utility>

#include "runtime/model/process_stat.hpp"
#include "tests/support/files.hpp"

extern char** environ;

namespace troupe::support {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) read = ends[0], write = ends[1];
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  void close_read() {
    if (read >= 0) ::close(std::exchange(read, -1));
  }
  void close_write() {
    if (write >= 0) ::close(std::exchange(write, -1));
  }
};

// Reads from both until both have ended; false at the deadline.
bool drain(const Pipe& out, const Pipe& err, Ran& ran, Clock::time_point deadline) {
  std::array<pollfd, 2> fds{pollfd{out.read, POLLIN, 0}, pollfd{err.read, POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    if (poll(fds.data(), fds.size(), static_cast<int>(left)) <= 0) continue;
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].fd < 0 || !fds[i].revents) continue;
      char buffer[16384];
      const auto n = ::read(fds[i].fd, buffer, sizeof buffer);
      if (n > 0)
        (i == 0 ? ran.out : ran.err).append(buffer, static_cast<std::size_t>(n));
      else
        fds[i].fd = -1;
    }
  }
  return true;
}

// A letter of proc(5); nothing if it is gone.
std::string state_of(pid_t pid) {
  const auto line = file_text("/proc/" + std::to_string(pid) + "/stat");
  const auto stat = ProcessStat::parse(line);
  return stat ? std::string(stat->field(ProcessStat::kState)) : std::string();
}

}  // namespace

Ran run(const std::vector<std::string>& argv, std::chrono::seconds deadline,
        std::string_view input) {
  Ran ran;
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write, STDERR_FILENO);
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) return {127, "", argv.front() + ": " + std::strerror(failed)};
  in.close_read();
  out.close_write();
  err.close_write();
  if (!input.empty() && ::write(in.write, input.data(), input.size()) < 0)
    ran.err = "input not taken";
  in.close_write();
  const bool ended = drain(out, err, ran, Clock::now() + deadline);
  if (!ended) ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ran.status = !ended ? 124 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

bool has_ended(pid_t pid) {
  const auto state = state_of(pid);
  return state.empty() || state == "Z" || state == "X";
}

bool is_stopped(pid_t pid) { return state_of(pid) == "T"; }

}  // namespace troupe::support
