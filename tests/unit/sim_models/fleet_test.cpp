// What the simulations' servers do under faults: a model that is too kind to its engine finds no
// bug of it.
#include "tests/unit/sim_models/model_test.hpp"

namespace troupe::mysql_topology::sim {
namespace {

// db-0 takes writes, and each waits for db-1 or db-2.
class FleetTest : public ModelTest {
 protected:
  void SetUp() override {
    for (const int replica : {1, 2})
      ASSERT_FALSE(
          order(replica, {.verb = Verb::Follow, .peer = "db-0", .semi_sync = true}).failed);
    for (const auto verb : {Verb::Promote, Verb::Open})
      ASSERT_FALSE(order(0, {.verb = verb, .acks = 1, .semi_sync = true}).failed);
  }
};

TEST_F(FleetTest, OneReplicaIsEnough) {
  fleet_.part(0, 1, Cut::Both);
  pass(seconds(1));
  EXPECT_GT(acknowledged_in(seconds(1)), 0u);
}

TEST_F(FleetTest, ReplicasThatAreNotHeardReceiveForAWhileAndAcknowledgeNothing) {
  pass(seconds(1));
  const auto had = fleet_[1].received.count();
  for (const int replica : {1, 2}) fleet_.part(0, replica, Cut::Back);
  pass(milliseconds(100));  // for what is on its way
  EXPECT_EQ(acknowledged_in(seconds(5)), 0u);
  EXPECT_GT(fleet_[1].received.count(), had);
  EXPECT_TRUE(fleet_[1].connected);
  const auto has = fleet_[1].received.count();
  pass(seconds(1));
  EXPECT_EQ(fleet_[1].received.count(), has) << "its source has heard nothing of what it sent";
  fleet_.reconnect(0, 1);
  EXPECT_GT(acknowledged_in(seconds(1)), 0u);
}

TEST_F(FleetTest, ReplicasThatHearNothingAreNotConnected) {
  for (const int replica : {1, 2}) fleet_.part(0, replica, Cut::There);
  pass(milliseconds(100));
  EXPECT_EQ(acknowledged_in(seconds(2)), 0u);
  EXPECT_FALSE(fleet_[1].connected);
}

TEST_F(FleetTest, AConnectionNeedsBothDirectionsToBeMade) {
  fleet_.part(0, 1, Cut::Both);
  pass(milliseconds(100));
  fleet_.reconnect(0, 1);
  fleet_.part(0, 1, Cut::Back);
  pass(seconds(1));
  EXPECT_FALSE(fleet_[1].connected);
}

TEST_F(FleetTest, WithFullDisksReplicasAcknowledgeNothingUntilThereIsRoom) {
  for (const int replica : {1, 2}) fleet_.fill_disk(replica);
  pass(milliseconds(100));
  EXPECT_EQ(acknowledged_in(seconds(2)), 0u);
  fleet_.free_disk(2);
  EXPECT_GT(acknowledged_in(seconds(1)), 0u);
}

TEST_F(FleetTest, WithAFullDiskASourceTakesNoWrites) {
  fleet_.fill_disk(0);
  const auto had = fleet_[0].binlog.size();
  pass(seconds(1));
  EXPECT_EQ(fleet_[0].binlog.size(), had);
}

TEST_F(FleetTest, WithAFullDiskAnAgentTakesNoEpoch) {
  fleet_.fill_disk(0);
  EXPECT_TRUE(order(0, {.verb = Verb::Close, .epoch = {2}}).failed);
  EXPECT_EQ(fleet_[0].epoch, Epoch{1});
}

TEST_F(FleetTest, WithAFullDiskAServerDoesNotStart) {
  fleet_.fill_disk(1);
  fleet_.kill(1, milliseconds(50));
  pass(seconds(1));
  EXPECT_FALSE(fleet_[1].running);
  fleet_.free_disk(1);
  pass(seconds(1));
  EXPECT_TRUE(fleet_[1].running);
}

}  // namespace
}  // namespace troupe::mysql_topology::sim
