#include "runtime/model/process_stat.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace troupe {
namespace {

std::optional<ProcessStat> stat(std::string_view line) { return ProcessStat::parse(line); }

TEST(ProcessStat, FieldsAreCountedAsTheManualDoesWhateverTheNameHolds) {
  const auto s = stat("42 (my sql) d) S 1 40 39 0 -1 4194560 100\n");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->field(ProcessStat::kState), "S");
  EXPECT_EQ(s->field(4), "1");
  EXPECT_EQ(s->number<unsigned>(ProcessStat::kFlags), 4194560U);
  EXPECT_EQ(s->field(10), "100");
  EXPECT_EQ(s->number<int>(ProcessStat::kExitCode), std::nullopt);
}

TEST(ProcessStat, ADyingProcessIsAZombieOrOnItsWay) {
  EXPECT_FALSE(stat("1 (x) S 1 1 1 0 -1 4194560")->is_dying());
  EXPECT_TRUE(stat("1 (x) S 1 1 1 0 -1 4194564")->is_dying());
  EXPECT_TRUE(stat("1 (x) Z 1 1 1 0 -1 4194560")->is_dying());
  EXPECT_TRUE(stat("1 (x) X 1 1 1 0 -1 4194560")->is_dying());
}

TEST(ProcessStat, WhatIsNoSuchLineIsNone) {
  for (const auto line :
       {"", "1 x S 1", "42 (x) S 1 2", "42 (x) Stopped 1 1 1 0 -1 7", "42 (x) S 1 1 1 0 -1 flags"})
    EXPECT_FALSE(stat(line)) << line;
}

TEST(ProcessStat, ReadsTheKernelsOwn) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto s = stat(line);
  ASSERT_TRUE(s);
  EXPECT_FALSE(s->is_dying());
  EXPECT_GE(s->number<int>(ProcessStat::kThreads), 1);
  EXPECT_GT(s->number<std::uint64_t>(ProcessStat::kVirtualSize), 0U);
  EXPECT_EQ(s->number<int>(ProcessStat::kExitCode), 0);
}

}  // namespace
}  // namespace troupe
