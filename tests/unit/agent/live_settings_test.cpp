// What a running server can be told of a changed file.
#include <gtest/gtest.h>

#include "engines/agent/model/live_settings.hpp"

namespace troupe::agent {
namespace {

// The statement; "restart", or "nothing".
std::string told(std::string_view running, std::string_view wanted) {
  const auto changes = live_changes(server_settings(running), server_settings(wanted));
  if (!changes) return "restart";
  if (changes->empty()) return "nothing";
  return std::string(mysql::set_global(*changes).text());
}

TEST(LiveSettings, AreThoseThatAreNewOrOther) {
  EXPECT_EQ(told("[mysqld]\na=1\nmax_connections=500\n",
                 "[mysqld]\na=1\nmax-connections=600\nlong_query_time=3\n"),
            "SET GLOBAL long_query_time = 3, GLOBAL max_connections = 600");
}

TEST(LiveSettings, AreWrittenAsAStatementTakesThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"128M", "134217728"},
      {"2g", "2147483648"},
      {"18446744073709551615", "18446744073709551615"},
      {"off", "OFF"},
      {"True", "ON"},
      {"READ-COMMITTED", "'READ-COMMITTED'"},
      {"it's", "'it''s'"},
      {"99999999999T", "'99999999999T'"}};
  for (const auto& [value, written] : cases)
    EXPECT_EQ(told("", std::string("[mysqld]\nx=") + value + "\n"),
              std::string("SET GLOBAL x = ") + written)
        << value;
}

TEST(LiveSettings, ThatAreGoneNeedARestart) {
  EXPECT_EQ(told("[mysqld]\nmax_connections=500\n", "[mysqld]\n"), "restart");
}

TEST(LiveSettings, ThatRolesDependOnNeedARestart) {
  for (const auto* name : {"rpl_semi_sync_source_wait_for_replica_count", "gtid_mode_x",
                           "group_replication_member_expel_timeout", "replica_net_timeout"})
    EXPECT_EQ(told("", std::string("[mysqld]\n") + name + "=7\n"), "restart") << name;
}

TEST(LiveSettings, ThatAPinTakesTheEffectFromAreNoChange) {
  EXPECT_EQ(told("",
                 "[mysqld]\nsync_binlog=0\nread_only=OFF\nloose_rpl_semi_sync_source_wait_point="
                 "AFTER_COMMIT\n"),
            "nothing");
  EXPECT_EQ(told("[mysqld]\nsync_binlog=0\n", ""), "nothing");
  EXPECT_EQ(told("", "[mysqld]\nslave_exec_mode=IDEMPOTENT\nbinlog_ignore_db=a\n"), "nothing");
}

}  // namespace
}  // namespace troupe::agent
