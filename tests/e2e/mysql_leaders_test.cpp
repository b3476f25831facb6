// Two operators beside each other, of which one acts.
#include <signal.h>

#include "tests/e2e/mysql_acceptance.hpp"

namespace troupe::e2e {
namespace {

class MysqlLeaders : public MysqlAcceptance {};

TEST_F(MysqlLeaders, A13ALeaderThatWasPausedWhileAnotherFailedOverChangesNothingWhenItWakes) {
  cluster().kill_operator();
  cluster().start_operator({.elected = true});
  ASSERT_TRUE(settles());
  const auto first = leader();
  ASSERT_NE(first, "");
  cluster().start_operator({.elected = true, .replica = kSecondOperator});
  auto load = Load::to_each_member(mysql());
  ASSERT_TRUE(load.flows());

  const auto old = source();
  cluster().signal_operator(kFirstOperator, SIGSTOP);
  lose_volume(old);  // a server that is only killed is back before anybody leads
  ASSERT_TRUE(is_replaced(old, seconds(90)));
  EXPECT_NE(leader(), first);
  ASSERT_TRUE(settles());
  const auto after = epoch();
  cluster().signal_operator(kFirstOperator, SIGCONT);
  EXPECT_TRUE(stays(after, seconds(20)));
  EXPECT_NE(leader(), first);
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());

  cluster().kill_operator(kSecondOperator);
  cluster().kill_operator();
  cluster().start_operator();
  ASSERT_TRUE(settles());
}

}  // namespace
}  // namespace troupe::e2e
