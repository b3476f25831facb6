#include "tests/k8s/kubectl_fixture.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace troupe::sim {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kStartLimit = std::chrono::seconds(30);

struct Cluster {
  pid_t server = 0;  // 0: somebody else's
  std::string folder;
  std::string kubeconfig;
};

Cluster& cluster() {
  static Cluster instance;
  return instance;
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  void close_read() {
    if (read_end >= 0) ::close(std::exchange(read_end, -1));
  }
  void close_write() {
    if (write_end >= 0) ::close(std::exchange(write_end, -1));
  }
  int read_end = -1;
  int write_end = -1;
};

pid_t spawn(const std::vector<std::string>& argv, posix_spawn_file_actions_t* actions) {
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], actions, nullptr, arguments.data(), environ) != 0) {
    throw std::runtime_error("cannot run " + argv[0]);
  }
  return child;
}

// Reads both pipes until they end; false when the deadline passed first.
bool read_all(Pipe& out, Pipe& err, Outcome& outcome, Clock::time_point deadline) {
  std::array<char, 65536> buffer;
  while (out.read_end >= 0 || err.read_end >= 0) {
    std::array<pollfd, 2> waiting{pollfd{out.read_end, POLLIN, 0}, pollfd{err.read_end, POLLIN, 0}};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    ::poll(waiting.data(), waiting.size(), static_cast<int>(left));
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      const auto count = ::read(waiting[i].fd, buffer.data(), buffer.size());
      auto& text = i == 0 ? outcome.out : outcome.err;
      if (count > 0) {
        text.append(buffer.data(), static_cast<std::size_t>(count));
      } else if (i == 0) {
        out.close_read();
      } else {
        err.close_read();
      }
    }
  }
  return true;
}

void start_server() {
  auto& c = cluster();
  std::string pattern = (std::filesystem::temp_directory_path() / "troupe-kubectl-XXXXXX").string();
  c.folder = ::mkdtemp(pattern.data());
  if (const char* given = std::getenv("TROUPE_CONFORMANCE_KUBECONFIG")) {
    c.kubeconfig = given;
    return;
  }
  c.kubeconfig = c.folder + "/kubeconfig";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const auto log = c.folder + "/troupe-sim.log";
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT, 0600);
  c.server =
      spawn({std::string(TROUPE_BINARY_DIR) + "/troupe-sim", "serve", "--listen", "127.0.0.1:0",
             "--kubelet", "off", "--seed", "1", "--write-kubeconfig", c.kubeconfig},
            &actions);
  posix_spawn_file_actions_destroy(&actions);
  const auto deadline = Clock::now() + kStartLimit;
  while (!std::filesystem::exists(c.kubeconfig)) {
    if (Clock::now() > deadline) throw std::runtime_error("troupe-sim does not start: see " + log);
    std::this_thread::yield();
  }
}

}  // namespace

Outcome run_program(const std::vector<std::string>& argv, std::string_view input, int seconds) {
  Pipe in, out, err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, STDERR_FILENO);
  const auto child = spawn(argv, &actions);
  posix_spawn_file_actions_destroy(&actions);
  in.close_read();
  out.close_write();
  err.close_write();
  // Inputs of tests are far smaller than a pipe's buffer.
  if (!input.empty() && ::write(in.write_end, input.data(), input.size()) < 0) {
    throw std::runtime_error("cannot write to " + argv[0]);
  }
  in.close_write();
  Outcome outcome;
  if (!read_all(out, err, outcome, Clock::now() + std::chrono::seconds(seconds))) {
    ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

void KubectlTest::SetUpTestSuite() { start_server(); }

void KubectlTest::TearDownTestSuite() {
  auto& c = cluster();
  if (c.server != 0) {
    ::kill(c.server, SIGTERM);
    ::waitpid(c.server, nullptr, 0);
  }
  if (!testing::UnitTest::GetInstance()->Failed()) std::filesystem::remove_all(c.folder);
}

const std::string& KubectlTest::folder() { return cluster().folder; }

void KubectlTest::SetUp() {
  static int counter = 0;
  ns_ = "t" + std::to_string(::getpid()) + "-" + std::to_string(++counter);
  ok("create -f -", "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + ns_ + "}\n");
}

void KubectlTest::TearDown() { kubectl("delete namespace --wait=false " + ns_); }

Outcome KubectlTest::kubectl(const std::vector<std::string>& arguments,
                             std::string_view input) const {
  std::vector<std::string> argv{"kubectl",
                                "--kubeconfig",
                                cluster().kubeconfig,
                                "--cache-dir",
                                folder() + "/cache",
                                "--namespace",
                                ns_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv, input);
}

Outcome KubectlTest::kubectl(std::string_view arguments, std::string_view input) const {
  std::istringstream words{std::string(arguments)};
  std::vector<std::string> list;
  for (std::string word; words >> word;) list.push_back(word);
  return kubectl(list, input);
}

void KubectlTest::make_config_map(std::string_view name, std::string_view data,
                                  std::string_view in_namespace) const {
  std::ostringstream text;
  text << "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " << name << "}\ndata: " << data
       << '\n';
  const std::string where(in_namespace.empty() ? std::string_view(ns_) : in_namespace);
  const auto created = kubectl("create -f - -n " + where, text.str());
  EXPECT_EQ(created.status, 0) << created.err;
}

std::string KubectlTest::ok(std::string_view arguments, std::string_view input) const {
  auto outcome = kubectl(arguments, input);
  EXPECT_EQ(outcome.status, 0) << "kubectl " << arguments << "\n" << outcome.err;
  return outcome.out;
}

}  // namespace troupe::sim
