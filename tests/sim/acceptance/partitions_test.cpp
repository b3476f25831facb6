// Who reaches whom. Ids are those of docs/acceptance.md.
#include <gtest/gtest.h>

#include "tests/sim/acceptance/story.hpp"

namespace troupe::mysql_topology::sim {
namespace {

TEST(A07, ASourceThatOnlyTheOperatorMissesIsNotReplacedWhileItsReplicasHearIt) {
  for_each_seed(
      [](Story& s) {
        s.forms();
        const int source = s.source();
        const auto epoch = s.object.record.epoch;
        s.operator_misses({source});
        s.expect("it says why not", [&] { return !s.guard("SourceUnreachable").empty(); });
        s.always(
            "the source stays",
            [&] { return s.source() == source && s.object.record.epoch == epoch; }, minutes(3));
        s.writes_flow(seconds(5));
        s.ends_well();
      },
      3, 5);
}

TEST(A08, CommitsOfASourceThatItsReplicasMissForAMomentAreAcknowledgedAfterwards) {
  for_each_seed([](Story& s) {
    s.forms();
    const int source = s.source();
    const auto epoch = s.object.record.epoch;
    s.part({source}, {s.replica(), s.other_replica()});
    s.no_write_is_acknowledged(seconds(4));
    s.heals();
    s.writes_flow();
    s.expect("nobody was replaced", [&] { return s.object.record.epoch == epoch; });
    s.ends_well();
  });
}

TEST(A08, ASourceThatItsReplicasGoOnMissingIsClosedAndReplaced) {
  for_each_seed([](Story& s) {
    s.forms();
    const int old = s.source();
    s.part({old}, {s.replica(), s.other_replica()});
    s.expect(
        "another source", [&] { return s.source() != old; }, seconds(30));
    s.writes_flow();
    s.expect("the old one is closed", [&] { return !s.is_open(old); });
    s.ends_well();
  });
}

// Neither is one that only this operator would say it of.
TEST(A08, ASourceThatOneReplicaReachesGoesOn) {
  for_each_seed([](Story& s) {
    s.forms();
    const auto epoch = s.object.record.epoch;
    s.part({s.source()}, {s.replica()});
    s.always(
        "nobody is replaced", [&] { return s.object.record.epoch == epoch; }, seconds(60));
    s.writes_flow();
    s.ends_well();
  });
}

auto source_is_alone_for(Duration time) {
  return [time](Story& s) {
    s.forms();
    const int old = s.source();
    s.part({old}, {s.replica(), s.other_replica()});
    s.operator_misses({old});
    s.expect(
        "another source", [&] { return s.source() != old; }, seconds(15));
    s.writes_flow();
    s.pass(time);
    s.ends_well();
  };
}

TEST(A09, ASourceThatIsAloneIsReplacedAndAcknowledgesNothingMeanwhile) {
  for_each_seed(source_is_alone_for(seconds(60)));
}

TEST(A09, NorDoesItInHalfAnHour) { for_each_seed(source_is_alone_for(minutes(30)), 3, 1); }

TEST(A10, ASourceWithOneReplicaIsNotReplacedByTheOtherOneAlone) {
  for_each_seed([](Story& s) {
    s.forms();
    const int source = s.source(), with = s.replica(), alone = s.other_replica();
    const auto epoch = s.object.record.epoch;
    s.part({source, with}, {alone});
    s.operator_misses({source, with});
    s.expect("it says how many are missing", [&] {
      return s.guard("QuorumMissing").find("1 of 2 needed replicas") != std::string::npos;
    });
    s.always(
        "the source stays", [&] { return s.object.record.epoch == epoch; }, seconds(60));
    s.writes_flow();
    s.ends_well();
  });
}

auto replicas_are_dead_for(Duration time) {
  return [time](Story& s) {
    s.forms();
    const int source = s.source(), one = s.replica(), other = s.other_replica();
    s.fleet.kill(one, time + minutes(2));
    s.fleet.kill(other, time + minutes(10));
    s.pass(seconds(1));
    s.no_write_is_acknowledged(time);
    s.expect("it says so", [&] { return !s.guard("SemiSyncBlocked").empty(); });
    s.fleet[one].starts_at = s.timeline.now();
    s.writes_flow();
    s.expect("the source stays", [&] { return s.source() == source; });
    s.ends_well();
  };
}

TEST(A24, WritesThatWaitForAllReplicasGoOnByThemselvesWhenOneIsBack) {
  for_each_seed(replicas_are_dead_for(seconds(60)));
}

TEST(A24, AndSoTheyDoAfterAnHour) { for_each_seed(replicas_are_dead_for(minutes(60)), 3, 1); }

TEST(A25, AnAcknowledgementThatIsLostHoldsWritesUpForSecondsOnly) {
  for_each_seed([](Story& s) {
    s.forms();
    const auto epoch = s.object.record.epoch;
    for (const int i : {s.replica(), s.other_replica()}) s.fleet[i].acks_lost = true;
    s.expect("commits wait", [&] { return s.fleet[s.source()].hangs(); });
    s.writes_flow(seconds(10));
    s.expect("nobody was replaced", [&] { return s.object.record.epoch == epoch; });
    s.ends_well();
  });
}

// Nodes come back one by one, the one with the source last or never.
TEST(A41, AfterAnOutageNothingIsOpenedThatLacksWhatWasAcknowledged) {
  for_each_seed([](Story& s) {
    s.forms();
    const auto down = [&s] { return s.timeline.chance.between(milliseconds(200), seconds(20)); };
    const int source = s.source();
    for (int i = 0; i < s.fleet.size(); ++i) s.fleet.kill(i, down());
    if (s.timeline.chance.percent(50)) s.fleet[source].starts_at += minutes(5);
    s.writes_flow();
    s.ends_well();
  });
}

}  // namespace
}  // namespace troupe::mysql_topology::sim
