// Group replication: the servers agree among themselves, and labels, Services and the record follow
// what a majority of them says. Ids are those of docs/acceptance.md.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/acceptance/story.hpp"

namespace troupe::mysql_topology::sim {
namespace {

using mysql::GroupState;

// In a group, and ONLINE there by its own word.
bool is_online(const Story& s, int member) {
  const auto& m = s.fleet[member];
  return m.running && m.seat && m.seat->state == GroupState::Online;
}

bool serves(const Story& s, int member) {
  return s.fleet[member].running && !s.fleet[member].offline;
}

// The record and the roles are what every member says.
bool labels_follow(const Story& s) {
  const int primary = s.source();
  for (int i = 0; i < s.fleet.size(); ++i) {
    const auto expected = i == primary ? Role::Source : Role::Replica;
    if (!is_online(s, i) || s.fleet[i].seat->primary != primary || s.role(i) != expected)
      return false;
  }
  return true;
}

bool is_at(const Story& s, Step step) {
  const auto& op = s.object.record.operation;
  return op && op->type == OperationType::Bootstrap && op->step == step;
}

bool nobody_is_in_a_group(const Story& s) {
  for (int i = 0; i < s.fleet.size(); ++i)
    if (s.fleet[i].running && s.fleet[i].seat) return false;
  return true;
}

void kill_all(Story& s) {
  for (int i = 0; i < s.fleet.size(); ++i)
    s.fleet.kill(i, s.timeline.chance.between(milliseconds(500), seconds(5)));
}

int begun(const Story& s) { return s.ended(OperationType::Bootstrap); }

// --- a majority

TEST(A43, AGroupFormsOnceAndItsLabelsFollowIt) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    s.expect("labels follow", [&] { return labels_follow(s); });
    s.expect("one group was begun", [&] { return begun(s) == 1; });
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A43, AKilledPrimaryIsReplacedByTheGroupAndLabelsFollow) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int old = s.source();
    const auto epoch = s.object.record.epoch;
    s.fleet.kill(old, seconds(1));
    s.expect("another source on record", [&] { return s.source() != old; });
    s.expect("in an epoch of its own", [&] { return s.object.record.epoch > epoch; });
    s.writes_flow();
    s.expect("the old one is a secondary", [&] { return labels_follow(s); });
    s.expect("no group was begun for that", [&] { return begun(s) == 1; });
    s.ends_well();
  });
}

TEST(A43, AnOrderMakesAnotherMemberThePrimaryAndNoWriteIsLost) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int heir = s.replica();
    s.orders(heir);
    s.expect("the order is obeyed",
             [&] { return s.source() == heir && !s.object.record.operation; });
    s.expect("it was no failover", [&] { return s.ended(OperationType::Switchover) == 1; });
    s.writes_flow();
    s.expect("labels follow", [&] { return labels_follow(s); });
    s.ends_well();
  });
}

// The group does it without us.
TEST(A43, AGroupElectsWhileTheOperatorIsAway) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int old = s.source();
    s.op.die();
    s.fleet.kill(old, minutes(2));
    s.writes_flow();
    s.op.start();
    s.expect("the record follows", [&] { return s.source() != old && s.is_open(s.source()); });
    s.ends_well();
  });
}

// --- a minority

TEST(A43, APrimaryCutOffFromTheOthersStopsServingAndComesBack) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int old = s.source();
    s.part({old}, {s.replica(), s.other_replica()});
    s.expect(
        "another source", [&] { return s.source() != old; }, seconds(30));
    s.expect(
        "the old one serves nobody", [&] { return !serves(s, old) && !s.is_open(old); },
        seconds(30));
    s.always(
        "it has no role and stays out",
        [&] { return s.role(old) == Role::None && !serves(s, old) && s.source() != old; },
        seconds(20));
    s.writes_flow();
    s.heals();
    s.expect("it is a secondary", [&] { return labels_follow(s); });
    s.expect("nothing was rebuilt or begun for that",
             [&] { return s.ended(OperationType::Rebuild) == 0 && begun(s) == 1; });
    s.ends_well();
  });
}

