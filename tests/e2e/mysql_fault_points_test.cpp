// The operator dies at each step of each operation, just before the step or just after it, or
// pauses there; another one brings it to the same end. On real servers, under load. Those of an
// external source and of groups are with the other tests of these.
#include <fmt/format.h>
#include <signal.h>

#include "tests/e2e/cluster.hpp"
#include "tests/e2e/fault_points.hpp"

namespace troupe::e2e {
namespace {

using oracle::eventually;
using std::chrono::seconds;

const std::vector<Course> kOperations{
    {"Failover",
     3,
     {
         "record",  // nothing is known of it
         "step * StopReceiver *", "step * StopReceiver *#2",
         "record#2",  // one is chosen
         "step * Promote *", "step * Follow *", "step * Open *", "apply Pod *",
         "record#3",  // it is over
     }},
    {"Switchover",
     3,
     {
         "record",  // ordered
         "step * Close *",
         "record#2",  // the old source is closed
         "step * Drain *",
         "record#3",  // the new one has caught up
         "step * Promote *", "step * Follow *", "step * Open *",
         "record#4",  // it is over
     }},
    {"Rebuild",
     3,
     {
         "record",  // it was seen to have what nobody else has
         "step * SaveTransactions *",
         "record#2",  // that is saved
         "step * StopReceiver *",
         "step * Clone *",
         "record#3",  // it is over
         "step * Follow *",
     }},
    {"Grow",
     5,
     {
         "record",    // the new one may acknowledge
         "record#2",  // the source shall wait for more
         "step * Promote *",
         "record#3",  // it does
     }},
    {"Shrink",
     5,
     {
         "record",    // who goes acknowledges no more, and fewer are relied on
         "record#2",  // the source shall wait for fewer
         "step * Promote *",
         "step * StopReceiver *",
         "record#3",  // it has gone
         "release Unit *",
     }},
};

class MysqlFaultPoints : public ClusterTest, public testing::WithParamInterface<FaultPoint> {
 protected:
  // Or the old source is back before an operator has seen its death, and goes on.
  static Operation failover() {
    const auto old = source();
    return {[old] { send_signal(old, SIGKILL); },
            [old, killed = mysql().database_process(old)] {
              const auto process = mysql().database_process(old);
              return source() != old || (process && process != killed);
            }};
  }
  static Operation rebuild() {
    const auto member = replica();
    return {[member] {
              mysql().query(member,
                            "SET GLOBAL super_read_only = OFF; CREATE DATABASE errant_data; "
                            "SET GLOBAL super_read_only = ON");
            },
            [member] {
              return mysql().query(member, "SELECT 'answers'; SHOW DATABASES LIKE 'errant_data'") ==
                     "answers";
            }};
  }
  static Operation becomes(int members, int relied_on) {
    return {[members] { list_members(members); },
            [members, relied_on] {
              return mysql().counted() == static_cast<std::size_t>(members) &&
                     mysql().relied_on() == relied_on;
            }};
  }
  // The fourth member's Unit stays from one test to the next.
  static Operation grow() {
    ok("scale us/mysql-cluster --replicas=4");
    ok("wait --for=jsonpath={.status.phase}=Ready un/mysql-cluster-3 --timeout=180s");
    if (mysql().members().size() == 4) {
      list_members(3);
      EXPECT_TRUE(eventually(becomes(3, 1).has_ended));
    }
    return becomes(4, 2);
  }
  static Operation shrink() {
    const auto before = grow();
    before.begin();
    EXPECT_TRUE(eventually(before.has_ended) && settles());
    return becomes(3, 1);
  }
  static Operation operation_of(const std::string& name) {
    if (name == "Failover") return failover();
    if (name == "Switchover") return switchover();
    if (name == "Rebuild") return rebuild();
    return name == "Grow" ? grow() : shrink();
  }
};

TEST_P(MysqlFaultPoints, A06TheNextOperatorBringsItToTheSameEnd) {
  const auto operation = operation_of(GetParam().operation);
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ASSERT_TRUE(dies_at(GetParam().at, operation.begin));
  ASSERT_TRUE(eventually([&] { return operation.has_ended() && mysql().is_whole(); }))
      << mysql().state();
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}
INSTANTIATE_TEST_SUITE_P(Dies, MysqlFaultPoints, testing::ValuesIn(tried(kOperations)), name_of);

class MysqlPauses : public MysqlFaultPoints {};

TEST_P(MysqlPauses, A06AnotherOperatorBringsItToItsEndAndTheOneThatWakesUpChangesNothing) {
  const auto operation = operation_of(GetParam().operation);
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ASSERT_TRUE(pauses_at(GetParam().at, operation));
  ASSERT_TRUE(settles());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}
INSTANTIATE_TEST_SUITE_P(Paused, MysqlPauses,
                         testing::ValuesIn(all_or({{"Failover", "before step * Promote *"},
                                                   {"Switchover", "before step * Open *"}},
                                                  kOperations)),
                         name_of);

const std::vector<std::string> kForm{
    "claim Unit *",
    "record",  // all are there
    "step * Follow *", "step * Promote *", "step * Open *",
    "record#2",  // it is over
};

class MysqlFormation : public ClusterTest, public testing::WithParamInterface<FaultPoint> {};

TEST_P(MysqlFormation, A06TheNextOperatorMakesTheSameTopology) {
  delete_topology();
  ASSERT_TRUE(dies_at(GetParam().at,
                      [] { ok("apply -f " + sample("samples/mysql/cluster.yaml").string()); }));
  ASSERT_TRUE(settles("mysql-cluster-0"));
  ASSERT_TRUE(eventually([] { return mysql().is_whole(); })) << mysql().state();
  EXPECT_EQ(epoch(), 1);
  const auto problem = mysql().make_writer_account();
  ASSERT_FALSE(problem) << *problem;
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}
INSTANTIATE_TEST_SUITE_P(Dies, MysqlFormation, testing::ValuesIn(tried({{"Form", 5, kForm}})),
                         name_of);

}  // namespace
}  // namespace troupe::e2e
