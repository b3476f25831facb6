// Acceptance behaviours on real servers, named by their ids in docs/acceptance.md: who reaches
// whom, and who is paused.
#include <fmt/format.h>
#include <signal.h>

#include "tests/e2e/mysql_acceptance.hpp"

namespace troupe::e2e {
namespace {

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
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  send_signal(old, SIGSTOP);
  lose_sight_of(old);
  ASSERT_TRUE(is_replaced(old));
  ASSERT_TRUE(load.flows());
  send_signal(old, SIGCONT);
  EXPECT_FALSE(commits_at(old));
  heal();
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(old));
  EXPECT_TRUE(load.nothing_lost());
}

}  // namespace
}  // namespace troupe::e2e
