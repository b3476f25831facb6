// The models that the simulation believes and real servers, side by side: each scenario is played
// on both and has to show the same, order by order and look by look. The models do so whatever the
// chances of their threads are.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/models/modelled.hpp"
#include "tests/models/real.hpp"

namespace troupe::models {
namespace {

Command promote(std::uint64_t epoch, std::uint32_t acks = 1) {
  return {.verb = Verb::Promote, .epoch = Epoch{epoch}, .acks = acks, .semi_sync = true};
}
Command open(std::uint64_t epoch, std::uint32_t acks = 1) {
  return {.verb = Verb::Open, .epoch = Epoch{epoch}, .acks = acks, .semi_sync = true};
}
Command follow(std::uint64_t epoch, std::string source) {
  return {
      .verb = Verb::Follow, .epoch = Epoch{epoch}, .peer = std::move(source), .semi_sync = true};
}
Command stop_receiver(std::uint64_t epoch) {
  return {.verb = Verb::StopReceiver, .epoch = Epoch{epoch}};
}
Command close(std::uint64_t epoch, bool kill_if_blocked = true) {
  return {.verb = Verb::Close, .epoch = Epoch{epoch}, .kill_if_blocked = kill_if_blocked};
}
Command clone(std::uint64_t epoch, std::string donor) {
  return {.verb = Verb::Clone, .epoch = Epoch{epoch}, .peer = std::move(donor)};
}

constexpr int a = 0, b = 1, c = 2;

struct Scenario {
  std::string name;
  std::function<void(Servers&)> play;
};
void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

const Scenario kScenarios[] = {
    {"AWriteIsAcknowledgedWhenOneReplicaHasIt",
     [](Servers& s) {
       s.write(a);
       s.look();
       s.write(b);  // a replica lets no client write
       s.look();
     }},
    {"ACommitWaitsForReplicasThatAreNotThereAndGoesOnWhenOneComes",
     [](Servers& s) {
       s.order(b, stop_receiver(1));
       s.order(c, stop_receiver(1));
       s.look();
       s.write(a);
       s.look();
       s.order(b, follow(1, "a"));
       s.look();
     }},
    {"AKilledSourceCommitsWhatNobodyAcknowledged",
     [](Servers& s) {
       s.order(b, stop_receiver(1));
       s.order(c, stop_receiver(1));
       s.look();
       s.write(a);
       s.look();
       s.kill(a);
       s.look();
     }},
    {"AServerBootsClosedAndReplicatesFromNobody",
     [](Servers& s) {
       s.kill(b);
       s.look();
       s.write(a);
       s.look();
       s.order(b, follow(1, "a"));
       s.look();
     }},
    {"AReplicaThatDiesHasStillWhatItReceived",
     [](Servers& s) {
       s.hold_applier(b, true);
       s.order(c, stop_receiver(1));
       s.look();
       s.write(a);
       s.look();
       s.kill(b);
       s.hold_applier(b, false);
       s.look();
       s.order(b, follow(1, "a"));
       s.look();
     }},
    {"WhatIsReceivedIsAppliedBeforeAPromotion",
     [](Servers& s) {
       s.hold_applier(b, true);
       s.order(c, stop_receiver(1));
       s.look();
       s.write(a);
       s.look();
       s.kill(a);
       s.order(b, stop_receiver(2));
       s.order(c, stop_receiver(2));
       s.order(b, promote(2));  // too late
       s.hold_applier(b, false);
       s.order(b, promote(2));
       s.order(c, follow(2, "b"));
       s.order(b, open(2));
       s.look();
       s.write(b);
       s.look();
     }},
    {"AReplicaThatIsBehindFollowsAnotherAndKeepsWhatItReceived",
     [](Servers& s) {
       s.hold_applier(c, true);
       s.write(a);
       s.look();
       s.order(a, close(2));
       s.order(b, promote(2));
       s.order(c, follow(2, "b"));
       s.order(b, open(2));
       s.look();
       s.hold_applier(c, false);
       s.write(b);
       s.look();
     }},
    {"AMemberIsNotOpenedBeforeAReplicaIsAttached",
     [](Servers& s) {
       s.order(a, close(2));
       s.order(b, stop_receiver(2));
       s.order(b, promote(2));
       s.order(b, open(2));
       s.look();
       s.order(c, follow(2, "b"));
       s.order(b, open(2));
       s.look();
     }},
    {"AnOrderOfAnOlderEpochIsRefused",
     [](Servers& s) {
       s.order(b, stop_receiver(3));
       s.order(b, follow(2, "a"));
       s.order(a, close(3));
       s.order(a, open(2));
       s.look();
     }},
    {"ASourceWhoseCommitsWaitIsClosedByItsEndOnly",
     [](Servers& s) {
       s.order(b, stop_receiver(1));
       s.order(c, stop_receiver(1));
       s.look();
       s.write(a);
       s.look();
       s.order(a, close(2, false));
       s.order(a, close(2, true));
       s.look();
     }},
    {"APausedReplicaAcknowledgesNothingAndGoesOnWhereItWas",
     [](Servers& s) {
       s.order(c, stop_receiver(1));
       s.look();
       s.pause(b, true);
       s.write(a);
       s.look();
       s.pause(b, false);
       s.look();
     }},
    {"AnOldSourceThatComesBackHasWhatNobodyElseHasAndIsClonedAway",
     [](Servers& s) {
       s.order(b, stop_receiver(1));
       s.order(c, stop_receiver(1));
       s.look();
       s.write(a);
       s.look();
       s.kill(a);
       s.order(b, promote(2));
       s.order(c, follow(2, "b"));
       s.order(b, open(2));
       s.write(b);
       s.look();
       s.order(a, clone(2, "b"));
       s.order(a, follow(2, "b"));
       s.look();
     }},
};

class Models : public testing::TestWithParam<Scenario> {
 protected:
  static std::vector<std::string> play_on(Servers& servers) {
    servers.forms();
    GetParam().play(servers);
    return servers.lines();
  }
};

TEST_P(Models, ShowWhatRealServersShow) {
  std::vector<std::string> expected;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Modelled modelled(seed);
    const auto lines = play_on(modelled);
    if (seed == 1) expected = lines;
    ASSERT_EQ(lines, expected) << "the models disagree with themselves, seed " << seed;
  }
  Real real(expected);
  const auto lines = play_on(real);
  ASSERT_EQ(lines.size(), expected.size());
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(lines[i], expected[i]) << "line " << i << "; expected is what the models show";
}

INSTANTIATE_TEST_SUITE_P(Of, Models, testing::ValuesIn(kScenarios),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace troupe::models
