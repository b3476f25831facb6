#include <gtest/gtest.h>

#include <algorithm>

#include "tests/oracle/writers.hpp"

namespace troupe::oracle {
namespace {

Instant at(int ms) { return Instant() + std::chrono::milliseconds(ms); }

struct Row {
  std::size_t writer;
  int begun, at;
};

int handovers(std::initializer_list<Row> rows) {
  std::vector<Acknowledged> all;
  for (const auto& row : rows) all.push_back({row.writer, all.size(), at(row.begun), at(row.at)});
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  return least_handovers(all);
}

TEST(Handovers, AreTheTimesThatTheRightToWriteHasMoved) {
  EXPECT_EQ(handovers({}), 0);
  EXPECT_EQ(handovers({{1, 0, 1}, {1, 2, 3}}), 0);
  EXPECT_EQ(handovers({{1, 0, 1}, {1, 2, 3}, {2, 4, 5}, {2, 6, 7}}), 1);
  EXPECT_EQ(handovers({{1, 0, 1}, {2, 4, 5}, {0, 6, 7}, {2, 8, 9}}), 3);
}

TEST(Handovers, ALateAnswerIsNoSecondWriter) {
  EXPECT_EQ(handovers({{1, 0, 1}, {1, 2, 9}, {2, 4, 5}, {2, 6, 7}, {2, 10, 11}}), 1);
}

TEST(Handovers, AreCountedThoughTwoWriteInStep) {
  EXPECT_EQ(handovers({{1, 0, 3}, {2, 1, 4}, {1, 8, 11}, {2, 9, 12}, {1, 16, 19}, {2, 17, 20}}), 3);
}

}  // namespace
}  // namespace troupe::oracle
