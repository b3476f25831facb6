// Group replication: the models that the simulation believes and real servers, side by side.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/models/scenario.hpp"

namespace troupe::models {
namespace {

using std::chrono::seconds;

// A member that is silent is UNREACHABLE after 5 s, and expelled 15 s later.
constexpr seconds kUnreachable{7};

const Scenario kScenarios[] = {
    {"ThePrimaryAloneTakesWritesAndAMemberThatIsPausedForAMomentStays",
     [](Servers& s) {
       s.write(a);
       s.write(b);
       s.look();
       s.order(a, begin_group(1));  // it is in the group already
       s.pause(b, true);
       s.look_after(kUnreachable);
       s.order(c, set_group_primary(2));  // not while a member is UNREACHABLE
       s.write(a);
       s.pause(b, false);
       s.look();
     }},
    {"AKilledMemberHasWhatItReceivedStaysOutsideAndJoinsOnOrder",
     [](Servers& s) {
       s.hold_applier(b, true);
       s.write(a);
       s.look();
       s.kill(b);
       s.hold_applier(b, false);
       s.look();
       s.write(a);
       s.order(b, begin_group(1));
       s.order(b, join_group(2));
       s.order(b, stop_group(1));
       s.look();
     }},
    {"OnOrderAnotherIsThePrimaryAndWhenItIsKilledTheLowestUuidAppliesAllAndTakesOver",
     [](Servers& s) {
       s.order(c, set_group_primary(2));
       s.look();
       s.hold_applier(a, true);
       s.write(c);
       s.look();
       s.kill(c);
       s.look();
       s.write(a);
       s.order(a, set_group_primary(2));  // too late
       s.hold_applier(a, false);
       s.look();
       s.order(c, join_group(3));
       s.look();
     }},
    {"APausedPrimaryIsExpelledAndClosesWhenItGoesOn",
     [](Servers& s) {
       s.pause(a, true);
       s.look();
       s.write(b);
       s.look();
       s.pause(a, false);
       s.look();
       s.order(a, join_group(2));
       s.look();
     }},
    {"WhoHasLostTheMajorityAcknowledgesNothingAndCloses",
     [](Servers& s) {
       s.kill(b);
       s.kill(c);
       s.write(a);
       s.look_after(kUnreachable);
       s.look();
     }},
    {"APrimaryWhoseCommitsHangIsTakenOutOfItsGroupAndAnotherIsBegun",
     [](Servers& s) {
       s.kill(b);
       s.kill(c);
       s.write(a);
       s.look_after(kUnreachable);
       for (const int i : {a, b, c}) s.order(i, stop_group(2));
       s.look();
       s.order(b, begin_group(2));
       for (const int i : {a, c}) s.order(i, join_group(2));
       s.write(b);
       s.look();
     }},
    {"WhoIsTakenOutIsMissedAtOnceAndRefusedWithTransactionsOfItsOwn",
     [](Servers& s) {
       s.order(a, stop_group(2));
       s.look_after(seconds(2));
       s.write(b);
       s.order(a, join_group(3));
       s.look();
       s.order(c, stop_group(3));
       s.order(c, promote(3, 0));
       s.order(c, open(3, 0));
       s.write(c);
       s.look();
       s.order(c, close(4));
       s.order(c, join_group(4));
       s.look();
     }},
};

class ModelsOfGroups : public testing::TestWithParam<Scenario> {};

TEST_P(ModelsOfGroups, ShowWhatRealServersShow) {
  expect_the_same_of_both(GetParam(), &Servers::forms_group);
}

INSTANTIATE_TEST_SUITE_P(Of, ModelsOfGroups, testing::ValuesIn(kScenarios),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace troupe::models
