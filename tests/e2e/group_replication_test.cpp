// The sample of a group: three real servers that are one group by the operator.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/e2e/cluster.hpp"
#include "tests/e2e/fault_points.hpp"

namespace troupe::e2e {
namespace {

using oracle::eventually;
using std::chrono::seconds;

constexpr auto kName = "mysql-cluster-replication";
// The others find a dead member in 10 s, and a member that is cut off leaves in 20.
constexpr seconds kElection{90};

class GroupReplication : public ClusterTest {
 public:
  static void SetUpTestSuite() { bring_up(sample("samples/mysql-group")); }

 protected:
  static std::string field(std::string_view path) {
    return ok(fmt::format("get mr {} -o jsonpath={{.status.{}}}", kName, path));
  }
  static std::string reached_by(const std::string& service) {
    return ok(
        fmt::format("get endpointslices -l kubernetes.io/service-name={}-{} "
                    "-o jsonpath={{.items[*].endpoints[*].targetRef.name}}",
                    kName, service));
  }
  static std::set<std::string> readers() {
    const auto text = reached_by("readonly");
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), {}};
  }
  // Whom the member calls the primary of its group, and how many are ONLINE there.
  static std::string says(const std::string& member) {
    return mysql().query(member,
                         "SELECT CONCAT(SUM(MEMBER_STATE = 'ONLINE'), ' ', "
                         "MAX(IF(MEMBER_ROLE = 'PRIMARY', SUBSTRING_INDEX(MEMBER_HOST, '.', 1), "
                         "''))) FROM performance_schema.replication_group_members");
  }
  static testing::AssertionResult is_one_group() {
    const auto expected = fmt::format("3 {}", source());
    for (const auto& member : mysql().members())
      if (const auto said = says(member); said != expected)
        return testing::AssertionFailure() << member << " says " << said << ", not " << expected;
    return testing::AssertionSuccess();
  }
};

TEST_F(GroupReplication, ThreeServersAreOneGroupAndTheServicesLeadWhereItSays) {
  EXPECT_TRUE(is_one_group());
  EXPECT_EQ(reached_by("readwrite"), source());
  EXPECT_EQ(readers().size(), 2u);
  EXPECT_FALSE(readers().contains(source()));
  EXPECT_EQ(mysql().query(source(), "SELECT @@group_replication_group_name"), field("groupName"));
  EXPECT_EQ(field("lastOperation.type"), "Bootstrap");
  EXPECT_EQ(mysql().query(source(),
                          "SELECT CONCAT_WS(' ', @@group_replication_start_on_boot, "
                          "@@group_replication_bootstrap_group, "
                          "@@group_replication_unreachable_majority_timeout, "
                          "@@group_replication_exit_state_action, "
                          "@@group_replication_communication_stack, "
                          "@@group_replication_ssl_mode, @@group_replication_consistency)"),
            "0 0 10 OFFLINE_MODE MYSQL VERIFY_CA BEFORE_ON_PRIMARY_FAILOVER");
}

