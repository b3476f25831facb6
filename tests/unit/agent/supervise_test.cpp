// troupe-supervise as a process of its own, with real children.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fstream>
#include <list>
#include <mutex>
#include <thread>

#include "engines/agent/server/files.hpp"
#include "engines/agent/server/supervise_client.hpp"
#include "engines/agent/supervise/process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/tree.hpp"
#include "tests/unit/agent/scratch.hpp"

namespace troupe::agent {
namespace {

using namespace std::chrono_literals;
using supervise::ProcessReport;
using supervise::SpawnSpec;
using supervise::State;
using support::eventually;

class Supervised : public testing::Test {
 protected:
  void launch(const std::vector<std::string>& more = {}) {
    std::vector<std::string> argv{support::program("troupe-supervise"), "run", "--socket",
                                  socket().string()};
    argv.insert(argv.end(), more.begin(), more.end());
    pid_ = ::fork();
    if (pid_ == 0) {
      std::vector<char*> pointers;
      for (auto& word : argv) pointers.push_back(word.data());
      pointers.push_back(nullptr);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
    client_.start([this](const auto& hello) { connected_ = hello.has_value(); },
                  [this](const ProcessReport& report) {
                    const std::lock_guard lock(mutex_);
                    reports_.push_back(report);
                  });
    ASSERT_TRUE(eventually([this] { return connected_.load(); }));
  }

  void TearDown() override {
    client_.stop();
    guard_.reset();
    context_.stop();
    thread_.join();
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  std::filesystem::path socket() const { return scratch_ / "run" / "sock"; }
  ProcessReport last() {
    const std::lock_guard lock(mutex_);
    return reports_.empty() ? ProcessReport{} : reports_.back();
  }
  bool any(const std::function<bool(const ProcessReport&)>& condition) {
    const std::lock_guard lock(mutex_);
    return std::any_of(reports_.begin(), reports_.end(), condition);
  }
  Work& work() { return works_.emplace_back(30s); }

  SpawnSpec shell(const std::string& script) const { return {.argv = {"sh", "-c", script}}; }
  void start(const std::string& script) {
    ASSERT_TRUE(client_.start_database(shell(script), work()));
    ASSERT_TRUE(eventually([this] { return last().state == State::Running; }));
  }

  test::Scratch scratch_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      context_.get_executor()};
  SuperviseClient client_{context_, socket().string()};
  std::thread thread_{[this] { context_.run(); }};
  std::atomic<bool> connected_ = false;
  std::mutex mutex_;
  std::vector<ProcessReport> reports_;
  std::list<Work> works_;
  pid_t pid_ = -1;
};

TEST_F(Supervised, TellsOfAKilledDatabaseBeforeItIsGoneAndStartsItAgain) {
  launch();
  start("exec sleep 1000");
  const auto first = last();
  const auto killed_at = std::chrono::steady_clock::now();
  ASSERT_EQ(::kill(static_cast<pid_t>(first.pid), SIGKILL), 0);
  ASSERT_TRUE(eventually([this] {
    return any([](const ProcessReport& report) { return report.dying || report.ended != 0; });
  }));
  // 4 ms by design; the bound allows for a machine that is very busy.
  EXPECT_LT(std::chrono::steady_clock::now() - killed_at, 2s);
  ASSERT_TRUE(eventually([&] { return last().pid != 0 && last().pid != first.pid; }));
  EXPECT_EQ(last().exit_signal, std::uint64_t{SIGKILL});
  EXPECT_EQ(last().restarts, 1u);
  EXPECT_TRUE(any([](const ProcessReport& report) { return report.state == State::Backoff; }));
}

// Each of its lives leaves a line; the tenth goes on.
TEST_F(Supervised, StartsWhatAsksForItAgainAtOnceHoweverOften) {
  launch();
  const auto lives = (scratch_ / "lives").string();
  auto spec = shell(fmt::format(
      "echo >> {0}; if [ $(wc -l < {0}) -lt 10 ]; then exit 16; else exec sleep 1000; fi", lives));
  spec.restart_code = 16;
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(client_.start_database(spec, work()));
  ASSERT_TRUE(eventually([this] { return last().restarts == 9; }));
  // As crashes they would take 51 s.
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
}

TEST_F(Supervised, StopsOnOrderAndStaysStopped) {
  launch();
  start("exec sleep 1000");
  ASSERT_TRUE(client_.stop_database({}, work()));
  ASSERT_TRUE(eventually([this] { return last().state == State::Stopped; }));
  EXPECT_EQ(last().exit_signal, std::uint64_t{SIGTERM});
  EXPECT_EQ(last().restarts, 0u);
}

TEST_F(Supervised, KillsWhatIgnoresTheStopAfterItsGrace) {
  launch();
  start("trap '' TERM; touch " + (scratch_ / "ready").string() + "; while :; do sleep 0.05; done");
  ASSERT_TRUE(eventually([this] { return std::filesystem::exists(scratch_ / "ready"); }));
  ASSERT_TRUE(client_.stop_database({.grace_ms = 100}, work()));
  ASSERT_TRUE(eventually([this] { return last().state == State::Stopped; }));
  EXPECT_EQ(last().exit_signal, std::uint64_t{SIGKILL});
}

TEST_F(Supervised, SeesAPausedProcess) {
  launch();
  start("exec sleep 1000");
  ASSERT_EQ(::kill(static_cast<pid_t>(last().pid), SIGSTOP), 0);
  EXPECT_TRUE(eventually([this] { return last().paused; }));
}

TEST_F(Supervised, ACommandThatCannotBeExecutedIsFatalAndNotTriedAgain) {
  launch();
  ASSERT_TRUE(client_.start_database({.argv = {"/does/not/exist"}}, work()));
  ASSERT_TRUE(eventually([this] { return last().state == State::Fatal; }));
  EXPECT_NE(last().message.find("/does/not/exist"), std::string::npos);
}

TEST_F(Supervised, RunsACommandAndGivesItsStatusAndOutput) {
  launch();
  const auto outcome = client_.run({.spawn = shell("echo out; echo err >&2; exit 3")}, work());
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 3u);
  EXPECT_EQ(outcome->output, "out\nerr\n");
}

TEST_F(Supervised, ACommandThatTakesTooLongIsKilled) {
  launch();
  const auto outcome = client_.run({.spawn = shell("sleep 1000 & wait"), .timeout_ms = 50}, work());
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->signal, std::uint64_t{SIGKILL});
}

TEST_F(Supervised, AnAbandonedCommandIsEndedBeforeTheNextOneBegins) {
  launch();
  const auto began = scratch_ / "began";
  Work impatient(60s);
  std::thread caller([&] {
    const auto outcome =
        client_.run({.spawn = shell("touch " + began.string() + "; sleep 1000")}, impatient);
    EXPECT_FALSE(outcome) << "it was given up";
  });
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(began); }));
  impatient.cancel(error(Code::Timeout, "the caller has gone"));
  caller.join();
  EXPECT_FALSE(client_.run({.spawn = shell("true")}, work())) << "one at a time";
  ASSERT_TRUE(client_.end_run(work()));
  const auto next = client_.run({.spawn = shell("exit 4")}, work());
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->exit_code, 4u);
  EXPECT_TRUE(client_.end_run(work())) << "there is nothing to end";
}