TEST(A43, OfFiveMembersTwoThatAreCutOffStopServingAlsoIfOneOfThemIsThePrimary) {
  for_each_seed_of_a_group(
      [](Story& s) {
        s.forms();
        const int old = s.source(), with_it = s.replica();
        std::vector<int> majority;
        for (int i = 0; i < s.fleet.size(); ++i) {
          if (i == old || i == with_it) continue;
          s.part({old, with_it}, {i});
          majority.push_back(i);
        }
        s.expect(
            "the majority has a primary",
            [&] {
              return std::find(majority.begin(), majority.end(), s.source()) != majority.end();
            },
            seconds(30));
        s.expect(
            "the minority serves nobody", [&] { return !serves(s, old) && !serves(s, with_it); },
            seconds(30));
        s.writes_flow();
        s.heals();
        s.ends_well();
      },
      5);
}

// What it says of itself is not believed for long, and what the others do is not overruled.
TEST(A43, LabelsDoNotFollowAMemberOfTheMinorityThatAloneIsReached) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int old = s.source(), one = s.replica(), other = s.other_replica();
    s.part({old}, {one, other});
    s.operator_misses({one, other});
    s.expect(
        "it is not believed", [&] { return s.role(old) == Role::None; }, seconds(30));
    s.always(
        "nor does a group begin",
        [&] { return s.role(old) == Role::None && begun(s) == 1 && !s.object.record.operation; },
        seconds(40));
    s.heals();
    s.expect("labels follow the others", [&] { return s.source() != old && s.ready(); });
    s.ends_well();
  });
}

TEST(A43, APrimaryThatWasPausedAcknowledgesNothingWhenItWakes) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int old = s.source();
    s.fleet.pause(old, true);
    s.expect("another source", [&] { return s.source() != old && s.is_open(s.source()); });
    s.writes_flow();
    s.pass(seconds(20));
    s.fleet.pause(old, false);
    s.expect(
        "it leaves at once", [&] { return !serves(s, old); }, seconds(1));
    s.ends_well();
  });
}

// --- nobody

TEST(A43, AfterACompleteOutageOneGroupIsBegunByWhoHasEverything) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int behind = s.replica(), with_it = s.other_replica(), old = s.source();
    s.part({behind}, {old, with_it});
    s.expect("the one cut off has left", [&] { return !serves(s, behind); });
    s.writes_flow();
    kill_all(s);
    s.heals();
    s.expect("a group is begun", [&] { return is_at(s, Step::Bootstrap); });
    s.expect("not by who lacks something",
             [&] { return s.object.record.operation->candidate != s.fleet[behind].name; });
    s.writes_flow();
    s.expect("one group was begun", [&] { return begun(s) == 2; });
    s.ends_well();
  });
}

TEST(A43, NoGroupIsBegunWhileAMemberCannotBeAsked) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int away = s.source();
    for (int i = 0; i < s.fleet.size(); ++i) s.fleet.kill(i, i == away ? minutes(10) : seconds(1));
    s.expect("it is said who is missing", [&] {
      return s.guard("MembersUnknown").find(s.fleet[away].name) != std::string::npos;
    });
    s.always(
        "no group is begun", [&] { return begun(s) == 1 && nobody_is_in_a_group(s); }, minutes(1));
    s.fleet[away].starts_at = s.timeline.now();
    s.writes_flow();
    s.ends_well();
  });
}

// It may be the primary of a group for all that anybody knows.
TEST(A43, NoGroupIsBegunWhileAMemberIsPaused) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int paused = s.source();
    s.fleet.pause(paused, true);
    for (const int i : {s.replica(), s.other_replica()}) s.fleet.kill(i, seconds(1));
    s.always(
        "no group is begun", [&] { return begun(s) == 1; }, minutes(1));
    s.fleet.pause(paused, false);
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A43, WhereAMajorityHasLostItsVolumesNothingIsServedFromTheRest) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int left = s.replica();
    for (int i = 0; i < s.fleet.size(); ++i) {
      if (i == left)
        s.fleet.kill(i, seconds(2));
      else
        s.fleet.delete_pod_and_volume(i, seconds(1));
    }
    s.expect("it says so", [&] { return !s.guard("DataMissing").empty(); });
    s.no_write_is_acknowledged(minutes(1));
    s.expect("nobody is in a group", [&] { return nobody_is_in_a_group(s); });
  });
}

// --- the operator

