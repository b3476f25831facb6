// Data that come from a server outside: the models that the simulation believes and real servers,
// side by side.
#include <gtest/gtest.h>

#include "tests/models/scenario.hpp"

namespace troupe::models {
namespace {

const Scenario kScenarios[] = {
    {"WritesFromOutsideArePassedOnAndMembersTakeNone",
     [](Servers& s) {
       s.write(outside);
       s.write(a);
       s.look();
       s.kill(outside);
       s.look();
       s.write(outside);
       s.look();
     }},
    {"WhoFollowsOutsideDiesAndAnotherFollowsInItsPlace",
     [](Servers& s) {
       s.kill(a);
       s.write(outside);
       s.look();
       s.order(b, stop_receiver(2));
       s.order(c, stop_receiver(2));
       s.order(b, feed(2, "outside"));
       s.order(c, feed(2, "b"));
       s.order(a, feed(2, "b"));
       s.look();
     }},
    {"OutsideIsLeftWithAllThatWasReceivedAndNothingMore",
     [](Servers& s) {
       s.hold_applier(a, true);
       s.write(outside);
       s.look();
       s.order(a, stop_receiver(2));
       s.write(outside);
       s.order(a, drain(2));  // too late
       s.hold_applier(a, false);
       s.order(a, drain(2));
       s.order(b, follow(2, "a"));
       s.order(c, follow(2, "a"));
       s.order(a, promote(2));
       s.order(a, open(2));
       s.write(a);
       s.look();
     }},
    {"AMemberIsClonedFromOutside",
     [](Servers& s) {
       s.write(outside);
       s.look();
       s.order(a, stop_receiver(2));
       s.order(a, clone(2, "outside"));
       s.order(a, ensure_accounts(2));
       s.look();
       s.order(a, feed(2, "outside"));
       s.write(outside);
       s.look();
     }},
    {"OutsideThatIsPausedIsNotReachedAndIsFollowedWhenItGoesOn",
     [](Servers& s) {
       s.order(a, inspect_outside(1));
       s.pause(outside, true);
       s.order(a, inspect_outside(1));
       s.order(a, stop_receiver(2));
       s.order(a, feed(2, "outside"));  // too late
       s.pause(outside, false);
       s.look();
       s.write(outside);
       s.look();
     }},
};

class ModelsOfAServerOutside : public testing::TestWithParam<Scenario> {};

TEST_P(ModelsOfAServerOutside, ShowWhatRealServersShow) {
  expect_the_same_of_both(GetParam(), &Servers::forms_fed_from_outside);
}

INSTANTIATE_TEST_SUITE_P(Of, ModelsOfAServerOutside, testing::ValuesIn(kScenarios),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace troupe::models
