// Another primary by order, and when the server of the one there is will end.
#include <functional>

#include "tests/unit/actors/mysql_group/group.hpp"

namespace troupe::mysql_group::testing {
namespace {

TEST(GroupSwitchover, BeginsByTheSpecificationOrTheAnnotation) {
  auto by_spec = Group::formed();
  by_spec.topology.wanted = "db-2";
  auto plan = by_spec.decide();
  ASSERT_EQ(recorded(plan), "Switchover Promote from db-0 to db-2, epoch 2");
  EXPECT_EQ(plan.record.value().honored, "db-2");
  auto by_note = Group::formed();
  by_note.topology.order_by_note = "db-1";
  plan = by_note.decide();
  ASSERT_EQ(recorded(plan), "Switchover Promote from db-0 to db-1, epoch 2");
  EXPECT_EQ(plan.record.value().honored, "db-0");
}

TEST(GroupSwitchover, AnOrderByAnnotationForWhoIsNoMemberIsTakenBack) {
  auto group = Group::formed();
  group.topology.order_by_note = "nosuch";
  const auto plan = group.decide();
  EXPECT_TRUE(plan.note_void);
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(refused_by(plan), ElementsAre("OrderWithdrawn"));
}

struct Unfit {
  std::string name;
  std::function<void(Group&)> make;
  std::string rule;
};

class GroupSwitchoverUnfit : public ::testing::TestWithParam<Unfit> {};

TEST_P(GroupSwitchoverUnfit, IsHeldBackWithTheReason) {
  auto group = Group::formed();
  group.topology.wanted = "db-2";
  GetParam().make(group);
  const auto plan = group.decide();
  EXPECT_FALSE(plan.record && plan.record.value().operation);
  EXPECT_THAT(refused_by(plan), ElementsAre(GetParam().rule));
}

INSTANTIATE_TEST_SUITE_P(
    All, GroupSwitchoverUnfit,
    ::testing::Values(
        Unfit{"NobodyWeKnow", [](Group& g) { g.topology.wanted = "db-9"; }, "CandidateNotListed"},
        Unfit{"Silent", [](Group& g) { g[2].is_silent(seconds(5)); }, "CandidateUnusable"},
        Unfit{"Recovering",
              [](Group& g) {
                g.seen_by({0, 1, 2}, "g:2", "db-0=PRIMARY db-1=ONLINE db-2=RECOVERING");
              },
              "CandidateNotOnline"},
        Unfit{"AboutToEnd",
              [](Group& g) {
                g[2].departing = mysql_topology::Departure{"it is to be replaced", false};
              },
              "CandidateDeparts"},
        Unfit{"FarBehind", [](Group& g) { g[2].seen.group->queued = 1'000'000; }, "CandidateLags"},
        Unfit{"RefusedAMomentAgo", [](Group& g) { g[2].failed(Verb::SetGroupPrimary, 1, "busy"); },
              "SwitchoverGivenUp"}),
    [](const auto& tested) { return tested.param.name; });

Group switching() {
  auto group = Group::formed();
  group.begin(OperationType::Switchover, Step::Promote, "db-0", "db-2");
  group.record().current = "db-0";
  return group;
}

TEST(GroupSwitchover, AsksTheCandidateAndEndsByTheGroupsWord) {
  auto group = switching();
  EXPECT_THAT(asked(group.decide()), ElementsAre("db-2 SetGroupPrimary"));
  group[2].did(Verb::SetGroupPrimary, 2, "db-0:1-10");
  const auto waiting = group.decide();
  EXPECT_FALSE(waiting.record);
  EXPECT_THAT(asked(waiting), IsEmpty());
  group.seen_by({0, 1, 2}, "g:1", "db-0=ONLINE db-1=ONLINE db-2=PRIMARY");
  const auto plan = group.decide();
  ASSERT_EQ(recorded(plan), "idle: db-2, epoch 2");
  EXPECT_FALSE(plan.record.value().last->undone);
}

TEST(GroupSwitchover, EndsUndoneWhereTheGroupRefuses) {
  auto group = switching();
  group[2].failed(Verb::SetGroupPrimary, 2, "a member is too old");
  const auto plan = group.decide();
  ASSERT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_TRUE(plan.record.value().last->undone);
  EXPECT_THAT(plan.record.value().last->text, HasSubstr("a member is too old"));
}

TEST(GroupSwitchover, EndsUndoneWhereTheCandidateDies) {
  auto group = switching();
  group[2].is_killed();
  EXPECT_TRUE(group.decide().record.value().last->undone);
}

TEST(GroupSwitchover, EndsUndoneWhereTheGroupElectsSomebodyElse) {
  auto group = switching();
  group.seen_by({0, 1, 2}, "g:2", "db-1=PRIMARY db-2=ONLINE");
  const auto plan = group.decide();
  ASSERT_EQ(recorded(plan), "idle: db-1, epoch 3");
  EXPECT_TRUE(plan.record.value().last->undone);
}

TEST(GroupSwitchover, APrimaryThatDepartsHandsOverToWhoIsLeastBehind) {
  auto group = Group::formed();
  group[0].departing = mysql_topology::Departure{"the Pod of db-0 is being deleted", true};
  group[1].seen.group->queued = 5;
  EXPECT_EQ(recorded(group.decide()), "Switchover Promote from db-0 to db-2, epoch 2");
}

TEST(GroupSwitchover, APrimaryTakenOutOfTheSpecificationHandsOverAndServesUntilThen) {
  for (const bool is_former : {true, false}) {
    auto group = Group::formed();
    (is_former ? group[0].former : group[0].isolated) = true;
    group[1].seen.group->queued = 5;
    auto plan = group.decide();
    EXPECT_EQ(recorded(plan), "Switchover Promote from db-0 to db-2, epoch 2");
    EXPECT_TRUE(plan.roles_stand);
    group.record() = plan.record.value();
    plan = group.decide();
    EXPECT_THAT(asked(plan), ElementsAre("db-2 SetGroupPrimary"));
    EXPECT_TRUE(plan.roles_stand);
  }
}

TEST(GroupSwitchover, WhereNobodyIsFitAPrimaryTakenOutKeepsItsRole) {
  auto group = Group::formed();
  group[0].former = true;
  group.seen_by({0, 1, 2}, "g:1", "db-0=PRIMARY db-1=RECOVERING db-2=RECOVERING");
  const auto plan = group.decide();
  EXPECT_THAT(text_of(plan, "SourceNotListed"), HasSubstr("db-2 is not ONLINE in the group"));
  EXPECT_FALSE(plan.record);
  EXPECT_TRUE(plan.roles_stand);
  EXPECT_THAT(asked(plan), IsEmpty());
}

TEST(GroupSwitchover, WhoIsElectedAfterItWasTakenOutIsOnRecordAndHandsOver) {
  auto group = Group::formed();
  group[2].former = true;
  group.seen_by({0, 1, 2}, "g:2", "db-0=ONLINE db-1=ONLINE db-2=PRIMARY");
  auto plan = group.decide();
  EXPECT_EQ(recorded(plan), "idle: db-2, epoch 2");
  group.record() = plan.record.value();
  plan = group.decide();
  EXPECT_EQ(recorded(plan), "Switchover Promote from db-2 to db-0, epoch 3");
}

TEST(GroupSwitchover, AnOrderThatIsObeyedIsTakenBack) {
  auto group = Group::formed();
  group.topology.order_by_note = "db-0";
  EXPECT_TRUE(group.decide().note_done);
}

}  // namespace
}  // namespace troupe::mysql_group::testing
