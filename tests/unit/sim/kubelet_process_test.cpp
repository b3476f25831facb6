// The kubelet's processes: what ends is reported once, and what lives is left alone.
#include "k8s/sim/kubelet/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace troupe::sim {
namespace {

using namespace std::chrono_literals;

// A program that is started from a second thread, as runc starts containers.
pid_t start_from_second_thread(const char* program, const char* argument) {
  const pid_t child = fork();
  if (child == 0) {
    std::thread([&] {
      execl(program, program, argument, nullptr);
      _exit(127);
    }).join();
  }
  return child;
}

bool runs(pid_t child, const std::string& name) {
  std::string comm;
  std::ifstream("/proc/" + std::to_string(child) + "/comm") >> comm;
  return comm == name;
}

TEST(ExitWatch, DoesNotTakeAnExecFromAnotherThreadForTheEnd) {
  boost::asio::io_context io;
  const auto work = boost::asio::make_work_guard(io);
  for (int i = 0; i < 20; ++i) {
    const pid_t child = start_from_second_thread("/bin/sleep", "60");
    ASSERT_GT(child, 0);
    std::optional<ExitStatus> ended;
    auto watch = ExitWatch::start(io, child, [&](ExitStatus status) { ended = status; });
    ASSERT_TRUE(watch);
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!runs(child, "sleep") && std::chrono::steady_clock::now() < deadline) io.poll();
    io.poll();
    EXPECT_FALSE(ended) << "the child lives";
    watch->signal(SIGKILL);
    while (!ended && std::chrono::steady_clock::now() < deadline) io.run_one_for(1s);
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->signal, SIGKILL);
    EXPECT_EQ(waitpid(child, nullptr, WNOHANG), -1) << "it is reaped";
  }
}

TEST(RunProgram, KillsWhatDoesNotEndInTime) {
  HostProgram program{.argv = {"/bin/sleep", "60"}, .deadline = 50ms};
  const auto ran = run_program(program);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().code, Code::Timeout);
}

}  // namespace
}  // namespace troupe::sim