TEST(A43, AnOperatorThatDiesAtEachStepOfBeginningAGroupBeginsOne) {
  for_each_seed_of_a_group([](Story& s) {
    s.kill_operator_at_each_step();
    s.forms();
    s.expect("one group was begun", [&] { return begun(s) == 1; });
    kill_all(s);
    s.writes_flow();
    s.expect("one more was begun", [&] { return begun(s) == 2; });
    s.ends_well();
  });
}

TEST(A43, TwoOperatorsThatRaceToBeginAGroupBeginOne) {
  for_each_seed_of_a_group(
      [](Story& s) {
        s.begins();
        s.deposed.start();  // it does not know that it leads no more, and its writes arrive
        s.expect("the topology forms", [&] { return s.ready(); });
        kill_all(s);
        s.writes_flow();
        s.ends_well();
      },
      3, 40);
}

// Woken with what was on record when it was paused, at each moment of beginning a group.
void an_operator_wakes(Step paused_at) {
  for_each_seed_of_a_group(
      [paused_at](Story& s) {
        s.forms();
        kill_all(s);
        s.expect("a group is being begun", [&] { return is_at(s, paused_at); });
        const auto read = s.object.record;
        const int candidate = s.fleet.index_of(read.operation ? read.operation->candidate : "");
        // Another one has to choose again meanwhile.
        if (candidate >= 0 && s.timeline.chance.percent(50)) s.fleet.kill(candidate, seconds(2));
        s.pass(s.timeline.chance.between({}, seconds(3)));
        s.deposed.start_deposed(read);
        s.writes_flow();
        s.pass(seconds(10));
        s.ends_well();
      },
      3, 40);
}

TEST(A43, AnOperatorPausedBeforeMembersLeftBeginsNoOtherGroup) {
  an_operator_wakes(Step::StopGroup);
}
TEST(A43, AnOperatorPausedBeforeTheGroupWasBegunBeginsNoOther) {
  an_operator_wakes(Step::Bootstrap);
}

// --- data

TEST(A43, AMemberThatLostItsVolumeRecoversFromTheGroupAndNoWriteStalls) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int lost = s.replica();
    s.fleet.delete_pod_and_volume(lost, seconds(1));
    s.writes_flow_until(
        "it is a secondary again", [&] { return is_online(s, lost) && s.ready(); }, seconds(2));
    s.expect("it was not cloned", [&] { return s.ended(OperationType::Rebuild) == 0; });
    s.ends_well();
  });
}

TEST(A43, AMemberThatLostItsVolumeIsClonedWhereBinaryLogsArePurged) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int lost = s.replica();
    s.fleet.delete_pod_and_volume(lost, seconds(1));
    for (int i = 0; i < s.fleet.size(); ++i)
      if (i != lost) s.fleet.purge(i);
    s.expect("it is cloned", [&] { return s.ended(OperationType::Rebuild) == 1; });
    s.expect("labels follow", [&] { return labels_follow(s); });
    s.ends_well();
  });
}

TEST(A43, APrimaryThatLostItsVolumeInAnOutageTakesNobodysData) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    s.pass(seconds(1));  // what a member receives while it recovers is in its memory alone
    s.fleet.delete_pod_and_volume(s.source(), seconds(1));
    for (const int i : {s.replica(), s.other_replica()}) s.fleet.kill(i, seconds(3));
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A43, WhatAMemberOutsideTheGroupWasWrittenIsSavedAndItIsRebuilt) {
  for_each_seed_of_a_group([](Story& s) {
    s.forms();
    const int errant = s.replica();
    const int identity = s.fleet[errant].identity;
    s.op.die();
    s.fleet.kill(errant, seconds(1));
    s.expect("it is back", [&] { return s.fleet[errant].running; });
    s.fleet.write_by_hand(errant);
    s.op.start();
    s.expect("it is rebuilt", [&] { return s.ended(OperationType::Rebuild) == 1; });
    s.expect("what it had is on record", [&] {
      const auto& lost = s.object.record.lost;
      return !lost.empty() && lost.back().member == s.fleet[errant].name &&
             lost.back().gtids.find(mysql::to_string(uuid_of(identity))) != std::string::npos;
    });
    s.ends_well();
  });
}

}  // namespace
}  // namespace troupe::mysql_topology::sim
