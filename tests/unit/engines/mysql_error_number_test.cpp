#include "engines/mysql/model/error_number.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::mysql {
namespace {

TEST(MysqlErrorNumber, EachAsksForItsReaction) {
  struct Row {
    unsigned number;
    Reaction reaction;
    Reachability reachability;
  };
  const Row rows[] = {
      {1040, Reaction::AdminPort, Reachability::Overloaded},
      {1045, Reaction::Configuration, Reachability::AuthFailed},
      {1053, Reaction::Terminating, Reachability::ShuttingDown},
      {1064, Reaction::Detect, Reachability::Failed},
      {1094, Reaction::Ignore, Reachability::Failed},
      {1193, Reaction::Detect, Reachability::Failed},
      {1205, Reaction::Retry, Reachability::Failed},
      {1213, Reaction::Retry, Reachability::Failed},
      {1227, Reaction::Reauthorize, Reachability::Failed},
      {1236, Reaction::Clone, Reachability::Failed},
      {1062, Reaction::Drift, Reachability::Failed},
      {1290, Reaction::ReadOnly, Reachability::Failed},
      {2003, Reaction::Reconnect, Reachability::Refused},
      {2013, Reaction::Reconnect, Reachability::Reset},
      {2026, Reaction::Configuration, Reachability::TlsFailed},
      {3032, Reaction::Terminating, Reachability::Offline},
      {3707, Reaction::Restarting, Reachability::Failed},
      {5010, Reaction::Configuration, Reachability::AuthFailed},
      {9999, Reaction::Fail, Reachability::Failed},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(reaction_of(row.number), row.reaction) << row.number;
    EXPECT_EQ(reachability_of(row.number), row.reachability) << row.number;
  }
}

TEST(MysqlErrorNumber, OnlySilenceAndBrokenConnectionsMayMeanDeath) {
  using enum Reachability;
  for (const auto dead : {Unknown, Refused, Reset, Timeout, Unreachable}) {
    EXPECT_FALSE(is_alive(dead)) << to_string(dead);
  }
  for (const auto alive :
       {Ok, AuthFailed, TlsFailed, Overloaded, ShuttingDown, Offline, Unsupported, Failed}) {
    EXPECT_TRUE(is_alive(alive)) << to_string(alive);
  }
}

TEST(MysqlErrorNumber, SanitizedMessagesEndWhereAStatementIsQuoted) {
  EXPECT_EQ(sanitize("Access denied for user 'x'@'y' (using password: YES)"),
            "Access denied for user 'x'@'y' (using password: YES)");
  EXPECT_EQ(sanitize("You have an error in your SQL syntax near 'hunter2' at line 1"),
            "You have an error in your SQL syntax [cut]");
  EXPECT_EQ(sanitize("Error on query. Default database: ''. Query: 'CREATE USER x'"),
            "Error on query. Default database: ''.  [cut]");
  EXPECT_EQ(sanitize("two\nlines\tand a tab"), "two lines and a tab");
  EXPECT_EQ(sanitize("plugin '\xBA\x89N' cannot be loaded"),
            "plugin '\uFFFD\uFFFDN' cannot be loaded");
  EXPECT_LT(sanitize(std::string(10'000, 'x')).size(), kMaxErrorText + 10);
}

TEST(MysqlErrorNumber, ATimeoutStaysATimeout) {
  EXPECT_EQ(to_error({0, Reachability::Timeout, "late"}).code, Code::Timeout);
  EXPECT_EQ(to_error({1045, Reachability::AuthFailed, "no"}).code, Code::Denied);
  EXPECT_THAT(to_error({1045, Reachability::AuthFailed, "no"}).message,
              ::testing::HasSubstr("1045"));
}

}  // namespace
}  // namespace troupe::mysql
