#include "tests/unit/actors/configmirror/kind.hpp"
#include "tests/unit/actors/memory_cluster/kind_test.hpp"

namespace troupe::actors {
namespace {

class ConfigMirrorTest : public KindTest<ConfigMirrorKind> {
 protected:
  ConfigMirrorTest() : KindTest("m") {
    cluster.put<k8s::ConfigMap>("origin", R"({"data": {"a": "1"}})");
    cluster.put<k8s::ConfigMirror>("m", R"({"spec": {"source": "origin", "target": "copy"}})");
  }
  std::string copy(std::string_view key) {
    return cluster.at<k8s::ConfigMap>("copy", "/data/" + std::string(key));
  }

  Subject<ConfigMirrorKind> mirror{cluster, "m"};
};

TEST_F(ConfigMirrorTest, MakesTheCopyAndSaysSo) {
  mirror.settle();
  EXPECT_EQ(copy("a"), "1");
  EXPECT_EQ(status("keys"), "1");
  EXPECT_EQ(status("conditions/0/status"), "True");
}

TEST_F(ConfigMirrorTest, FollowsItsSource) {
  mirror.settle();
  cluster.put<k8s::ConfigMap>("origin", R"({"data": {"b": "2"}})");
  mirror.settle();
  EXPECT_EQ(copy("a"), "");
  EXPECT_EQ(copy("b"), "2");
}

TEST_F(ConfigMirrorTest, MendsACopyThatAHandHasChanged) {
  mirror.settle();
  cluster.edit<k8s::ConfigMap>("copy", R"({"data": {"a": "other"}})");
  mirror.settle();
  EXPECT_EQ(copy("a"), "1");
}

TEST_F(ConfigMirrorTest, WritesNothingWhileAllIsWell) {
  mirror.settle();
  EXPECT_THAT(keys_of(mirror.decide()), IsEmpty());
}

TEST_F(ConfigMirrorTest, ASourceThatIsMissingIsNamedAndWaitedFor) {
  cluster.remove<k8s::ConfigMap>("origin");
  mirror.settle();
  EXPECT_EQ(status("conditions/0/message"), "ConfigMap prod/origin (spec.source) does not exist");
  EXPECT_THAT(cluster.events(), ElementsAre(HasSubstr("Warning SourceMissing")));
  cluster.put<k8s::ConfigMap>("origin", R"({"data": {"a": "3"}})");
  mirror.settle();
  EXPECT_EQ(copy("a"), "3");
}

TEST_F(ConfigMirrorTest, AConfigMapThatIsNoCopyIsLeftAlone) {
  cluster.put<k8s::ConfigMap>("copy", R"({"data": {"mine": "1"}})");
  EXPECT_THAT(rules_of(mirror.settle()), ElementsAre("NameTaken"));
  EXPECT_EQ(copy("mine"), "1");
  cluster.remove<k8s::ConfigMirror>("m");
  mirror.settle();
  EXPECT_TRUE(cluster.has<k8s::ConfigMap>("copy"));
}

TEST_F(ConfigMirrorTest, WhatTheApiServerRefusesIsTold) {
  cluster.admission = [](const Effect& e) -> std::optional<Error> {
    if (!e.key.starts_with("apply ConfigMap")) return {};
    return error(Code::Denied, "apply ConfigMap prod/copy: HTTP 403: exceeded quota: maps");
  };
  EXPECT_THAT(rules_of(mirror.settle()), ElementsAre("WriteRefused"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("exceeded quota: maps"));
  EXPECT_THAT(cluster.events(), ElementsAre(HasSubstr("Warning WriteRefused: refused: apply")));
  cluster.admission = {};
  mirror.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("True AllApplied"));
  EXPECT_THAT(cluster.events(), Contains(HasSubstr("Normal AllApplied: WriteRefused is over")));
}

TEST_F(ConfigMirrorTest, TakesTheCopyWithIt) {
  mirror.settle();
  cluster.remove<k8s::ConfigMirror>("m");
  mirror.settle();
  EXPECT_FALSE(cluster.has<k8s::ConfigMap>("copy"));
  EXPECT_FALSE(cluster.has<k8s::ConfigMirror>("m"));
}

}  // namespace
}  // namespace troupe::actors
