// Runs an exec credential plugin: POSIX only, no shell, output bounded, killed at its deadline.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "k8s/client/credentials.hpp"

extern char** environ;

namespace troupe::k8s {
namespace {

constexpr std::size_t kMaxOutput = std::size_t{1} << 20;
// How often a running plugin is looked at for `stopped`.
constexpr int kPollMillis = 50;
constexpr char kExecInfo[] =
    "KUBERNETES_EXEC_INFO="
    R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",)"
    R"("spec":{"interactive":false}})";

Error failed(const ExecPlugin& plugin, std::string_view what) {
  auto message = fmt::format("exec plugin {}: {}", plugin.command, what);
  if (!plugin.install_hint.empty()) message += "; " + plugin.install_hint;
  return error(Code::Denied, std::move(message));
}

std::vector<std::string> environment_of(const ExecPlugin& plugin) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) result.emplace_back(*entry);
  // The first of two equal names counts for most programs: the plugin's own come first.
  for (const auto& [name, value] : plugin.env) result.insert(result.begin(), name + "=" + value);
  result.insert(result.begin(), kExecInfo);
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& each : strings) result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

// A child in a process group of its own, its standard output in a pipe. Killed when destroyed.
class Child {
 public:
  ~Child() {
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    if (output_ >= 0) ::close(output_);
  }

  int start(const ExecPlugin& plugin) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
    output_ = ends[0];
    std::vector<std::string> args{plugin.command};
    args.insert(args.end(), plugin.args.begin(), plugin.args.end());
    auto env = environment_of(plugin);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    const int failure = posix_spawnp(&pid_, plugin.command.c_str(), &actions, &attributes,
                                     pointers(args).data(), pointers(env).data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (failure != 0) pid_ = 0;
    return failure;
  }

  int output() const { return output_; }

  // Of a child that closed its output: it is about to end, or is killed.
  int exit_status(const std::function<bool()>& give_up) {
    int status = 0;
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (give_up()) return -1;
      poll(nullptr, 0, kPollMillis);
    }
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
  int output_ = -1;
};

}  // namespace

Result<std::string> run_exec_plugin(const ExecPlugin& plugin, Duration deadline,
                                    const std::function<bool()>& stopped) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  const auto give_up = [&] { return stopped() || std::chrono::steady_clock::now() >= until; };
  Child child;
  if (const int failure = child.start(plugin); failure != 0) {
    return failed(plugin, fmt::format("cannot start: {}", std::strerror(failure)));
  }
  std::string output;
  char chunk[4096];
  while (true) {
    if (give_up()) return failed(plugin, "no answer before its deadline of " + to_text(deadline));
    pollfd readable{child.output(), POLLIN, 0};
    if (poll(&readable, 1, kPollMillis) <= 0) continue;
    const ssize_t count = ::read(child.output(), chunk, sizeof(chunk));
    if (count == 0) break;
    if (count < 0) {
      if (errno == EINTR) continue;
      return failed(plugin, fmt::format("cannot read its output: {}", std::strerror(errno)));
    }
    output.append(chunk, static_cast<std::size_t>(count));
    if (output.size() > kMaxOutput) return failed(plugin, "printed more than 1 MiB");
  }
  if (const int status = child.exit_status(give_up); status != 0) {
    return failed(plugin, status < 0 ? std::string("did not end properly")
                                     : fmt::format("exit status {}", status));
  }
  return output;
}

}  // namespace troupe::k8s
