// Members whose histories have parted: who counts, what is kept, and what nobody ever sees.
#include <fmt/format.h>
#include <signal.h>

#include <future>

#include "tests/e2e/mysql_acceptance.hpp"

namespace troupe::e2e {
namespace {

std::string databases_like(const std::string& name) {
  return fmt::format("SHOW DATABASES LIKE '{}'", name);
}

class MysqlHistories : public MysqlAcceptance {
 protected:
  // What the member alone had was kept, and the status says where.
  static testing::AssertionResult was_saved(const std::string& member) {
    const boost::json::value object =
        cluster().kubectl().get({"mysqlreplication", "mysql-cluster-replication"});
    boost::system::error_code none;
    const auto* all = object.find_pointer("/status/lostTransactions", none);
    if (all && all->is_array())
      for (const auto& lost : all->as_array())
        if (oracle::text_at(lost, "/node") == member &&
            !oracle::text_at(lost, "/gtidSet").empty() &&
            !oracle::text_at(lost, "/savedTo").empty())
          return testing::AssertionSuccess();
    return testing::AssertionFailure() << "nothing of " << member << " in " << lost_transactions();
  }

  // With its Pod kept: its volume can be reached meanwhile.
  static void while_stopped(const std::string& member, const std::string& script,
                            const std::string& input = {}) {
    const auto startup = [&member](bool on) {
      ok(fmt::format("patch un {} --type=merge -p {{\"spec\":{{\"startup\":{}}}}}", member, on));
      ok(fmt::format("wait un {} --for=jsonpath={{.status.processState}}={} --timeout=120s", member,
                     on ? "running" : "stopped"));
    };
    startup(false);
    const auto ran = cluster().kubectl()(
        {"exec", "-i", member, "-c", "mysql", "--", "sh", "-c", script}, seconds(30), input);
    EXPECT_EQ(ran.status, 0) << ran.err;
    startup(true);
  }

  static testing::AssertionResult nobody_has(const std::string& database) {
    for (const auto& member : mysql().members())
      if (mysql().query(member, databases_like(database)) == database)
        return testing::AssertionFailure() << member << " has " << database;
    return testing::AssertionSuccess();
  }
};

// The source is without its data and each replica was written on: any choice gives something up.
TEST_F(MysqlHistories, A14OfMembersThatDivergedThePersonsChoiceBecomesTheSource) {
  const auto old = source();
  const auto others = replicas();
  annotate("troupe.dev/clustering-stopped=true");
  ASSERT_TRUE(says("ClusteringStopped"));
  for (const auto& member : others)
    ASSERT_EQ(
        mysql().query(member,
                      fmt::format("SET GLOBAL super_read_only = OFF; CREATE DATABASE {0}; "
                                  "SET GLOBAL super_read_only = ON; {1}",
                                  "only_" + member.substr(member.size() - 1), "SELECT 'written'")),
        "written");
  lose_volume(old);
  annotate("troupe.dev/clustering-stopped-");
  EXPECT_TRUE(says("Diverged"));
  EXPECT_FALSE(eventually(seconds(5), [&] { return source() != old; })) << "nobody takes over";

  const auto &chosen = others[1], &other = others[0];
  annotate("troupe.dev/recover-on=" + chosen);
  ASSERT_TRUE(settles(chosen, seconds(180)));
  EXPECT_TRUE(was_saved(other));
  EXPECT_TRUE(nobody_has("only_" + other.substr(other.size() - 1)));
  const auto kept = "only_" + chosen.substr(chosen.size() - 1);
  for (const auto& member : mysql().members())
    EXPECT_EQ(mysql().query(member, databases_like(kept)), kept) << member;
}

TEST_F(MysqlHistories, A17ANewSourceThatDiesAtOnceIsReplacedToo) {
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto first = source();
  send_signal(first, SIGKILL);
  ASSERT_TRUE(is_replaced(first));
  send_signal(source(), SIGKILL);
  ASSERT_TRUE(load.flows());
  ASSERT_TRUE(settles());
  EXPECT_TRUE(load.nothing_lost());
}

// Its commit was in its binary log when it died, and on its way to nobody.
TEST_F(MysqlHistories, A52WhatAnOldSourceAloneHasIsSavedAndNeverServed) {
  const auto old = source();
  for (const auto& member : replicas()) part(old, member);
  auto told = std::async(std::launch::async, [old] {
    return mysql().query(old, "CREATE DATABASE unseen; SELECT 'told OK'");
  });
  ASSERT_TRUE(eventually(seconds(20), [&] {
    return mysql().query(old,
                         "SELECT VARIABLE_VALUE > 0 FROM performance_schema.global_status WHERE "
                         "VARIABLE_NAME = 'Rpl_semi_sync_source_wait_sessions'") == "1";
  }));
  send_signal(old, SIGKILL);
  ASSERT_TRUE(is_replaced(old));
  EXPECT_NE(told.get(), "told OK");
  ASSERT_TRUE(eventually(seconds(30), [&] { return label_of(old).empty(); }));
  cluster().kill_operator();
  heal();
  const auto has_it = [&] { return mysql().query(old, databases_like("unseen")) == "unseen"; };
  ASSERT_TRUE(eventually(has_it)) << "it comes back with what was never acknowledged";
  cluster().start_operator();
  // No Service leads to it until that is gone.
  EXPECT_TRUE(eventually(seconds(120), [&] {
    const bool served = !label_of(old).empty();
    EXPECT_FALSE(served && has_it());
    return served;
  }));
  ASSERT_TRUE(settles());
  EXPECT_TRUE(was_saved(old));
  EXPECT_TRUE(nobody_has("unseen"));
}

// As where volumes are restored from one snapshot.
TEST_F(MysqlHistories, AServerOfACopiedVolumeIsLeftAloneUntilItHasAUuidOfItsOwn) {
  const auto copied = replica();
  const auto file = mysql().query(copied, "SELECT @@datadir") + "auto.cnf";
  const auto uuid = mysql().query(source(), "SELECT @@server_uuid");
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  while_stopped(copied, "cat > " + file, fmt::format("[auto]\nserver-uuid={}\n", uuid));
  EXPECT_TRUE(says(fmt::format("{} has the server UUID of {}", copied, source())));
  EXPECT_NE(mysql().query(copied,
                          "SELECT SERVICE_STATE FROM "
                          "performance_schema.replication_connection_status"),
            "ON");
  EXPECT_TRUE(load.flows());
  while_stopped(copied, "rm " + file);
  ASSERT_TRUE(settles());
  EXPECT_TRUE(load.nothing_lost());
}

}  // namespace
}  // namespace troupe::e2e