TEST_F(GroupReplication, A43AKilledPrimaryIsReplacedByTheGroupAndJoinsItAgain) {
  const auto old_source = source();
  const auto before = epoch();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  send_signal(old_source, SIGKILL);
  ASSERT_TRUE(eventually(kElection, [&] { return source() != old_source; }));
  EXPECT_GT(epoch(), before);
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(old_source));
  EXPECT_TRUE(is_one_group());
  EXPECT_EQ(reached_by("readwrite"), source());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(GroupReplication, AnAnnotationOrdersAnotherPrimary) {
  const auto target = replica();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ok(fmt::format("annotate mr {} troupe.dev/switchover-to={}", kName, target));
  ASSERT_TRUE(settles(target));
  EXPECT_EQ(field("lastOperation.type"), "Switchover");
  EXPECT_TRUE(is_one_group());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(GroupReplication, A43AMemberThatWasPausedIsKeptOutAndComesBack) {
  const auto paused = replica();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  send_signal(paused, SIGSTOP);
  EXPECT_TRUE(eventually(kElection, [&] { return !readers().contains(paused); }));
  ASSERT_TRUE(load.flows());
  send_signal(paused, SIGCONT);
  ASSERT_TRUE(settles());
  EXPECT_TRUE(eventually(seconds(30), [&] { return readers().contains(paused); }));
  EXPECT_TRUE(is_one_group());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(GroupReplication, A43AfterACompleteOutageOneMemberBeginsTheGroupAgain) {
  const auto group = field("groupName");
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto before = epoch();
  ok("delete pods --force --grace-period=0 --wait=false -l unitset.name=mysql-cluster");
  ASSERT_TRUE(eventually(seconds(150), [&] { return epoch() > before; }));
  ASSERT_TRUE(settles());
  EXPECT_EQ(field("groupName"), group);
  EXPECT_EQ(field("lastOperation.type"), "Bootstrap");
  EXPECT_TRUE(is_one_group());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(GroupReplication, A43AnOperatorKilledWhileTheGroupIsBegunBeginsOneGroupAllTheSame) {
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto before = epoch();
  ok("delete pods --force --grace-period=0 --wait=false -l unitset.name=mysql-cluster");
  ASSERT_TRUE(eventually(seconds(150), [&] { return field("operation.type") == "Bootstrap"; }));
  cluster().kill_operator();
  cluster().start_operator();
  ASSERT_TRUE(settles());
  EXPECT_GT(epoch(), before);
  EXPECT_TRUE(is_one_group());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(GroupReplication, AnIsolatedMemberLeavesAndJoinsAgain) {
  const auto first = source();
  const auto isolated = replica();
  auto members = mysql().members();
  std::iter_swap(members.begin(), std::find(members.begin(), members.end(), first));
  list_members(members, isolated);
  ASSERT_TRUE(eventually(seconds(60), [] { return mysql().counted() == 2; }));
  EXPECT_EQ(says(first), "2 " + first);
  EXPECT_FALSE(readers().contains(isolated));
  list_members(members);
  ASSERT_TRUE(eventually(seconds(60), [] { return mysql().counted() == 3; }));
  ASSERT_TRUE(settles(first));
  EXPECT_TRUE(is_one_group());
}

TEST_F(GroupReplication, GrowsToFiveAndShrinksToThreeWithItsSourceMovedUnderLoad) {
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ok("patch us mysql-cluster --type=merge -p {\"spec\":{\"units\":5}}");
  list_members(5);
  ASSERT_TRUE(eventually(seconds(300), [] { return mysql().counted() == 5 && mysql().ready(); }));
  EXPECT_EQ(readers().size(), 4u);
  ASSERT_TRUE(load.flows());
  list_members({"mysql-cluster-1", "mysql-cluster-0", "mysql-cluster-2"});
  ASSERT_TRUE(eventually(seconds(60), [] { return mysql().counted() == 3; }));
  ASSERT_TRUE(settles("mysql-cluster-1"));
  EXPECT_TRUE(is_one_group());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
  ok("patch us mysql-cluster --type=merge -p {\"spec\":{\"units\":3}}");
  list_members({"mysql-cluster-0", "mysql-cluster-1", "mysql-cluster-2"});
  ASSERT_TRUE(settles("mysql-cluster-0"));
}

TEST_F(GroupReplication, TransactionsOfAMembersOwnAreSavedAndItIsRebuilt) {
  const auto member = replica();
  ASSERT_FALSE(
      mysql()
          .query(member,
                 "STOP GROUP_REPLICATION; SET GLOBAL super_read_only = OFF; CREATE DATABASE mine; "
                 "SET GLOBAL super_read_only = ON; SELECT 1")
          .empty());
  ASSERT_TRUE(eventually(seconds(120), [&] { return field("lastOperation.type") == "Rebuild"; }))
      << mysql().state();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(is_one_group());
  EXPECT_EQ(mysql().query(member, "SHOW DATABASES LIKE 'mine'"), "");
  EXPECT_NE(field("lostTransactions[*].savedTo"), "");
}

// --- the operator dies on the way

const std::vector<Course> kOperations{
    {"Bootstrap",
     7,
     {
         "record",  // every member has lost its group
         "step * StopGroup *",
         "record#2",  // who has everything is known
         "step * StartGroup *",
         "record#3",  // it is over
     }},
    {"Switchover",
     5,
     {
         "record",  // ordered
         "step * SetGroupPrimary *",
         "record#2",  // the group has done it
     }},
};

class GroupFaultPoints : public GroupReplication, public testing::WithParamInterface<FaultPoint> {
 protected:
  static Operation operation_of(const std::string& name) {
    if (name == "Switchover") return switchover();
    return {[] {
              ok("delete pods --force --grace-period=0 --wait=false -l unitset.name=mysql-cluster");
            },
            [before = epoch()] { return epoch() > before && field("operation.type").empty(); }};
  }
};

TEST_P(GroupFaultPoints, A06TheNextOperatorBringsItToTheSameEnd) {
  const auto operation = operation_of(GetParam().operation);
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto group = field("groupName");
  ASSERT_TRUE(dies_at(GetParam().at, operation.begin));
  ASSERT_TRUE(eventually(seconds(150), operation.has_ended)) << mysql().state();
  ASSERT_TRUE(settles());
  EXPECT_EQ(field("groupName"), group);
  EXPECT_TRUE(is_one_group());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}
INSTANTIATE_TEST_SUITE_P(Dies, GroupFaultPoints, testing::ValuesIn(tried(kOperations)), name_of);

class GroupPauses : public GroupFaultPoints {};

TEST_P(GroupPauses, A43TwoOperatorsOfWhichOneWakesUpLateBeginOneGroup) {
  const auto operation = operation_of(GetParam().operation);
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto group = field("groupName");
  ASSERT_TRUE(pauses_at(GetParam().at, operation));
  ASSERT_TRUE(settles());
  EXPECT_EQ(field("groupName"), group);
  EXPECT_TRUE(is_one_group());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}
INSTANTIATE_TEST_SUITE_P(Paused, GroupPauses,
                         testing::ValuesIn(all_or({{"Bootstrap", "before step * StartGroup *"}},
                                                  kOperations)),
                         name_of);

}  // namespace
}  // namespace troupe::e2e
