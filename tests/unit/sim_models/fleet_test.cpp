// What the simulations' servers do under faults: a model that is too kind to its engine finds no
// bug of it.
#include "tests/sim/mysql/fleet.hpp"

#include <gtest/gtest.h>

namespace troupe::mysql_topology::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// db-0 takes writes, and each waits for db-1 or db-2.
class FleetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const int replica : {1, 2})
      ASSERT_FALSE(
          order(replica, {.verb = Verb::Follow, .peer = "db-0", .semi_sync = true}).failed);
    for (const auto verb : {Verb::Promote, Verb::Open})
      ASSERT_FALSE(order(0, {.verb = verb, .acks = 1, .semi_sync = true}).failed);
  }

  Reply order(int member, Command command) {
    command.member = fleet_[member].name;
    command.epoch.value = std::max<std::uint64_t>(command.epoch.value, 1);
    std::optional<Reply> answer;
    fleet_.command(member, {.command = command,
                            .deadline = timeline_.now() + seconds(5),
                            .answer = [&answer](const Reply& reply) { answer = reply; }});
    while (!answer && timeline_.step()) {
    }
    return answer.value_or(Reply{.failed = Error{Code::Timeout, "the simulation has ended"}});
  }

  // Clients write all the time meanwhile.
  void pass(Duration time) {
    const auto end = timeline_.now() + time;
    for (auto next = timeline_.now(); timeline_.now() < end && timeline_.step();)
      if (timeline_.now() >= next) {
        fleet_.write_somewhere();
        next = timeline_.now() + milliseconds(5);
      }
  }

  // How many writes clients are told of in so much time.
  std::size_t acknowledged_in(Duration time) {
    const auto before = fleet_.acknowledged_writes();
    pass(time);
    return fleet_.acknowledged_writes() - before;
  }

  Timeline timeline_{1, false};
  Fleet fleet_{timeline_, Rules(), 3};
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