TEST_F(Supervised, ACommandEndsWithTheAgentThatAskedForIt) {
  launch();
  const auto pid_file = scratch_ / "pid";
  Work abandoned(60s);
  std::thread caller([&] {
    const auto outcome = client_.run(
        {.spawn = shell("echo $$ > " + pid_file.string() + "; exec sleep 1000")}, abandoned);
    EXPECT_FALSE(outcome);
  });
  pid_t command = 0;
  ASSERT_TRUE(eventually([&] { return bool(std::ifstream(pid_file) >> command); }));
  client_.stop();  // as an agent that dies
  EXPECT_TRUE(eventually([&] { return ::kill(command, 0) != 0; }));
  abandoned.cancel(error(Code::Timeout, "over"));
  caller.join();
}

TEST_F(Supervised, GivesStockSettingsToTheAgentAndHidesThemFromTheDatabase) {
  std::ofstream(scratch_ / "password") << "from-file\n";
  ::setenv("MYSQL_ROOT_PASSWORD_FILE", (scratch_ / "password").c_str(), 1);
  ::setenv("MYSQL_DATABASE", "app", 1);
  launch();
  ::unsetenv("MYSQL_ROOT_PASSWORD_FILE");
  ::unsetenv("MYSQL_DATABASE");
  const auto stock = client_.stock_settings(work());
  ASSERT_TRUE(stock);
  EXPECT_EQ(*stock, (std::vector<std::string>{"MYSQL_ROOT_PASSWORD", "from-file", "MYSQL_DATABASE",
                                              "app"}));
  const auto outcome = client_.run({.spawn = shell("env | grep -c MYSQL_")}, work());
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, "0\n");
}

