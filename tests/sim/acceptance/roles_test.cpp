// Who has the role of the source: a topology is made, sources are lost, ordered elsewhere, or stop.
// Ids are those of docs/acceptance.md.
#include <gtest/gtest.h>

#include "tests/sim/acceptance/story.hpp"

namespace troupe::mysql_topology::sim {
namespace {

TEST(A01, ANewTopologyOpensOneMemberOnceAReplicaAcknowledges) {
  for_each_seed([](Story& s) {
    s.begins();
    int opened = 0;
    bool waited = true;
    std::vector<bool> open(3);
    s.expect("the topology forms", [&] {
      for (int i = 0; i < 3; ++i) {
        if (s.is_open(i) && !open[static_cast<std::size_t>(i)]) {
          ++opened;
          waited = waited && s.fleet[i].waits && s.fleet[i].acks == 1 && s.fleet.attached(i) >= 1;
        }
        open[static_cast<std::size_t>(i)] = s.is_open(i);
      }
      return s.ready();
    });
    s.expect("one was opened, with a replica attached", [&] { return opened == 1 && waited; });
    s.ends_well();
  });
}

TEST(A02, AKilledSourceIsReplacedAtOnceAndComesBackAsAReplica) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    s.fleet.kill(old, seconds(1));
    s.expect(
        "another source", [&] { return s.source() != old; }, seconds(3));
    s.writes_flow(seconds(3));
    s.ends_well();
    s.expect("the old one is a replica", [&] { return s.role(old) == Role::Replica; });
  });
}

constexpr auto kReachedAsBefore = "everybody is reached as before";

void the_operator_is_restarted(Story& s) {
  s.forms();
  s.expect("everybody is reached", [&] { return s.all_are_in_place(); });
  s.op.die();
  s.pass(seconds(2));
  s.op.start();
  s.always(
      kReachedAsBefore, [&] { return s.all_are_in_place(); }, seconds(20));
}

TEST(Readers, LoseNoServerBecauseTheOperatorIsRestarted) {
  for_each_seed(the_operator_is_restarted);
  for_each_seed_of_a_group(the_operator_is_restarted);
}

TEST(Readers, WouldLoseThemWhereNothingKnownWereTakenForNothingThere) {
  const Engine forgets = [](const Topology& t, TimePoint now) {
    auto plan = decide(t, now);
    for (const auto* m : t.voters()) plan.roles.emplace(m->name, Role::None);
    return plan;
  };
  expect_caught(the_operator_is_restarted, forgets, kReachedAsBefore);
}

TEST(A03, ASourceWhosePodIsDeletedHandsItsRoleOverAndNothingIsLostToAFailover) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    s.object.departing.insert(old);
    s.op.wake();
    s.expect(
        "another source", [&] { return s.source() != old; }, seconds(10));
    s.writes_flow(seconds(10));
    s.fleet.delete_pod(old, seconds(2));
    s.object.departing.clear();
    s.ends_well();
    s.expect("one switchover and no failover", [&] {
      return s.ended(OperationType::Switchover) == 1 && s.ended(OperationType::Failover) == 0;
    });
  });
}

// Killed while clients wait for acknowledgements: what they were not told may survive at the old
// source alone, and nobody gets to see it.
TEST(A04, ACommitThatWaitedWhenItsSourceDiedIsEverywhereOrNowhere) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    s.part({old}, {s.replica(), s.other_replica()});
    s.expect("commits wait", [&] { return s.fleet[old].hangs(); });
    s.fleet.kill(old, milliseconds(500));
    s.heals();
    s.expect("another source", [&] { return s.source() != old; });
    s.ends_well();
  });
}

// What cannot be closed goes on being the source, and is not taken for dead.
TEST(A05, ASwitchoverThatCannotCloseTheSourceIsTakenBackAndIsNoFailover) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    for (const int i : {s.replica(), s.other_replica()}) s.fleet[i].acks_lost = true;
    s.pass(milliseconds(500));
    s.expect("commits wait", [&] { return s.fleet[old].hangs(); });
    s.orders(s.replica());
    s.expect("the order is given up", [&] {
      return s.object.record.last && s.object.record.last->undone && !s.object.record.operation;
    });
    s.expect("the source stays",
             [&] { return s.source() == old && s.ended(OperationType::Failover) == 0; });
    s.writes_flow();
    s.object.order.clear();
    s.ends_well();
  });
}

