// What members hold: who is ahead, who has what nobody else has, who has lost what it had, and who
// has room for more. Ids are those of docs/acceptance.md.
#include <gtest/gtest.h>

#include "tests/sim/acceptance/story.hpp"

namespace troupe::mysql_topology::sim {
namespace {

constexpr auto kGiB = std::uint64_t{1} << 30;

TEST(A14, OfMembersThatDivergedThePersonsChoiceAndNobodyElseBecomesTheSource) {
  for_each_seed([](Story& s) {
    s.forms();
    const int dead = s.source(), one = s.replica(), other = s.other_replica();
    // The person gives up nothing that was acknowledged.
    s.expect("the other has all", [&] { return s.fleet.has_all_acknowledged(other); });
    s.fleet.kill(dead, minutes(10));
    s.fleet.write_by_hand(one);
    s.fleet.write_by_hand(other);
    s.expect("both are named", [&] {
      const auto text = s.guard("Diverged");
      return text.find(s.fleet[one].name + " alone has") != std::string::npos &&
             text.find(s.fleet[other].name + " alone has") != std::string::npos;
    });
    s.always(
        "nobody is chosen", [&] { return s.source() == dead; }, seconds(20));
    s.object.recover_on = s.fleet[other].name;
    s.op.wake();
    s.expect("the chosen one is the source", [&] { return s.is_open(other); });
    s.expect("what the other had alone is on record", [&] {
      const auto& lost = s.object.record.lost;
      return !lost.empty() && lost.back().member == s.fleet[one].name && !lost.back().gtids.empty();
    });
    s.ends_well();
    s.expect("the choice is over", [&] { return s.object.recover_on.empty(); });
  });
}

TEST(A15, TheOneThatHasReceivedMostWinsThoughAnotherHasAppliedMore) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source(), receives = s.replica(), applies = s.other_replica();
    s.fleet[receives].applier_held = true;
    s.pass(seconds(1));
    s.part({old}, {applies});
    s.pass(seconds(1));
    s.fleet.kill(old, minutes(10));
    s.expect("the one that received most is chosen", [&] { return s.source() == receives; });
    s.always(
        "it is not opened yet", [&] { return !s.is_open(receives); }, seconds(2));
    s.fleet[receives].applier_held = false;
    s.expect("it is opened", [&] { return s.is_open(receives); });
    s.ends_well();
  });
}

TEST(A16, ACandidateIsNotOpenedBeforeItHasAppliedAllHoweverLongThatTakes) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    for (const int i : {s.replica(), s.other_replica()}) s.fleet[i].applier_held = true;
    s.pass(seconds(1));
    s.fleet.kill(old, minutes(10));
    s.expect("it says how far it is",
             [&] { return s.guard("CandidateApplies").find("applying") != std::string::npos; });
    s.always(
        "nobody is open", [&] { return !s.is_open(0) && !s.is_open(1) && !s.is_open(2); },
        seconds(40));
    for (int i = 0; i < 3; ++i) s.fleet[i].applier_held = false;
    s.writes_flow();
    s.ends_well();
  });
}

TEST(A18, AReplicaThatLostItsVolumeComesBackAndNoWriteStalls) {
  for_each_seed([](Story& s) {
    s.forms();
    const int lost = s.replica();
    s.fleet.delete_pod_and_volume(lost, seconds(1));
    s.writes_flow_until(
        "it is a replica again", [&] { return s.fleet[lost].running && s.ready(); }, seconds(2));
    s.ends_well();
  });
}

// It has acknowledged what it lacks now, and nobody else has.
void source_dies_while_a_replica_receives_its_data_again(Story& s) {
  s.forms();
  const int source = s.source(), lost = s.replica(), behind = s.other_replica();
  s.part({source}, {behind});
  while (s.acknowledged() < 200 && !s.failure()) s.writes_flow();
  s.fleet.delete_pod_and_volume(lost, seconds(1));
  s.expect("it has some data again", [&] {
    const auto& m = s.fleet[lost];
    return m.running && unite(m.executed, m.received).count() > 20;
  });
  s.fleet.kill(source, seconds(30));
  s.pass(seconds(30));
  s.writes_flow();
  s.ends_well();
}

TEST(A18, AReplicaThatLostItsVolumeVouchesForNothingBeforeItHasAllAgain) {
  for_each_seed(source_dies_while_a_replica_receives_its_data_again);
  expect_caught(source_dies_while_a_replica_receives_its_data_again, &forgets_who_recovers,
                "NoAcknowledgedWriteIsLost");
}

