// What /readyz and /healthz say of an operator whose API server goes and comes, and of a standby.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/unit/actors/operator/operator_fixture.hpp"

namespace troupe::actors {
namespace {

using namespace std::chrono_literals;
using support::eventually;
using testing::HasSubstr;

class OperatorReadiness : public OperatorTest {
 protected:
  std::unique_ptr<Operator> start(bool leader_elect = false) const {
    auto with = options();
    with.leader_elect = leader_elect;
    with.watch_patience = 300ms;
    return OperatorTest::start(std::move(with));
  }
  static bool is_ready(const Operator& one) { return ask(one, "/readyz").result_int() == 200; }
};

TEST_F(OperatorReadiness, NamesItsChecks) {
  const auto one = start();
  ASSERT_TRUE(eventually([&] { return is_ready(*one); })) << ask(*one, "/readyz").body();
  EXPECT_EQ(ask(*one, "/readyz").body(), "ok\n");
  EXPECT_EQ(ask(*one, "/readyz?verbose").body(),
            "[+]caches ok\n[+]watch-streams ok\n[+]authority ok\nreadyz check passed\n");
}

TEST_F(OperatorReadiness, WithoutTheApiServerItIsAliveAndNotReadyUntilThatIsBack) {
  const auto one = start();
  ASSERT_TRUE(eventually([&] { return is_ready(*one); })) << ask(*one, "/readyz").body();
  api_.go_away();
  ASSERT_TRUE(eventually([&] { return !is_ready(*one); }));
  const auto cut_off = ask(*one, "/readyz");
  EXPECT_EQ(cut_off.result_int(), 503u);
  EXPECT_THAT(cut_off.body(), HasSubstr("[+]caches ok\n[-]watch-streams failed: "));
  EXPECT_THAT(cut_off.body(), HasSubstr("are without a connection"));
  EXPECT_EQ(ask(*one, "/healthz").body(), "ok\n");
  api_.go_on();
  EXPECT_TRUE(eventually([&] { return is_ready(*one); })) << ask(*one, "/readyz").body();
}

TEST_F(OperatorReadiness, IsNotReadyBeforeAllIsListed) {
  api_.go_away();
  const auto one = start();
  ASSERT_TRUE(eventually([&] {
    return ask(*one, "/readyz").body().find("[-]watch-streams failed: ") != std::string::npos;
  })) << ask(*one, "/readyz").body();
  EXPECT_THAT(ask(*one, "/readyz").body(), HasSubstr("[-]caches failed: "));
  EXPECT_EQ(ask(*one, "/healthz").result_int(), 200u);
  api_.go_on();
  EXPECT_TRUE(eventually([&] { return is_ready(*one); })) << ask(*one, "/readyz").body();
}

TEST_F(OperatorReadiness, AStandbyIsReady) {
  const auto leader = start(true);
  ASSERT_TRUE(eventually([&] { return is_ready(*leader); })) << ask(*leader, "/readyz").body();
  const auto standby = start(true);
  EXPECT_TRUE(eventually([&] { return is_ready(*standby); })) << ask(*standby, "/readyz").body();
  EXPECT_THAT(std::string(ask(*standby, "/metrics").body()),
              HasSubstr("leader_election_master_status{name=\"troupe-operator\"} 0"));
}

}  // namespace
}  // namespace troupe::actors
