// What the API server refuses to a Unit: named while it does, over when it does no more.
#include "tests/unit/actors/unit/unit_fixture.hpp"

namespace troupe::actors {
namespace {

class UnitRefused : public UnitTest {
 protected:
  void refuse_pods(std::string text) {
    cluster.admission = [text](const Effect& e) -> std::optional<Error> {
      if (e.key != "create Pod") return {};
      return error(Code::Invalid, "apply Pod prod/db-0: HTTP 422: " + text);
    };
  }
};

TEST_F(UnitRefused, APodIsNamedWithTheServersWordsAndToldOnce) {
  refuse_pods("spec.containers[0].resources.requests: Invalid value: \"2\"");
  EXPECT_THAT(rules_of(unit.settle()), ElementsAre("WriteRefused"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("False WriteRefused: refused: apply Pod"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("resources.requests"));
  EXPECT_THAT(cluster.events(), ElementsAre(HasSubstr("Warning WriteRefused")));
}

TEST_F(UnitRefused, AnUnchangedRefusalWritesNothing) {
  refuse_pods("used: 1");
  unit.settle();
  refuse_pods("used: 2");
  cluster.now += std::chrono::minutes(1);
  EXPECT_THAT(keys_of(unit.step()), ElementsAre("create Pod"));
  EXPECT_THAT(keys_of(unit.step()), ElementsAre("create Pod"));
}

TEST_F(UnitRefused, IsOverWhenTheWriteSucceeds) {
  refuse_pods("no");
  unit.settle();
  cluster.admission = {};
  unit.settle();
  EXPECT_TRUE(cluster.has<k8s::Pod>("db-0"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("True AllApplied"));
  EXPECT_THAT(cluster.events(), Contains(HasSubstr("Normal AllApplied: WriteRefused is over")));
}

TEST_F(UnitRefused, IsOverWhenItIsNoLongerAskedFor) {
  refuse_pods("no");
  unit.settle();
  cluster.remove<k8s::ConfigMap>("template");
  EXPECT_THAT(rules_of(unit.settle()), ElementsAre("ConfigMapMissing"));
  EXPECT_THAT(condition("Reconciled"), Not(HasSubstr("refused")));
}

// A Pod that runs is worth more than one that the API server does not take.
class UnitWithAnotherTemplate : public UnitTest {
 protected:
  UnitWithAnotherTemplate() {
    run();
    made = cluster.find<k8s::Pod>("db-0")->metadata.uid.str();
  }

  void answer_tries(Code code) {
    cluster.admission = [code](const Effect& e) -> std::optional<Error> {
      if (!e.key.starts_with("try Pod ")) return {};
      return error(code, "apply Pod prod/db-0-x: limits: must not be below requests");
    };
  }
  bool is_replaced() { return cluster.find<k8s::Pod>("db-0")->metadata.uid != made; }

  std::string made;
};

TEST_F(UnitWithAnotherTemplate, TriesItUnderANameThatNoPodHas) {
  set_image("mysql:8.0.42");
  const auto first = unit.step();
  ASSERT_THAT(keys_of(first), ElementsAre(HasSubstr("try Pod "), "status"));
  const auto& tried = std::get<Apply>(first.effects.front().action);
  EXPECT_TRUE(tried.dry_run);
  EXPECT_THAT(tried.object.name, HasSubstr("db-0-"));
  EXPECT_THAT(tried.body, HasSubstr(fmt::format(R"("name":"{}")", tried.object.name)));
  EXPECT_THAT(tried.body, HasSubstr("mysql:8.0.42"));
  unit.settle();
  EXPECT_TRUE(is_replaced());
}

// A set goes on to the next Unit when this one says that it was followed, and is ready.
TEST_F(UnitWithAnotherTemplate, IsFollowedOnceThePodIsBeingReplacedAndNotBefore) {
  const auto generation = [this] { return cluster.find<k8s::Unit>("db-0")->metadata.generation; };
  const auto followed = [this] {
    return cluster.find<k8s::Unit>("db-0")->status.observedGeneration;
  };
  unit.settle();
  ASSERT_EQ(followed(), generation());
  answer_tries(Code::Invalid);
  set_image("mysql:8.0.42");
  unit.settle();
  EXPECT_EQ(status("phase"), "Ready");
  EXPECT_LT(followed(), generation());

  cluster.admission = {};
  set_image("mysql:8.0.43");
  unit.settle();
  EXPECT_TRUE(is_replaced());
  EXPECT_EQ(followed(), generation());
}

TEST_F(UnitWithAnotherTemplate, KeepsThePodWhereTheOtherIsInvalid) {
  answer_tries(Code::Invalid);
  set_image("mysql:8.0.42");
  unit.settle();
  EXPECT_FALSE(is_replaced());
  EXPECT_THAT(cluster.asked(), Not(Contains("StopProcess")));
  EXPECT_EQ(status("phase"), "Ready");
  EXPECT_THAT(condition("Reconciled"), HasSubstr("WriteRefused: refused: apply Pod"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("correct the specification"));

  cluster.admission = {};
  set_image("mysql:8.0.43");
  unit.settle();
  EXPECT_TRUE(is_replaced());
  EXPECT_THAT(condition("Reconciled"), HasSubstr("True AllApplied"));
}

TEST_F(UnitWithAnotherTemplate, WaitsForAServerThatIsAway) {
  answer_tries(Code::Retry);
  set_image("mysql:8.0.42");
  unit.settle();
  EXPECT_FALSE(is_replaced());
}

TEST_F(UnitWithAnotherTemplate, IsReplacedWhereAQuotaForbidsTwoOrNobodyCanTell) {
  answer_tries(Code::Denied);
  set_image("mysql:8.0.42");
  unit.settle();
  EXPECT_TRUE(is_replaced());
}

}  // namespace
}  // namespace troupe::actors