// When the operator looked at the source last, nobody had anything, so that to have nothing meant
// nothing. The one that acknowledged since is another server by now.
void replica_is_replaced_before_the_source_is_seen_with_data(Story& s) {
  s.begins();
  s.expect("a source is chosen", [&] { return s.source() >= 0; });
  const int source = s.source(), lost = s.replica(), behind = s.other_replica();
  s.part({source}, {behind});
  s.expect("it is opened", [&] { return s.is_open(source); });
  s.operator_misses({source});
  s.expect("it has acknowledged some", [&] { return s.acknowledged() > 3; });
  s.fleet.delete_pod_and_volume(lost, milliseconds(500));
  s.fleet.kill(source, seconds(30));
  s.pass(seconds(30));
  s.heals();
  s.writes_flow();
  s.ends_well();
}

TEST(A18, AReplicaThatWasReplacedVouchesForNothingThoughTheSourceWasSeenEmptyOnce) {
  for_each_seed(replica_is_replaced_before_the_source_is_seen_with_data);
  expect_caught(replica_is_replaced_before_the_source_is_seen_with_data,
                &takes_new_servers_for_old_ones, "NoAcknowledgedWriteIsLost");
}

TEST(A19, ASourceThatLostItsVolumeIsReplacedAndServesNothingEmpty) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    s.fleet.delete_pod_and_volume(old, s.timeline.chance.between({}, seconds(2)));
    s.expect("another source", [&] { return s.source() != old; });
    s.writes_flow();
    s.ends_well();
  });
}

// The one that is left waits for its acknowledgements before it is opened.
TEST(A19, OfTwoMembersTheOneThatLostItsVolumeIsClonedBeforeTheOtherIsOpened) {
  for_each_seed(
      [](Story& s) {
        s.forms();
        const int old = s.source();
        for (const int i : {old, s.replica()}) s.fleet.purge(i);
        s.fleet.delete_pod_and_volume(old, seconds(1));
        s.expect("another source", [&] { return s.source() != old; });
        s.writes_flow();
        s.ends_well();
      },
      2);
}

// What comes back empty has nothing to say to those who come back with data, be it one or all.
TEST(A19, ASourceThatLostItsVolumeInAnOutageTakesNobodysData) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source(), one = s.replica(), other = s.other_replica();
    const int identity = s.fleet[one].identity;
    s.fleet.kill(one, seconds(5));
    s.fleet.kill(other, seconds(30));
    s.fleet.delete_pod_and_volume(old, milliseconds(500));
    s.always(
        "the first one keeps its data",
        [&] { return s.fleet[one].identity == identity && !s.fleet[one].partial; }, seconds(25));
    s.writes_flow();
    s.ends_well();
  });
}

enum class Dies { Donor, Recipient, Line };
void cut_a_clone_short(Dies who) {
  for_each_seed([who](Story& s) {
    s.forms();
    const int member = s.replica();
    s.fleet.write_by_hand(member);
    const auto clones = [&] {
      const auto& job = s.fleet[member].job;
      return job && job->command.verb == Verb::Clone && job->phase > 0;
    };
    s.expect("it is cloned", clones);
    if (!clones()) return;
    const int donor = s.fleet.index_of(s.fleet[member].job->command.peer);
    if (who == Dies::Line) {
      s.part({member}, {donor});
    } else {
      s.fleet.kill(who == Dies::Donor ? donor : member, seconds(1));
    }
    s.expect("half a clone never replicates", [&] {
      return s.fleet[member].partial && !s.fleet[member].receiver && s.role(member) == Role::None;
    });
    s.heals();
    s.expect("it is cloned again",
             [&] { return s.ended(OperationType::Rebuild) > 0 && s.ready(); });
    s.ends_well();
  });
}

TEST(A20, ACloneWhoseDonorDiesIsDoneAgain) { cut_a_clone_short(Dies::Donor); }
TEST(A20, ACloneWhoseRecipientDiesIsDoneAgain) { cut_a_clone_short(Dies::Recipient); }
TEST(A20, ACloneWhoseLineIsCutIsDoneAgain) { cut_a_clone_short(Dies::Line); }

TEST(A21, ACloneThatDoesNotFitIsNotBegunBeforeThereIsRoom) {
  for_each_seed([](Story& s) {
    s.forms();
    const int member = s.replica();
    for (int i = 0; i < 3; ++i) s.fleet[i].data_bytes = 60 * kGiB;
    s.fleet[member].data_bytes = kGiB;
    s.fleet[member].disk_free = 20 * kGiB;
    s.fleet.write_by_hand(member);
    s.expect("it says so", [&] { return !s.guard("CloneNeedsSpace").empty(); });
    const int identity = s.fleet[member].identity;
    s.always(
        "its data stays", [&] { return s.fleet[member].identity == identity; }, seconds(20));
    s.fleet[member].disk_free = 90 * kGiB;
    s.expect("it is rebuilt", [&] { return s.ended(OperationType::Rebuild) == 1; });
    s.ends_well();
  });
}

