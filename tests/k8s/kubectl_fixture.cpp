#include "tests/k8s/kubectl_fixture.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "tests/support/eventually.hpp"
#include "tests/support/tree.hpp"

extern char** environ;

namespace troupe::sim {
namespace {

constexpr std::chrono::seconds kStartLimit(30);
constexpr std::chrono::seconds kCommandLimit(30);

struct Cluster {
  pid_t server = 0;  // 0: somebody else's
  std::string folder;
  std::string kubeconfig;
};

Cluster& cluster() {
  static Cluster instance;
  return instance;
}

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
  c.server = spawn({support::program("troupe-sim"), "serve", "--listen", "127.0.0.1:0", "--kubelet",
                    "off", "--seed", "1", "--write-kubeconfig", c.kubeconfig},
                   &actions);
  posix_spawn_file_actions_destroy(&actions);
  const auto is_written = [&c] { return std::filesystem::exists(c.kubeconfig); };
  if (!support::eventually(kStartLimit, is_written)) {
    throw std::runtime_error("troupe-sim does not start: see " + log);
  }
}

}  // namespace

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

Ran KubectlTest::kubectl(const std::vector<std::string>& arguments, std::string_view input) const {
  std::vector<std::string> argv{"kubectl",
                                "--kubeconfig",
                                cluster().kubeconfig,
                                "--cache-dir",
                                folder() + "/cache",
                                "--namespace",
                                ns_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return support::run(argv, kCommandLimit, input);
}

Ran KubectlTest::kubectl(std::string_view arguments, std::string_view input) const {
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
