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

enum class Operation { Failover, Switchover };
struct Point {
  Operation operation;
  std::string at;
};

std::vector<Point> tried() {
  const char* wanted = std::getenv("TROUPE_FAULT_POINTS");
  const std::size_t step = wanted && std::string_view(wanted) == "all" ? 1 : 3;
  std::vector<Point> out;
  for (std::size_t i = step - 1; i < kFailover.size(); i += step)
    out.push_back({Operation::Failover, kFailover[i]});
  for (std::size_t i = step - 1; i < kSwitchover.size(); i += step)
    out.push_back({Operation::Switchover, kSwitchover[i]});
  return out;
}

// "FailoverBeforeStepStopReceiver2"
std::string name_of(const testing::TestParamInfo<Point>& info) {
  std::string out = info.param.operation == Operation::Failover ? "Failover" : "Switchover";
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
  static void begin(Operation operation, const std::string& source, const std::string& target) {
    if (operation == Operation::Switchover) {
      ok(
          fmt::format("annotate --overwrite mr mysql-cluster-replication "
                      "troupe.dev/switchover-to={}",
                      target));
      return;
    }
    send_signal(source, SIGKILL);
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
  ASSERT_TRUE(oracle::eventually([&] { return source() != before && mysql().is_whole(); }))
      << mysql().state();
  if (operation == Operation::Switchover) {
    EXPECT_EQ(source(), target);
  }
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}
INSTANTIATE_TEST_SUITE_P(Dies, MysqlFaultPoints, testing::ValuesIn(tried()), name_of);

}  // namespace
}  // namespace troupe::e2e