TEST(A22, ASourceWhoseVolumeFillsUpHandsItsRoleToOneWithRoom) {
  for_each_seed([](Story& s) {
    s.forms();
    const int full = s.source(), full_too = s.replica(), roomy = s.other_replica();
    s.fleet[full].disk_free = s.fleet[full_too].disk_free = kGiB / 8;
    s.expect("it says so", [&] { return !s.guard("VolumeNearlyFull").empty(); });
    s.expect("the one with room takes over", [&] { return s.source() == roomy; });
    s.writes_flow();
    s.expect("there was no failover", [&] { return s.ended(OperationType::Failover) == 0; });
    s.fleet[full].disk_free = s.fleet[full_too].disk_free = 50 * kGiB;
    s.ends_well();
  });
}

TEST(A22, WhereNobodyHasRoomTheSourceStays) {
  for_each_seed([](Story& s) {
    s.forms();
    const auto epoch = s.object.record.epoch;
    for (const int i : {s.replica(), s.other_replica()}) s.fleet[i].disk_free = kGiB / 8;
    s.pass(seconds(1));
    s.fleet[s.source()].disk_free = kGiB / 8;
    s.always(
        "nobody is replaced", [&] { return s.object.record.epoch == epoch; }, seconds(20));
    s.writes_flow();
    for (int i = 0; i < 3; ++i) s.fleet[i].disk_free = 50 * kGiB;
    s.ends_well();
  });
}

// Its receiver stops where the volume is full.
TEST(A23, AReplicaWhoseVolumeIsFullHoldsNoWriteUp) {
  for_each_seed([](Story& s) {
    s.forms();
    const int full = s.replica();
    const auto until = s.timeline.now() + seconds(20);
    s.fleet[full].disk_free = 0;
    s.writes_flow_until(
        "a while has passed",
        [&] {
          s.fleet[full].receiver = s.fleet[full].connected = false;
          return s.timeline.now() >= until;
        },
        seconds(2));
    s.expect("it serves nobody", [&] { return s.role(full) == Role::None; });
    s.expect("it says so", [&] { return !s.guard("VolumeNearlyFull").empty(); });
    s.fleet[full].disk_free = 50 * kGiB;
    s.ends_well();
  });
}

TEST(A34, AReplicaThatSomebodyWroteOnServesNobodyUntilItIsRebuilt) {
  for_each_seed([](Story& s) {
    s.forms();
    const int errant = s.replica();
    const int identity = s.fleet[errant].identity;
    s.fleet.write_by_hand(errant);
    s.expect(
        "it has no role", [&] { return s.role(errant) == Role::None; }, seconds(3));
    s.expect("what it had is on record", [&] {
      const auto& lost = s.object.record.lost;
      return !lost.empty() && lost.back().member == s.fleet[errant].name &&
             lost.back().gtids.find(mysql::to_string(uuid_of(identity))) != std::string::npos;
    });
    s.always(
        "it has none before it has other data",
        [&] { return s.role(errant) == Role::None || s.fleet[errant].identity != identity; },
        seconds(10));
    s.ends_well();
  });
}

TEST(A52, WhatAnOldSourceAloneHasIsReportedAndNeverServed) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    const int identity = s.fleet[old].identity;
    const int one = s.replica(), other = s.other_replica();
    s.part({old}, {one, other});
    s.expect("it has what nobody else has", [&] {
      auto alone = s.fleet[old].flushed;
      for (const int i : {one, other})
        alone.subtract(unite(s.fleet[i].flushed, s.fleet[i].received));
      return !alone.empty();
    });
    s.fleet.kill(old, seconds(2));
    s.expect("another source", [&] { return s.source() != old && s.is_open(s.source()); });
    s.heals();
    bool served = false;
    s.expect("it is rebuilt, and had no role before", [&] {
      served = served || (s.fleet[old].identity == identity && s.role(old) != Role::None &&
                          !s.fleet[old].offline);
      return s.ended(OperationType::Rebuild) == 1 && !served;
    });
    s.expect("what it had is on record", [&] {
      const auto& lost = s.object.record.lost;
      return !lost.empty() && lost.back().member == s.fleet[old].name && !lost.back().gtids.empty();
    });
    s.ends_well();
  });
}

// Members are taken in first and counted on later, and no writer has to wait for that.
TEST(A40, MembersComeAndGoUnderLoadWithoutAStall) {
  for_each_seed(
      [](Story& s) {
        for (int i = 1; i < 5; ++i) s.object.unlisted.insert(i);
        s.forms();
        const auto becomes = [&s](int members) {
          for (int i = 1; i < 5; ++i) s.list(i, i < members);
          s.writes_flow_until(
              fmt::format("{} members count", members),
              [&s, members] {
                const auto& q = s.object.record.quorum;
                return s.ready() && q.members.size() == static_cast<std::size_t>(members) &&
                       q.acks == static_cast<std::uint32_t>(members / 2);
              },
              seconds(5));
        };
        for (const int members : {3, 5, 3, 2}) becomes(members);
        s.ends_well();
      },
      5);
}

}  // namespace
}  // namespace troupe::mysql_topology::sim
