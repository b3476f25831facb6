// The operator dies at each step of each operation, just before the step or just after it; the next
// one brings it to the same end. On real servers, under load.
//
// A run takes ten seconds, so CI has every third point; TROUPE_FAULT_POINTS=all has them all.
#include <fmt/format.h>
#include <signal.h>

#include <cctype>
#include <cstdlib>

#include "tests/e2e/cluster.hpp"

namespace troupe::e2e {
namespace {

using std::chrono::seconds;

constexpr seconds kToReach(60);

const std::vector<std::string> kFailover{
    "before record",  // nothing is known of it
    "after record",   // recorded, nothing done
    "before step * StopReceiver *",
    "after step * StopReceiver *",
    "after step * StopReceiver *#2",
    "before record#2",  // one is chosen
    "after record#2",
    "before step * Promote *",
    "after step * Promote *",
    "before step * Follow *",
    "after step * Follow *",
    "before step * Open *",
    "after step * Open *",
    "before apply Pod *",
    "after apply Pod *",
    "before record#3",  // it is over
    "after record#3",
};
const std::vector<std::string> kSwitchover{
    "before record",  // ordered
    "after record",           "before step * Close *",   "after step * Close *",
    "before record#2",  // the old source is closed
    "after record#2",         "before step * Drain *",   "after step * Drain *",
    "before record#3",  // the new one has caught up
    "after record#3",         "before step * Promote *", "after step * Promote *",
    "before step * Follow *", "after step * Follow *",   "before step * Open *",
    "after step * Open *",
    "before record#4",  // it is over
    "after record#4",
};

const std::vector<std::string> kRebuild{
    "before record",  // it was seen to have what nobody else has
    "after record",
    "before step * SaveTransactions *",
    "after step * SaveTransactions *",
    "before record#2",  // that is saved
    "after record#2",
    "before step * StopReceiver *",
    "after step * StopReceiver *",
    "before step * Clone *",
    "after step * Clone *",
    "before record#3",  // it is over
    "after record#3",
    "before step * Follow *",
    "after step * Follow *",
};

enum class Operation { Failover, Switchover, Rebuild };
struct Point {
  Operation operation;
  std::string at;
};

std::vector<Point> tried() {
  const char* wanted = std::getenv("TROUPE_FAULT_POINTS");
  const std::size_t step = wanted && std::string_view(wanted) == "all" ? 1 : 3;
  std::vector<Point> out;
  const auto add = [&](Operation operation, const std::vector<std::string>& points) {
    for (std::size_t i = step - 1; i < points.size(); i += step)
      out.push_back({operation, points[i]});
  };
  add(Operation::Failover, kFailover);
  add(Operation::Switchover, kSwitchover);
  add(Operation::Rebuild, kRebuild);
  return out;
}

// "FailoverBeforeStepStopReceiver2"
std::string name_of(const testing::TestParamInfo<Point>& info) {
  static constexpr const char* kNames[] = {"Failover", "Switchover", "Rebuild"};
  std::string out = kNames[static_cast<int>(info.param.operation)];
  bool begins = true;
  for (const char c : info.param.at) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter)) out += begins ? static_cast<char>(std::toupper(letter)) : c;
    begins = !std::isalnum(letter);
  }
  return out;
}

class MysqlFaultPoints : public ClusterTest, public testing::WithParamInterface<Point> {
 protected:
  static void begin(Operation operation, const std::string& source, const std::string& replica) {
    switch (operation) {
      case Operation::Failover:
        return send_signal(source, SIGKILL);
      case Operation::Switchover:
        EXPECT_EQ(mysql().annotate("troupe.dev/switchover-to=" + replica).status, 0);
        return;
      case Operation::Rebuild:
        mysql().query(replica,
                      "SET GLOBAL super_read_only = OFF; CREATE DATABASE errant_data; "
                      "SET GLOBAL super_read_only = ON");
    }
  }
  static bool has_ended(Operation operation, const std::string& source,
                        const std::string& replica) {
    switch (operation) {
      case Operation::Failover:
        return mysql().source() != source;
      case Operation::Switchover:
        return mysql().source() == replica;
      case Operation::Rebuild:
        return mysql().query(replica, "SELECT 'answers'; SHOW DATABASES LIKE 'errant_data'") ==
               "answers";
    }
    return false;
  }
};

TEST_P(MysqlFaultPoints, TheNextOperatorBringsItToTheSameEnd) {
  const auto& [operation, at] = GetParam();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto before = source(), target = replica();
  cluster().kill_operator();
  cluster().start_operator({.die_at = at});
  begin(operation, before, target);
  ASSERT_TRUE(cluster().operator_ends(kToReach)) << "it never came to \"" << at << '"';
  cluster().start_operator();
  ASSERT_TRUE(oracle::eventually([&, operation = operation] {
    return has_ended(operation, before, target) && mysql().is_whole();
  })) << mysql().state();
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}
INSTANTIATE_TEST_SUITE_P(Dies, MysqlFaultPoints, testing::ValuesIn(tried()), name_of);

}  // namespace
}  // namespace troupe::e2e
