#include "tests/oracle/kubectl.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstring>
#include <mutex>

extern char** environ;

namespace troupe::oracle {
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
bool drain(Pipe& out, Pipe& err, Ran& ran, Clock::time_point deadline) {
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

}  // namespace

Ran run(const std::vector<std::string>& argv, std::chrono::seconds deadline,
        const std::string& in) {
  Ran ran;
  Pipe input, output, errors;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.read, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write, 1);
  posix_spawn_file_actions_adddup2(&actions, errors.write, 2);
  std::vector<char*> words;
  for (const auto& a : argv) words.push_back(const_cast<char*>(a.c_str()));
  words.push_back(nullptr);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) return {127, "", argv.front() + ": " + std::strerror(failed)};
  input.close_read();
  output.close_write();
  errors.close_write();
  // Manifests are smaller than a pipe holds, or are read as they come.
  if (!in.empty() && ::write(input.write, in.data(), in.size()) < 0) ran.err = "input not taken";
  input.close_write();
  const bool ended = drain(output, errors, ran, Clock::now() + deadline);
  if (!ended) ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ran.status = !ended ? 124 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

Ran Kubectl::operator()(std::vector<std::string> arguments, std::chrono::seconds deadline,
                        const std::string& in) const {
  arguments.insert(arguments.begin(), {"kubectl", "--kubeconfig", kubeconfig_});
  return run(arguments, deadline, in);
}

boost::json::object Kubectl::get(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "get");
  arguments.insert(arguments.end(), {"-o", "json"});
  const auto ran = (*this)(std::move(arguments));
  boost::system::error_code ec;
  auto value = boost::json::parse(ran.out, ec);
  return !ec && value.is_object() ? std::move(value.as_object()) : boost::json::object{};
}

std::string text_at(const boost::json::value& value, std::string_view pointer) {
  boost::system::error_code ec;
  const auto* found = value.find_pointer(pointer, ec);
  if (!found || ec) return {};
  return found->is_string() ? std::string(found->as_string()) : boost::json::serialize(*found);
}

bool eventually(std::chrono::milliseconds deadline, const std::function<bool()>& condition) {
  std::mutex mutex;
  std::condition_variable never;
  const auto end = Clock::now() + deadline;
  while (!condition()) {
    if (Clock::now() >= end) return false;
    std::unique_lock lock(mutex);
    never.wait_for(lock, std::chrono::milliseconds(100));
  }
  return true;
}

}  // namespace troupe::oracle
