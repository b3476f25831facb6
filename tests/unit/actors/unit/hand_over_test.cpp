// A server that is a source ends once another has taken its role over, or a minute later.
#include "tests/unit/actors/unit/unit_fixture.hpp"

namespace troupe::actors {
namespace {

using ::testing::AllOf;
using ::testing::StartsWith;

class UnitHandOver : public UnitTest {
 protected:
  UnitHandOver() {
    run();
    has_role("false");
    is_recorded("db-0");
  }

  // What the replication makes of its Pod; empty: neither source nor replica just now.
  void has_role(std::string_view readonly) {
    boost::json::object labels{{kReplicationLabel, "shop"}, {kReadonlyLabel, nullptr}};
    if (!readonly.empty()) labels[kReadonlyLabel] = readonly;
    cluster.edit<k8s::Pod>(
        "db-0", boost::json::serialize(boost::json::object{{"metadata", {{"labels", labels}}}}));
  }
  void is_recorded(std::string_view source, std::string_view operation = "null") {
    cluster.put<k8s::MysqlReplication>(
        "shop", fmt::format(R"({{"status": {{"currentSource": "{}", "operation": {}}}}})", source,
                            operation));
  }
  void hands_over() {
    has_role("true");
    is_recorded("db-1");
  }
  std::string wish() { return pod("/metadata/annotations/troupe.dev~1hand-over"); }
  std::string soon() { return pod("/metadata/annotations/troupe.dev~1hand-over-soon"); }
  auto stopped() { return testing::Contains("StopProcess"); }
};

TEST_F(UnitHandOver, IsAskedForOnThePodBeforeItsServerIsStoppedForAnotherTemplate) {
  set_image("mysql:8.0.42");
  unit.step();
  const auto first = unit.step();
  const auto* note = action<MergePatch>(first, "note hand-over");
  ASSERT_NE(note, nullptr);
  EXPECT_THAT(note->body, HasSubstr(fmt::format(R"("resourceVersion":"{}")", note->expected.value)))
      << "of this Pod, and of no later one";
  const auto then = unit.settle();
  EXPECT_EQ(wish(), "to be replaced");
  EXPECT_EQ(soon(), "") << "replicas may catch up first";
  EXPECT_THAT(cluster.asked(), Not(stopped()));
  EXPECT_EQ(then.doing, "handing its role over first");
  EXPECT_EQ(then.wake, cluster.now + std::chrono::seconds(30));
  EXPECT_THAT(guard_text(then, "HandsOverFirst"),
              AllOf(HasSubstr("db-0 is to be replaced and is the source of MysqlReplication shop"),
                    HasSubstr("after 60 s")));
  EXPECT_EQ(status("task"), "TemplateChanged");
  EXPECT_THAT(condition("Reconciled"), StartsWith("False HandsOverFirst"));
  EXPECT_THAT(cluster.events(), Not(Contains(HasSubstr("HandsOverFirst")))) << "nothing is wrong";
}

TEST_F(UnitHandOver, IsOverOnceAnotherTakesWrites) {
  set_image("mysql:8.0.42");
  unit.settle();
  has_role("");
  unit.settle();
  EXPECT_THAT(cluster.asked(), Not(stopped())) << "it is being closed";
  has_role("true");
  is_recorded("db-1", R"({"type": "Switchover", "step": "Promote", "from": "db-0"})");
  unit.settle();
  EXPECT_THAT(cluster.asked(), Not(stopped())) << "nobody takes writes yet";
  is_recorded("db-1");
  unit.settle();
  EXPECT_THAT(cluster.asked(), stopped().Times(1));
  EXPECT_EQ(pod("/spec/containers/0/image"), "mysql:8.0.42");
  EXPECT_EQ(wish(), "") << "the new Pod has none";
}

TEST_F(UnitHandOver, IsNotBegunAnewWhereTheRoleIsLostAfterwards) {
  set_image("mysql:8.0.42");
  unit.settle();
  hands_over();
  has_role("");
  unit.settle();
  EXPECT_THAT(cluster.asked(), stopped());
}

TEST_F(UnitHandOver, IsOverWithTheReplication) {
  set_image("mysql:8.0.42");
  unit.settle();
  has_role("");
  cluster.remove<k8s::MysqlReplication>("shop");
  unit.settle();
  EXPECT_THAT(cluster.asked(), stopped());
}

TEST_F(UnitHandOver, IsNotAskedOfAReplica) {
  hands_over();
  set_image("mysql:8.0.42");
  unit.step();
  EXPECT_EQ(action<MergePatch>(unit.step(), "note hand-over"), nullptr);
  EXPECT_THAT(cluster.asked(), stopped());
}

TEST_F(UnitHandOver, IsNotWaitedForBeyondAMinute) {
  set_image("mysql:8.0.42");
  unit.settle();
  cluster.now += std::chrono::seconds(59);
  EXPECT_EQ(unit.settle().wake, cluster.now + std::chrono::seconds(1));
  EXPECT_THAT(cluster.asked(), Not(stopped()));
  cluster.now += std::chrono::seconds(1);
  unit.settle();
  EXPECT_THAT(cluster.asked(), stopped().Times(1));
  EXPECT_EQ(pod("/spec/containers/0/image"), "mysql:8.0.42");
  EXPECT_THAT(cluster.events(),
              Contains(AllOf(StartsWith("Warning NotHandedOver: db-0 was asked to hand over"),
                             HasSubstr("role in MysqlReplication shop"), HasSubstr("60 s")))
                  .Times(1));
}

TEST_F(UnitHandOver, IsSoonAfterHalfAMinute) {
  set_image("mysql:8.0.42");
  unit.settle();
  cluster.now += std::chrono::seconds(30);
  const auto decision = unit.settle();
  EXPECT_EQ(wish() + soon(), "to be replacedtrue");
  EXPECT_EQ(decision.wake, cluster.now + std::chrono::seconds(30));
}

// Another machine's clock may say anything.
TEST_F(UnitHandOver, IsWaitedForAnewByTheNextOperator) {
  set_image("mysql:8.0.42");
  unit.settle();
  cluster.now += std::chrono::seconds(40);
  unit.settle();
  unit.memory = {};
  unit.settle();
  cluster.now += std::chrono::seconds(40);
  unit.settle();
  EXPECT_EQ(wish() + soon(), "to be replacedtrue") << "what was said is not taken back";
  EXPECT_THAT(cluster.asked(), Not(stopped()));
  cluster.now += std::chrono::seconds(60);
  unit.settle();
  EXPECT_THAT(cluster.asked(), stopped().Times(1));
}

TEST_F(UnitHandOver, OfOneThatNobodySeesEndsNothing) {
  set_image("mysql:8.0.42");
  unit.settle();
  cluster.agent_of_pod("db-0").stream = agent::StreamState::Lost;
  unit.settle();
  EXPECT_EQ(pod("/spec/containers/0/image"), "mysql:8.0.41") << "its server may run";
}

TEST_F(UnitHandOver, IsTakenBackWithTheChange) {
  set_image("mysql:8.0.42");
  unit.settle();
  set_image("mysql:8.0.41");
  unit.settle();
  EXPECT_EQ(wish() + soon(), "");
  EXPECT_THAT(cluster.asked(), Not(stopped()));
  EXPECT_THAT(condition("Reconciled"), StartsWith("True"));
}

TEST_F(UnitHandOver, NeedsAServerThatRuns) {
  cluster.agent_of_pod("db-0").process.state = agent::ProcessState::Exited;
  set_image("mysql:8.0.42");
  unit.settle();
  EXPECT_EQ(pod("/spec/containers/0/image"), "mysql:8.0.42");
}

TEST_F(UnitHandOver, IsNotForOneThatIsToGoByForce) {
  annotate(kForceDeleteAnnotation, "true");
  set_image("mysql:8.0.42");
  EXPECT_THAT(keys_of(unit.step()), Contains("delete Pod at once"));
}

TEST_F(UnitHandOver, IsNotForAPodThatHasEnded) {
  spec(R"({"failedPodRecoveryPolicy": {"enabled": true, "reconcileThreshold": 0}})");
  cluster.edit<k8s::Pod>("db-0", R"({"status": {"phase": "Failed", "reason": "NodeAffinity"}})");
  EXPECT_EQ(action<MergePatch>(unit.step(), "note hand-over"), nullptr);
  EXPECT_THAT(cluster.asked(), stopped());
}

TEST_F(UnitHandOver, ComesBeforeStartupFalseAsWell) {
  spec(R"({"startup": false})");
  unit.settle();
  EXPECT_EQ(wish(), "to be stopped");
  EXPECT_THAT(cluster.asked(), Not(stopped()));
  hands_over();
  unit.settle();
  EXPECT_THAT(cluster.asked(), stopped().Times(1));
  EXPECT_EQ(wish(), "to be stopped") << "it stays away";
  spec(R"({"startup": true})");
  unit.settle();
  EXPECT_EQ(wish(), "");
  EXPECT_EQ(cluster.asked().back(), "StartProcess");
}

}  // namespace
}  // namespace troupe::actors
