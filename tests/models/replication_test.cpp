// Replication by semi-synchronous replicas: the models that the simulation believes and real
// servers, side by side.
#include <gtest/gtest.h>

#include "tests/models/scenario.hpp"

namespace troupe::models {
namespace {

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
    {"AMemberIsClonedFromOneThatIsPromotedAndNotYetOpen",
     [](Servers& s) {
       s.order(a, close(2));
       s.order(b, stop_receiver(2));
       s.order(b, promote(2));
       s.order(c, stop_receiver(2));
       s.order(c, clone(2, "b"));
       s.order(c, follow(2, "b"));
       s.order(b, open(2));
       s.look();
       s.write(b);
       s.look();
     }},
    {"AReplicaThatLacksWhatItsSourceHasPurgedReceivesNothing",
     [](Servers& s) {
       s.order(b, stop_receiver(1));
       s.look();
       s.write(a);
       s.look();
       s.purge(a);
       s.try_to(b, follow(1, "a"));  // it is connected until it is refused
       s.look();
       s.order(b, clone(1, "a"));
       s.order(b, follow(1, "a"));
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

class Models : public testing::TestWithParam<Scenario> {};

TEST_P(Models, ShowWhatRealServersShow) { expect_the_same_of_both(GetParam(), &Servers::forms); }

INSTANTIATE_TEST_SUITE_P(Of, Models, testing::ValuesIn(kScenarios),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace troupe::models