TEST_F(Supervised, AtTheEndItKillsTheDatabaseWhenNobodyReleasesIt) {
  launch({"--grace", "2", "--reserve", "1"});
  start("trap '' TERM; while :; do sleep 0.05; done");
  ::kill(pid_, SIGTERM);
  ASSERT_TRUE(eventually([this] { return last().terminating_ms != 0; }));
  int status = 0;
  ASSERT_EQ(::waitpid(pid_, &status, 0), pid_);
  pid_ = -1;
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(eventually([this] { return !connected_; })) << "its socket's end is a witness";
}

TEST_F(Supervised, AtTheEndAReleasedDatabaseEndsGracefully) {
  launch({"--grace", "60", "--reserve", "30"});
  start("trap 'echo graceful > " + (scratch_ / "note").string() + "; exit 0' TERM; touch " +
        (scratch_ / "ready").string() + "; while :; do sleep 0.05; done");
  ASSERT_TRUE(eventually([this] { return std::filesystem::exists(scratch_ / "ready"); }));
  ::kill(pid_, SIGTERM);
  ASSERT_TRUE(eventually([this] { return last().terminating_ms != 0; }));
  ASSERT_TRUE(client_.release({.graceful = true}, work()));
  ASSERT_EQ(::waitpid(pid_, nullptr, 0), pid_);
  pid_ = -1;
  EXPECT_EQ(*read_file(scratch_ / "note", 100), "graceful\n");
}

TEST_F(Supervised, ANewAgentFindsTheDatabaseAsItIs) {
  launch();
  start("exec sleep 1000");
  const auto pid = last().pid;
  SuperviseClient other(context_, socket().string());
  std::atomic<std::uint64_t> seen = 0;
  other.start([](const auto&) {}, [&](const ProcessReport& report) { seen = report.pid; });
  EXPECT_TRUE(eventually([&] { return seen == pid; }));
  std::atomic<bool> drained = false;
  other.stop();
  boost::asio::post(context_, [&] { drained = true; });
  ASSERT_TRUE(eventually([&] { return drained.load(); }));
}

TEST(Vitals, AreReadFromProcStat) {
  using supervise::parse_stat;
  const std::string head = "42 (my sql) d) ";
  const auto line = [&](const std::string& state, const std::string& flags) {
    return parse_stat(head + state + " 1 42 42 0 -1 " + flags + " 100 0\n");
  };
  EXPECT_FALSE(line("S", "4194560")->dying);
  EXPECT_TRUE(line("S", "4194564")->dying) << "PF_EXITING";
  EXPECT_TRUE(line("Z", "4194560")->dying);
  EXPECT_TRUE(line("T", "4194560")->paused);
  EXPECT_FALSE(parse_stat(""));
  EXPECT_FALSE(parse_stat("42 (x) S 1 2"));
}

TEST(SuperviseProtocol, CutsFramesWhateverTheReadsAre) {
  using namespace supervise;
  const auto bytes = to_bytes({Kind::Stop, 7, encode(StopOrder{.signal = 9})}) +
                     to_bytes({Kind::Event, 0, encode(ProcessReport{.pid = 5})});
  FrameReader reader;
  std::vector<Frame> frames;
  for (const char byte : bytes) {
    reader.append({&byte, 1});
    while (auto frame = reader.next()) frames.push_back(*frame);
  }
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].id, 7u);
  EXPECT_EQ(decode<StopOrder>(frames[0].body)->signal, 9u);
  EXPECT_EQ(decode<ProcessReport>(frames[1].body)->pid, 5u);
}

TEST(SuperviseProtocol, RefusesWhatIsTooLongOrDoesNotParse) {
  using namespace supervise;
  FrameReader reader;
  reader.append(std::string("\x7f\xff\xff\xff", 4));
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.broken());

  const auto spec = encode(SpawnSpec{.argv = {"a", "b"}, .uid = 5});
  EXPECT_EQ(decode<SpawnSpec>(spec)->argv, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(decode<SpawnSpec>(spec + "x"));
  for (std::size_t size = 0; size < spec.size(); ++size) {
    EXPECT_FALSE(decode<SpawnSpec>(spec.substr(0, size)));
  }
  EXPECT_FALSE(decode<std::vector<std::string>>(std::string(8, '\xff')));
}

}  // namespace
}  // namespace troupe::agent