TEST(A06, AnOperatorThatDiesAtEachStepOfAFailoverFinishesIt) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    s.kill_operator_at_each_step();
    s.fleet.kill(old, seconds(1));
    s.expect("another source", [&] { return s.source() != old; });
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A06, AnOperatorThatDiesAtEachStepOfASwitchoverFinishesIt) {
  for_each_seed([](Story& s) {
    s.forms();
    const int heir = s.replica();
    s.kill_operator_at_each_step();
    s.orders(heir);
    s.expect("the order is obeyed",
             [&] { return s.source() == heir && !s.object.record.operation; });
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A06, AnOperatorThatDiesAtEachStepOfARebuildFinishesIt) {
  for_each_seed([](Story& s) {
    s.forms();
    s.kill_operator_at_each_step();
    s.fleet.write_by_hand(s.replica());
    s.expect("it is rebuilt", [&] { return s.ended(OperationType::Rebuild) == 1; });
    s.ends_well();
  });
}

TEST(A13, ALeaderThatWasPausedWhileAnotherFailedOverChangesNothingWhenItWakes) {
  for_each_seed([](Story& s) {
    s.forms();
    const auto read = s.object.record;
    const int old = s.source();
    s.fleet.kill(old, seconds(1));
    s.expect("another source", [&] { return s.source() != old && s.ready(); });
    const int now = s.source();
    s.deposed.start_deposed(read);
    s.always(
        "the new source stays open", [&] { return s.source() == now && s.is_open(now); },
        seconds(10));
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A17, ANewSourceThatDiesAtOnceIsReplacedToo) {
  for_each_seed([](Story& s) {
    s.forms();
    const int first = s.source();
    s.fleet.kill(first, milliseconds(300));
    s.expect("a second source is open",
             [&] { return s.source() != first && s.is_open(s.source()); });
    const int second = s.source();
    s.fleet.kill(second, milliseconds(300));
    s.expect("a third time somebody is open",
             [&] { return s.is_open(s.source()) && s.object.record.epoch > Epoch{2}; });
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A49, WithoutTheApiServerNobodyChangesRolesAndClientsGoOn) {
  for_each_seed(
      [](Story& s) {
        s.forms();
        const int source = s.source();
        const auto epoch = s.object.record.epoch;
        s.op.faults.reaches_api = false;
        const auto until = s.timeline.now() + minutes(4);
        s.writes_flow_until(
            "a while has passed", [&] { return s.timeline.now() >= until; }, seconds(2));
        s.fleet.kill(source, minutes(10));
        s.always(
            "nobody takes over",
            [&] { return !s.is_open(s.replica()) && !s.is_open(s.other_replica()); }, minutes(1));
        s.expect("no role has moved",
                 [&] { return s.source() == source && s.object.record.epoch == epoch; });
        s.op.faults.reaches_api = true;
        s.writes_flow();
        s.expect("another source", [&] { return s.source() != source; });
        s.ends_well();
      },
      3, 5);
}

// The clocks of people differ between machines and jump; nothing is decided by them.
TEST(A50, WallClocksThatJumpChangeNoDecision) {
  const auto story_with = [](const char* wall_later) {
    auto s = std::make_unique<Story>(7, true, 3);
    s->forms();
    const int old = s->source();
    s->object.wall = wall_later;
    s->fleet.kill(old, seconds(1));
    s->expect("another source", [&] { return s->source() != old; });
    s->ends_well();
    EXPECT_EQ(s->failure(), std::nullopt);
    return s->told();
  };
  const auto right = story_with("2026-01-31T12:00:05Z");
  EXPECT_EQ(story_with("2026-01-31T12:05:00Z"), right);
  EXPECT_EQ(story_with("2026-01-31T11:55:00Z"), right);
}

// The hardest case of split brain.
TEST(A51, ASourceThatWasPausedAcknowledgesNothingWhenItWakesAfterAFailover) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    s.op.cut(old, s.timeline.chance.percent(50));  // who does not hear it cannot kill it
    s.fleet.pause(old, true);
    s.expect("another source", [&] { return s.source() != old && s.is_open(s.source()); });
    s.writes_flow();
    s.pass(minutes(5));
    if (s.fleet[old].paused) s.fleet.pause(old, false);
    s.pass(seconds(5));
    s.ends_well();
  });
}

}  // namespace
}  // namespace troupe::mysql_topology::sim
