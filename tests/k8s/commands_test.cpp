// Command lines: what the programs and ./dev say to --help and to wrong usage.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/program.hpp"
#include "tests/support/tree.hpp"

namespace troupe {
namespace {

namespace fs = std::filesystem;
using support::Ran;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::chrono::seconds kLimit{20};

class Program : public ::testing::TestWithParam<const char*> {
 protected:
  Ran run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), support::program(GetParam()));
    return support::run(arguments, kLimit);
  }
};

TEST_P(Program, HelpIsNoError) {
  const auto ran = run({"--help"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, HasSubstr(GetParam()));
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_P(Program, AnUnknownArgumentIsWrongUsage) {
  const auto ran = run({"--bogus"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(ran.err, HasSubstr(std::string(GetParam()) + ": unknown argument --bogus"));
}

INSTANTIATE_TEST_SUITE_P(Each, Program,
                         ::testing::Values("troupe-agent", "troupe-demo", "troupe-gen",
                                           "troupe-operator", "troupe-sim", "troupe-supervise"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::erase(name, '-');
                           return name;
                         });

Ran dev(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"env", "TROUPE_BIN=" + support::program(), support::in_tree("dev")});
  return support::run(arguments, kLimit);
}

class Dev : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "troupe-dev-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(directory_); }
  fs::path directory_;
};

TEST_F(Dev, HelpIsNoErrorAndAnUnknownCommandIs) {
  EXPECT_EQ(dev({"--help"}).status, 0);
  EXPECT_THAT(dev({"--help"}).out, StartsWith("usage: ./dev"));
  const auto wrong = dev({"dwon"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.out, IsEmpty());
}

TEST_F(Dev, WhatIsNoNumberWhereOneIsNeededIsWrongUsage) {
  struct Row {
    std::vector<std::string> arguments;
    const char* says;
  };
  const Row rows[] = {
      {{"sim", "--seeds", "abc"}, "--seeds abc: expected a whole number from 1 on"},
      {{"sim", "--mutants", "--seeds", "-5"}, "--seeds -5: expected a whole number from 1 on"},
      {{"sim", "--from", "1e3"}, "--from 1e3: expected a whole number from 0 on"},
      {{"bench", "failover", "--runs"}, "--runs needs a value"},
      {{"bench", "--runs", "0"}, "--runs 0: expected a whole number from 1 on"},
      {{"bench", "--json"}, "--json needs a value"},
      {{"soak", "--minutes", "1.5"}, "--minutes 1.5: expected a whole number from 1 on"},
      {{"soak", "--seed", "010"}, "--seed 010: expected a whole number from 0 on"},
      {{"soak", "faults", "--schedules", "x"}, "--schedules x: expected a whole number from 1 on"},
      {{"soak", "sim", "--seeds", "x"}, "--seeds x: expected a whole number from 1 on"},
  };
  for (const auto& row : rows) {
    const auto ran = dev(row.arguments);
    EXPECT_EQ(ran.status, 2) << row.says;
    EXPECT_EQ(ran.err, std::string("error: ") + row.says + "\n");
  }
}

TEST_F(Dev, DownOfWhatIsNoClusterIsWrongUsageAndTouchesNothing) {
  std::ofstream(directory_ / "sim.log") << "mine";
  for (const auto& no_cluster : {directory_, directory_ / "nonexistent"}) {
    const auto ran = dev({"down", "--dir", no_cluster});
    EXPECT_EQ(ran.status, 2);
    EXPECT_THAT(ran.err, HasSubstr("holds no cluster"));
  }
  EXPECT_TRUE(fs::exists(directory_ / "sim.log"));
  EXPECT_EQ(dev({"down"}).status, 2);
}

// A process of a cluster runs while its lock is held.
class Lock {
 public:
  explicit Lock(const fs::path& path)
      : fd_(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
    EXPECT_EQ(::flock(fd_, LOCK_EX | LOCK_NB), 0) << path;
  }
  ~Lock() { ::close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int fd_;
};

TEST_F(Dev, UpOfAClusterThatRunsSaysWhatToDo) {
  const Lock sim(directory_ / "sim.lock");
  const auto up = [&] { return dev({"up", "--dir", directory_}); };
  const auto without_operator = up();
  EXPECT_EQ(without_operator.status, 1);
  EXPECT_THAT(without_operator.err, HasSubstr("tools/cluster operator --dir " +
                                              directory_.string() + " starts it again"));
  const Lock operator_lock(directory_ / "operator.lock");
  const auto whole = up();
  EXPECT_EQ(whole.status, 1);
  EXPECT_THAT(whole.err, HasSubstr("has a cluster already: ./dev down --dir"));
}

// As up leaves it when its processes were killed.
TEST_F(Dev, DownRemovesWhatUpMadeAndNothingElse) {
  fs::create_directories(directory_ / "state" / "volumes");
  for (const auto* name : {"kubeconfig", "sim.log", "operator.lock", "notes.txt"})
    std::ofstream(directory_ / name) << "x";
  ASSERT_EQ(dev({"down", "--keep", "--dir", directory_}).status, 0);
  EXPECT_TRUE(fs::exists(directory_ / "state" / "volumes"));
  const auto ran = dev({"down", "--dir", directory_});
  ASSERT_EQ(ran.status, 0) << ran.err;
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(directory_))
    left.push_back(entry.path().filename());
  EXPECT_THAT(left, ElementsAre("notes.txt"));
}

}  // namespace
}  // namespace troupe
