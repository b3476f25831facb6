// Acceptance behaviours on real servers, each named by its id in docs/acceptance.md: who reaches
// whom, who is paused, and what people do to servers behind the operator's back.
#include <fmt/format.h>
#include <signal.h>

#include <future>
#include <regex>

#include "tests/e2e/cluster.hpp"

namespace troupe::e2e {
namespace {

using oracle::eventually;
using std::chrono::seconds;

class MysqlAcceptance : public ClusterTest {
 protected:
  static constexpr auto kName = "mysql-cluster-replication";

  ~MysqlAcceptance() override {
    for (const auto& [network, address] : cut_) network.route("del", address);
  }

  static std::vector<std::string> replicas() {
    auto names = mysql().members();
    std::erase(names, source());
    return names;
  }

  // Whatever `member` sends there is gone without a word.
  void cut(const std::string& member, const std::string& address) {
    const auto network = network_of(member);
    ASSERT_EQ(network.route("add", address).status, 0) << member;
    cut_.push_back({network, address});
  }
  void part(const std::string& one, const std::string& other) {
    cut(one, mysql().member(other).host);
  }
  // Neither the operator nor the kubelet nor the clients of the test are reached.
  void lose_sight_of(const std::string& member) { cut(member, network_of(member).gateway()); }
  void heal() {
    for (const auto& [network, address] : cut_) EXPECT_EQ(network.route("del", address).status, 0);
    cut_.clear();
  }

  // A client in the member's own Pod, which no partition keeps from it. True: it was told OK.
  static bool commits_at(const std::string& member) {
    static int number = 0;
    const auto row = ++number;
    return mysql().query(member, fmt::format("CREATE DATABASE IF NOT EXISTS inside; "
                                             "CREATE TABLE IF NOT EXISTS inside.t (i INT PRIMARY "
                                             "KEY); INSERT INTO inside.t VALUES ({}); "
                                             "SELECT 'told OK'",
                                             row)) == "told OK";
  }

