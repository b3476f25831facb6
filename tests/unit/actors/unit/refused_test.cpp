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

}  // namespace
}  // namespace troupe::actors
