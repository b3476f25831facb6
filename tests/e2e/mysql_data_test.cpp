// Acceptance behaviours on real servers, named by their ids in docs/acceptance.md: what becomes of
// data when volumes are lost, servers die in the middle of something, and people write where nobody
// should.
#include <fmt/format.h>
#include <signal.h>

#include <future>

#include "tests/e2e/mysql_acceptance.hpp"

namespace troupe::e2e {
namespace {

TEST_F(MysqlAcceptance, A05ALongTransactionDelaysASwitchoverForAMomentOnly) {
  const auto target = replica();
  const auto before = epoch();
  const auto from = source();
  ASSERT_TRUE(commits_at(from));
  auto holder = std::async(std::launch::async, [from] {
    return mysql().query(from,
                         "BEGIN; UPDATE inside.t SET i = i + 1000000 ORDER BY i DESC; "
                         "SELECT SLEEP(25); COMMIT; SELECT 'told OK'");
  });
  ASSERT_TRUE(eventually(seconds(10), [&] {
    return mysql().query(from,
                         "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE "
                         "trx_rows_modified > 0") == "1";
  }));
  annotate("troupe.dev/switchover-to=" + target);
  ASSERT_TRUE(is_replaced(from, seconds(20)));
  EXPECT_EQ(holder.get().find("told OK"), std::string::npos) << "it was cut off";
  ASSERT_TRUE(settles(target));
  EXPECT_EQ(epoch(), before + 1) << "a switchover, and no failover behind it";
}

TEST_F(MysqlAcceptance, A18AReplicaThatLostItsVolumeComesBackAndNoWriteStalls) {
  const auto lost = replica();
  const auto before = source();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto from = std::chrono::steady_clock::now();
  lose_volume(lost);
  ASSERT_TRUE(eventually(seconds(60), [&] { return !mysql().is_replica(lost); }));
  ASSERT_TRUE(settles(before));
  EXPECT_LT(load.writers().longest_gap(from, std::chrono::steady_clock::now()), seconds(5));
  EXPECT_TRUE(mysql().is_replica(lost));
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A19ASourceThatLostItsVolumeIsReplacedAndComesBackWithTheOthersData) {
  const auto lost = source();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  lose_volume(lost);
  ASSERT_TRUE(is_replaced(lost));
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(lost));
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A34AReplicaThatSomebodyWroteOnIsSavedAndRebuilt) {
  const auto errant = replica();
  const auto before = source();
  const auto operation_before = last_operation();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  mysql().query(errant,
                "SET GLOBAL super_read_only = OFF; CREATE DATABASE errant_data; "
                "SET GLOBAL super_read_only = ON");
  EXPECT_TRUE(eventually(seconds(10), [&] { return label_of(errant).empty(); }))
      << "it is reached through a Service";
  ASSERT_TRUE(eventually(seconds(120), [&] {
    const auto operation = last_operation();
    return operation != operation_before &&
           operation.find("\"type\":\"Rebuild\"") != std::string::npos;
  }));
  ASSERT_TRUE(settles(before));
  EXPECT_EQ(mysql().query(errant, "SHOW DATABASES LIKE 'errant_data'"), "");
  const auto lost = lost_transactions();
  EXPECT_NE(lost.find(fmt::format(R"("node":"{}")", errant)), std::string::npos) << lost;
  EXPECT_NE(lost.find("savedTo"), std::string::npos) << lost;
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A24CommitsThatWaitForAllReplicasGoOnWhenOneIsBack) {
  const auto before = epoch();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto paused = replicas();
  for (const auto& member : paused) send_signal(member, SIGSTOP);
  EXPECT_TRUE(stays(before, seconds(1)));  // what was under way
  const auto waiting = load.writers().acknowledged();
  EXPECT_TRUE(stays(before, seconds(20)));
  EXPECT_EQ(load.writers().acknowledged(), waiting);
  send_signal(paused[0], SIGCONT);
  EXPECT_TRUE(load.flows());
  send_signal(paused[1], SIGCONT);
  ASSERT_TRUE(settles());
  EXPECT_EQ(epoch(), before);
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A41AfterAllServersDiedAtOnceNothingThatWasAcknowledgedIsMissing) {
  auto load = Load::to_each_member(mysql());
  ASSERT_TRUE(load.flows());
  for (const auto& member : mysql().members()) send_signal(member, SIGKILL);
  ASSERT_TRUE(load.flows());
  ASSERT_TRUE(settles());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A44WhileClusteringIsStoppedNobodyIsReplaced) {
  const auto before = source();
  const auto epoch_before = epoch();
  annotate("troupe.dev/clustering-stopped=true");
  EXPECT_TRUE(says("ClusteringStopped"));
  send_signal(before, SIGKILL);
  EXPECT_TRUE(stays(epoch_before, seconds(15)));
  EXPECT_FALSE(commits_at(before)) << "it boots closed, and nobody opens it";
  annotate("troupe.dev/clustering-stopped-");
  ASSERT_TRUE(settles());
  EXPECT_TRUE(commits_at(source()));
}

// Another operator begins with new connections, and a switchover lets its replicas come anew.
TEST_F(MysqlAcceptance, A47ClientsThatTakeAllConnectionsKeepNobodyFromControl) {
  const auto connections = [](int most) {
    for (const auto& member : mysql().members())
      EXPECT_EQ(mysql().query_as_administrator(
                    member, fmt::format("SET GLOBAL max_connections = {}; SELECT 'set'", most)),
                "set");
  };
  const auto target = replica();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  connections(1);  // and more are taken
  cluster().kill_operator();
  cluster().start_operator();
  ASSERT_TRUE(settles());
  annotate("troupe.dev/switchover-to=" + target);
  EXPECT_TRUE(settles(target));
  connections(500);
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A42WhatApplicationsMayDoWorksBeforeAndAfterASwitchover) {
  const auto work = [](const std::string& member, int base) {
    return mysql().query(
        member,
        fmt::format(
            "CREATE DATABASE IF NOT EXISTS app; "
            "CREATE TABLE IF NOT EXISTS app.t (i INT PRIMARY KEY, v LONGTEXT); "
            "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; BEGIN; INSERT INTO app.t VALUES "
            "({0}, 'a'); COMMIT; "
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN; INSERT INTO app.t VALUES "
            "({0} + 1, 'b'); COMMIT; "
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; BEGIN; CREATE TEMPORARY TABLE "
            "app.tmp "
            "(i INT); INSERT INTO app.tmp VALUES ({0} + 2); INSERT INTO app.t SELECT i, 'c' FROM "
            "app.tmp; DROP TEMPORARY TABLE app.tmp; COMMIT; "
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; BEGIN; INSERT INTO app.t VALUES "
            "({0} + 3, REPEAT('d', 16000000)); COMMIT; "
            "XA START 'x{0}'; INSERT INTO app.t VALUES ({0} + 4, 'e'); XA END 'x{0}'; "
            "XA PREPARE 'x{0}'; XA COMMIT 'x{0}'; "
            "SELECT COUNT(*), SUM(LENGTH(v)) FROM app.t",
            base));
  };
  // The client's own file, by way of the same client.
  const auto load_data = [](const std::string& member, int base) {
    const auto ran = cluster().kubectl()(
        {"exec", "-i", member, "-c", "mysql", "--", "sh", "-c",
         "read -r MYSQL_PWD; export MYSQL_PWD; mysql -uroot --local-infile=1 -e \"SET GLOBAL "
         "local_infile = ON; LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE app.t\""},
        seconds(30), fmt::format("Demo-root-password-1\n{}\tf\n{}\tg\n", base, base + 1));
    EXPECT_EQ(ran.status, 0) << ran.err;
  };
  EXPECT_EQ(work(source(), 1), "5\t16000004");
  load_data(source(), 6);
  const auto target = replica();
  annotate("troupe.dev/switchover-to=" + target);
  ASSERT_TRUE(settles(target));
  EXPECT_EQ(work(target, 11), "12\t32000010");
  load_data(target, 16);
  for (const auto& member : replicas())
    EXPECT_TRUE(eventually(seconds(60), [&] {
      return mysql().query(member, "SELECT COUNT(*), SUM(LENGTH(v)) FROM app.t") == "14\t32000012";
    })) << member;
}

TEST_F(MysqlAcceptance, A04ALargeTransactionWhoseSourceIsKilledIsEverywhereOrNowhere) {
  ASSERT_EQ(mysql().query(source(),
                          "CREATE DATABASE IF NOT EXISTS large; CREATE TABLE IF NOT EXISTS "
                          "large.t (i INT PRIMARY KEY, v TEXT); SELECT 'made'"),
            "made");
  static constexpr int kRows = 60000;
  for (int round = 0; round < 2; ++round) {
    const auto old = source();
    auto told = std::async(std::launch::async, [old, round] {
      return mysql().query(
          old, fmt::format("SET SESSION cte_max_recursion_depth = {1}; INSERT INTO large.t WITH "
                           "RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                           "{1}) SELECT {0} * {1} + i, REPEAT('x', 1000) FROM n; SELECT 'told OK'",
                           round, kRows));
    });
    ASSERT_TRUE(eventually(seconds(30), [&] {
      const auto modified = mysql().query(
          old, "SELECT IFNULL(MAX(trx_rows_modified), 0) FROM information_schema.INNODB_TRX");
      return !modified.empty() && std::stoi(modified) >= (round == 0 ? kRows / 2 : kRows);
    }));
    send_signal(old, SIGKILL);
    const bool acknowledged = told.get().find("told OK") != std::string::npos;
    ASSERT_TRUE(is_replaced(old));
    ASSERT_TRUE(settles());
    const auto counted = fmt::format("SELECT COUNT(*) FROM large.t WHERE i > {}", round * kRows);
    const auto there = mysql().query(source(), counted);
    EXPECT_TRUE(there == "0" || there == std::to_string(kRows)) << there;
    if (acknowledged) {
      EXPECT_EQ(there, std::to_string(kRows));
    }
    for (const auto& member : replicas())
      EXPECT_TRUE(eventually(seconds(60), [&] { return mysql().query(member, counted) == there; }))
          << member;
  }
}

}  // namespace
}  // namespace troupe::e2e