  static std::string guards() {
    return ok(fmt::format("get mr {} -o jsonpath={{.status.guards}}", kName));
  }
  static testing::AssertionResult says(const std::string& text) {
    std::string said;
    if (eventually(seconds(30), [&] { return (said = guards()).find(text) != said.npos; }))
      return testing::AssertionSuccess();
    return testing::AssertionFailure() << "no \"" << text << "\" in " << said;
  }
  // Looks all the time.
  static testing::AssertionResult stays(std::int64_t before, seconds lasting) {
    if (!eventually(lasting, [&] { return epoch() != before; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "roles have changed: " << mysql().state();
  }
  static testing::AssertionResult is_replaced(const std::string& old,
                                              seconds within = seconds(60)) {
    if (eventually(within, [&] { return source() != old; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << old << " is the source still: " << mysql().state();
  }
  static void lose_volume(const std::string& member) {
    ok(fmt::format("delete pvc {}-data --wait=false", member));
    ok(fmt::format("delete pod {} --force --grace-period=0", member));
  }
  static void annotate(const std::string& annotation) {
    ok(fmt::format("annotate --overwrite mr {} {}", kName, annotation));
  }
  static std::string last_operation() {
    return ok(fmt::format("get mr {} -o jsonpath={{.status.lastOperation}}", kName));
  }
  static std::string label_of(const std::string& member) {
    return ok(fmt::format(
        "get pod {} -o jsonpath={{.metadata.labels.compose-operator/mysql-replication\\.readonly}}",
        member));
  }

 private:
  // Of the Pod's network namespace: process 1 of the database's container, which outlives the
  // database.
  struct Network {
    std::string file;
    oracle::Ran route(const std::string& verb, const std::string& address) const {
      return run({"ip", "route", verb, "blackhole", address + "/32"});
    }
    std::string gateway() const {
      const auto routes = run({"ip", "route", "show", "default"}).out;
      std::smatch found;
      return std::regex_search(routes, found, std::regex("via ([0-9.]+)")) ? found[1].str() : "";
    }
    oracle::Ran run(std::vector<std::string> command) const {
      command.insert(command.begin(), {"nsenter", "--net=" + file});
      return oracle::run(command, seconds(10));
    }
  };
  static Network network_of(const std::string& member) {
    const auto database = mysql().database_process(member);
    const auto status = database ? read_file(fmt::format("/proc/{}/status", *database)) : "";
    std::smatch parent;
    if (!std::regex_search(status, parent, std::regex("PPid:\\s+([0-9]+)"))) return {};
    return {fmt::format("/proc/{}/ns/net", parent[1].str())};
  }

  struct Cut {
    Network network;
    std::string address;
  };
  std::vector<Cut> cut_;
};

TEST_F(MysqlAcceptance, A07ASourceThatOnlyTheOperatorMissesIsNotReplaced) {
  const auto lost = source();
  const auto before = epoch();
  lose_sight_of(lost);
  EXPECT_TRUE(says("SourceUnreachable"));
  EXPECT_TRUE(stays(before, seconds(40))) << "longer than the member's lease";
  EXPECT_TRUE(commits_at(lost)) << "its replicas acknowledge";
  heal();
  ASSERT_TRUE(settles(lost));
  EXPECT_EQ(epoch(), before);
}

TEST_F(MysqlAcceptance, A08CommitsThatWaitedForAMomentAreDoneAfterwards) {
  const auto before = epoch();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  for (const auto& replica : replicas()) part(source(), replica);
  EXPECT_TRUE(stays(before, seconds(4)));
  heal();
  ASSERT_TRUE(load.flows());
  ASSERT_TRUE(settles());
  EXPECT_EQ(epoch(), before);
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A08ASourceThatItsReplicasGoOnMissingIsClosedAndReplaced) {
  const auto old = source();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  for (const auto& replica : replicas()) part(old, replica);
  ASSERT_TRUE(is_replaced(old));
  ASSERT_TRUE(load.flows());
  EXPECT_FALSE(commits_at(old));
  heal();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(old));
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A09ASourceThatIsAloneIsReplacedAndAcknowledgesNothing) {
  const auto old = source();
  auto load = Load::to_each_member(mysql());
  ASSERT_TRUE(load.flows());
  for (const auto& replica : replicas()) part(old, replica);
  lose_sight_of(old);
  EXPECT_FALSE(commits_at(old)) << "from the moment when it was alone";
  ASSERT_TRUE(is_replaced(old));
  ASSERT_TRUE(load.flows());
  heal();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(old));
  EXPECT_EQ(load.writers().handovers(), 1);
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A10ASourceWithOneReplicaIsNotReplacedByTheOtherOne) {
  const auto kept = source();
  const auto before = epoch();
  const auto others = replicas();
  for (const auto& member : {kept, others[0]}) part(member, others[1]);
  for (const auto& member : {kept, others[0]}) lose_sight_of(member);
  EXPECT_TRUE(says("1 of 2 needed replicas"));
  EXPECT_TRUE(stays(before, seconds(30)));
  EXPECT_TRUE(commits_at(kept));
  heal();
  ASSERT_TRUE(settles(kept));
}

// The member is not reached either, or its agent would have killed it.
TEST_F(MysqlAcceptance, A51ASourceThatWakesUpAfterAFailoverAcknowledgesNothing) {
  const auto old = source();
  const auto process = mysql().database_process(old);
  ASSERT_TRUE(process);
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ASSERT_EQ(::kill(*process, SIGSTOP), 0);
  lose_sight_of(old);
  ASSERT_TRUE(is_replaced(old));
  ASSERT_TRUE(load.flows());
  ASSERT_EQ(::kill(*process, SIGCONT), 0);
  EXPECT_FALSE(commits_at(old));
  heal();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(old));
  EXPECT_TRUE(load.nothing_lost());
}

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
  const auto lost = ok(fmt::format("get mr {} -o jsonpath={{.status.lostTransactions}}", kName));
  EXPECT_NE(lost.find(fmt::format(R"("node":"{}")", errant)), std::string::npos) << lost;
  EXPECT_NE(lost.find("savedTo"), std::string::npos) << lost;
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlAcceptance, A44WhileClusteringIsStoppedNobodyIsReplaced) {
  const auto before = source();
  const auto epoch_before = epoch();
  annotate("troupe.dev/clustering-stopped=true");
  EXPECT_TRUE(says("ClusteringStopped"));
  const auto process = mysql().database_process(before);
  ASSERT_TRUE(process);
  ASSERT_EQ(::kill(*process, SIGKILL), 0);
  EXPECT_TRUE(stays(epoch_before, seconds(15)));
  EXPECT_FALSE(commits_at(before)) << "it boots closed, and nobody opens it";
  annotate("troupe.dev/clustering-stopped-");
  ASSERT_TRUE(settles());
  EXPECT_TRUE(commits_at(source()));
}

}  // namespace
}  // namespace troupe::e2e
