// The sample's cluster for the tests of this folder: what ./dev up makes, from the build under
// test. One cluster serves all tests of an executable; each test leaves it as it found it: three
// members, all ready, the operator running.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/oracle/kubectl.hpp"
#include "tests/oracle/mysql_cluster.hpp"
#include "tests/oracle/writers.hpp"

namespace troupe::e2e {

// The operator that a cluster comes with, and one that stands beside it.
inline constexpr auto kFirstOperator = "operator";
inline constexpr auto kSecondOperator = "operator-2";

struct OperatorAs {
  std::string kubeconfig;   // another one, to reach the API server another way
  std::string fault_point;  // actors/host/fault_point.hpp
  bool elected = false;     // it acts only while it holds the Lease
  std::string replica = kFirstOperator;
};

class Cluster {
 public:
  // Brings it up, of the manifests in that folder if it names one; fails the test if that takes
  // more than five minutes. With `default_fstype`, "ext4", volumes are file systems of their own.
  explicit Cluster(const std::string& name, const std::filesystem::path& samples = {},
                   const std::string& default_fstype = {});
  // Ends it, and fails the test if anything of it is left.
  ~Cluster();

  const std::filesystem::path& directory() const { return directory_; }
  const oracle::Kubectl& kubectl() const { return kubectl_; }
  const oracle::MysqlCluster& mysql() const { return mysql_; }
  std::string operator_url() const;
  // How often the actor of the sample's MysqlReplication has run in the operator as it is.
  std::int64_t decisions() const;
  // What that actor saw and decided, if it keeps a journal.
  bool save_journal(const std::filesystem::path& file) const;

  // SIGKILL, and waits until it has gone.
  void kill_operator(const std::string& replica = kFirstOperator);
  void signal_operator(const std::string& replica, int number) const;
  // SIGTERM, and waits likewise: it gives up its Lease.
  void stop_operator(const std::string& replica = kFirstOperator);
  bool operator_pauses(std::chrono::seconds deadline,
                       const std::string& replica = kFirstOperator) const;
  // It ends by itself.
  bool operator_ends(std::chrono::seconds deadline,
                     const std::string& replica = kFirstOperator) const;

  void start_operator(const OperatorAs& how = {});

 private:
  std::string replication_actor(std::string_view field) const;
  oracle::Ran tool(std::vector<std::string> arguments) const;
  pid_t operator_process(const std::string& replica) const;

  std::filesystem::path directory_;
  oracle::Kubectl kubectl_;
  oracle::MysqlCluster mysql_;
};

class ClusterTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { bring_up({}); }
  static void TearDownTestSuite();
  // For suites with manifests of their own, in their SetUpTestSuite. Where these make no source,
  // the account of the writers is up to the suite.
  static void bring_up(const std::filesystem::path& samples,
                       const std::string& default_fstype = {});
  void SetUp() override;

  static Cluster& cluster() { return *cluster_; }
  static const oracle::MysqlCluster& mysql() { return cluster_->mysql(); }

  // kubectl, split at blanks; the test fails unless it exits with 0. Gives what it printed.
  static std::string ok(std::string_view arguments, const std::string& input = {});
  static oracle::Ran kubectl(std::string_view arguments, const std::string& input = {});
  static std::string source() { return mysql().source(); }
  static std::int64_t epoch() { return mysql().epoch(); }
  static std::filesystem::path sample(std::string_view name);
  // Some member that is not the source.
  static std::string replica();
  // The sample's MysqlReplication and its servers, with their volumes.
  static void delete_topology();
  // The first is the specification's source, and one of them may be isolated.
  static void list_members(const std::vector<std::string>& names, const std::string& isolated = {});
  // So many of the first Units of the sample's UnitSet, with the source as it is.
  static void list_members(int count);
  static std::string leader();  // by the Lease; empty if none acts
  // What a person or a fault begins, and whether the operator has brought it to its end.
  struct Operation {
    std::function<void()> begin;
    std::function<bool()> has_ended;
  };
  // To some replica, by the annotation.
  static Operation switchover();
  // Ends the operator; another one dies there (actors/host/fault_point.hpp), and a third is
  // started.
  static testing::AssertionResult dies_at(const std::string& point,
                                          const std::function<void()>& begin);
  // Ends the operator; another one pauses there, a second one takes the Lease and brings the
  // operation to its end, and the one that wakes up then changes nothing.
  static testing::AssertionResult pauses_at(const std::string& point, const Operation& operation);
  // To its database's process.
  static void send_signal(const std::string& member, int number);
  // Until the whole cluster is ready, with `source` as its source unless that is empty.
  static testing::AssertionResult settles(
      const std::string& source = {}, std::chrono::seconds deadline = std::chrono::seconds(120));

 private:
  static inline std::unique_ptr<Cluster> cluster_;
};

// Writers whose every acknowledged row must be on every member in the end.
class Load {
 public:
  // Through the read-write Service, as an application.
  static Load through_service(const oracle::MysqlCluster& cluster);
  // To each member directly, also to those that must refuse.
  static Load to_each_member(const oracle::MysqlCluster& cluster);
  // To a server that is no member, from which the members have it.
  static Load to_outside(const oracle::MysqlCluster& cluster, const std::string& server);

  oracle::Writers& writers() { return *writers_; }
  // Until at least so many more are acknowledged.
  testing::AssertionResult flows(std::uint64_t more = 100);
  // Stops, reads every member and judges.
  testing::AssertionResult nothing_lost();

 private:
  // The table is made by way of `first`.
  Load(const oracle::MysqlCluster& cluster, const oracle::Address& first,
       std::vector<oracle::Address> addresses);

  const oracle::MysqlCluster& cluster_;
  std::unique_ptr<oracle::Writers> writers_;
};

}  // namespace troupe::e2e
