// A topology whose data come from a server outside: it is made, loses one or the other source, and
// goes on alone. Ids are those of docs/acceptance.md.
#include <gtest/gtest.h>

#include "tests/sim/acceptance/story.hpp"

namespace troupe::mysql_topology::sim {
namespace {

TEST(A31, ANewTopologyIsClonedFromOutsideFollowsClosedAndPassesItsWritesOn) {
  for_each_seed([](Story& s) {
    const int outside = s.is_fed();
    const auto before = s.fleet[outside].executed;
    s.forms();
    s.expect("the source follows outside", [&] { return s.follows_outside(s.source()); });
    s.expect("it was cloned", [&] { return s.fleet[s.source()].purged.contains(before); });
    s.outside_is_passed_on();
    s.always(
        "it is fed", [&] { return s.follows_outside(s.source()); }, seconds(10));
    s.no_write_is_acknowledged({});
    s.ends_well();
  });
}

TEST(A31, AnOperatorThatDiesAtEachStepGetsThereAllTheSame) {
  for_each_seed([](Story& s) {
    s.is_fed();
    s.kill_operator_at_each_step();
    s.forms();
    s.outside_is_passed_on();
    s.ends_well();
  });
}

TEST(A31, ATopologyThatHasItsOwnWritesGoesOnAndSaysWhatIsMissingOutside) {
  for_each_seed([](Story& s) {
    s.is_fed();
    s.object.external.clear();
    s.forms();
    s.writes_flow();
    s.object.external = "donor";
    s.op.wake();
    s.expect("it says so", [&] { return !s.guard("ExternalLacksTransactions").empty(); });
    s.writes_flow(seconds(2));
    s.expect("it is on its own", [&] { return s.object.record.external.empty(); });
    s.ends_well();
  });
}

TEST(A32, AServerOutsideThatRestartsIsFollowedAgainByWhoFollowedIt) {
  for_each_seed([](Story& s) {
    const int outside = s.is_fed();
    s.forms();
    const int first = s.source();
    const auto epoch = s.object.record.epoch;
    s.fleet.kill(outside, s.timeline.chance.between(milliseconds(100), seconds(20)));
    s.expect("it is missed", [&] { return !s.follows_outside(first); });
    s.expect("it is followed", [&] { return s.follows_outside(first); });
    s.outside_is_passed_on();
    s.expect("no role has moved",
             [&] { return s.source() == first && s.object.record.epoch == epoch; });
    s.ends_well();
  });
}

TEST(A32, ASourceThatIsKilledIsReplacedByAReplicaThatFollowsOn) {
  for_each_seed([](Story& s) {
    s.is_fed();
    s.forms();
    const int old = s.source();
    s.fleet.kill(old, seconds(1));
    s.expect("another follows outside",
             [&] { return s.source() != old && s.follows_outside(s.source()); });
    s.outside_is_passed_on();
    s.ends_well();
    s.expect("the old one is a replica", [&] { return s.role(old) == Role::Replica; });
  });
}

// Nobody opens what lost both.
TEST(A32, WithoutTheServerOutsideAReplicaTakesOverAndStaysClosed) {
  for_each_seed([](Story& s) {
    const int outside = s.is_fed();
    s.forms();
    const int old = s.source();
    s.fleet.kill(outside, seconds(30));
    s.fleet.kill(old, minutes(10));
    s.expect("another source", [&] { return s.source() != old && !s.object.record.operation; });
    s.no_write_is_acknowledged(seconds(10));
    s.outside_is_passed_on();
    s.ends_well();
  });
}

// Of which it has more than any replica: nobody goes back behind that.
TEST(A32, ASourceThatTheOperatorMissesGoesOnAndIsNoReasonToOpenAnybody) {
  for_each_seed([](Story& s) {
    s.is_fed();
    s.forms();
    const int old = s.source();
    s.part({old}, {s.replica(), s.other_replica()});
    s.operator_misses({old});
    s.expect("another follows outside",
             [&] { return s.source() != old && s.follows_outside(s.source()); });
    s.pass(seconds(5));
    s.heals();
    s.outside_is_passed_on();
    s.ends_well();
  });
}

// Held by a lock, as it were, so that there is something to drain.
void leave_with_relay_logs(Story& s) {
  const int outside = s.is_fed();
  s.forms();
  const int first = s.source();
  s.fleet[first].applier_held = true;
  s.outside_goes_on();
  s.leaves_outside();
  s.expect("it receives no more", [&] { return !s.fleet[first].receiver; });
  const auto received = unite(s.fleet[first].executed, s.fleet[first].received);
  s.outside_goes_on();
  s.always(
      "it is not open before it has applied all", [&] { return !s.is_open(first); }, seconds(5));
  s.fleet[first].applier_held = false;
  s.expect("it is open", [&] { return s.is_open(first) && s.fleet[first].waits; });
  s.expect("it has all that it received and nothing more", [&] {
    const auto uuid = uuid_of(s.fleet[outside].identity);
    return s.fleet[first].executed.of(uuid) == received.of(uuid);
  });
  s.writes_flow();
  s.ends_well();
  s.expect("nothing more has come", [&] {
    const auto uuid = uuid_of(s.fleet[outside].identity);
    return s.fleet[s.source()].executed.of(uuid) == received.of(uuid);
  });
}

// The source has received what it has not applied, and none of its replicas has any of that.
void leave_with_all_replicas_behind(Story& s) {
  s.is_fed();
  s.forms();
  const int first = s.source(), one = s.replica(), other = s.other_replica();
  s.fleet[first].applier_held = true;
  s.part({first}, {one, other});
  s.pass(seconds(3));
  s.leaves_outside();
  s.pass(seconds(1));
  s.fleet[first].applier_held = false;
  s.always(
      "nobody is open", [&] { return !s.is_open(first); }, seconds(3));
  s.fleet.reconnect(first, one);
  s.expect("it is open", [&] { return s.is_open(first); });
  s.fleet.kill(first, seconds(1));
  s.expect("another source is open", [&] { return s.source() != first && s.is_open(s.source()); });
  s.writes_flow();
  s.ends_well();
}

TEST(A33, ASourceThatLeavesIsNotOpenedBeforeWhoeverTakesOverHasAllOfIt) {
  for_each_seed(leave_with_all_replicas_behind);
}

TEST(A33, ASourceThatIsKilledWhileItLeavesIsReplacedByOneThatLeavesInItsPlace) {
  for_each_seed([](Story& s) {
    s.is_fed();
    s.forms();
    const int first = s.source();
    s.fleet[first].applier_held = true;
    s.outside_goes_on();
    s.leaves_outside();
    s.expect("it receives no more", [&] { return !s.fleet[first].receiver; });
    s.fleet.kill(first, minutes(10));
    s.expect("another source is open",
             [&] { return s.source() != first && s.is_open(s.source()); });
    s.fleet[first].applier_held = false;
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A33, AnOperatorThatDiesAtEachStepGetsThereAllTheSame) {
  for_each_seed([](Story& s) {
    s.is_fed();
    s.forms();
    s.kill_operator_at_each_step();
    s.leaves_outside();
    s.writes_flow();
    s.ends_well();
    s.expect("once", [&] { return s.ended(OperationType::Detach) == 1; });
  });
}

TEST(A33, AnAnnotationThatIsBackBeforeAnythingIsOpenedChangesNothing) {
  for_each_seed([](Story& s) {
    s.is_fed();
    s.forms();
    s.fleet[s.source()].applier_held = true;
    s.outside_goes_on();
    s.leaves_outside();
    s.expect("it receives no more", [&] { return !s.fleet[s.source()].receiver; });
    s.object.external = "donor";
    s.op.wake();
    s.fleet[s.source()].applier_held = false;
    s.outside_is_passed_on();
    s.no_write_is_acknowledged(seconds(5));
    s.ends_well();
  });
}

// What the stories find is what they look for.
TEST(ExternalSourceMutants, AreFound) {
  const auto formed = [](Story& s) {
    s.is_fed();
    s.forms();
    s.outside_is_passed_on();
  };
  expect_caught(formed, &opens_who_is_fed, "OneCanAcknowledge");
  for (const auto engine : {&leaves_before_it_is_drained, &leaves_before_replicas_have_all})
    expect_caught(leave_with_all_replicas_behind, engine, "NoAcknowledgedWriteIsLost");
}

TEST(A33, ASourceThatLeavesAppliesAllThatItReceivedAndIsOpenedOnce) {
  for_each_seed(leave_with_relay_logs);
}

}  // namespace
}  // namespace troupe::mysql_topology::sim
