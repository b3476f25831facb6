#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sim/api_testing.hpp"

namespace troupe::sim {
namespace {

using testing::HasSubstr;

TEST(ApiServer, CreateGivesIdentityAndStoresTheObject) {
  TestCluster cluster;
  const auto created = cluster.post(kConfigMaps, config_map("a", R"({"k":"v"})"));
  ASSERT_EQ(created.status, 201) << created.raw.body;
  EXPECT_FALSE(created.text("metadata.uid").empty());
  EXPECT_EQ(created.text("metadata.creationTimestamp"), "2027-01-15T08:00:00Z");
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/a").text("data.k"), "v");
}

TEST(ApiServer, CreatingTwiceIsAlreadyExists) {
  TestCluster cluster;
  cluster.post(kConfigMaps, config_map("a"));
  const auto again = cluster.post(kConfigMaps, config_map("a"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.reason(), "AlreadyExists");
  EXPECT_EQ(again.message(), "configmaps \"a\" already exists");
}

TEST(ApiServer, MissingObjectIsNotFoundByResourceAndGroup) {
  TestCluster cluster;
  const auto missing = cluster.get("/apis/apps/v1/namespaces/default/deployments/x");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.message(), "deployments.apps \"x\" not found");
  EXPECT_EQ(missing.text("details.group"), "apps");
}

TEST(ApiServer, GenerateNameAppendsFiveCharacters) {
  TestCluster cluster;
  const auto created = cluster.post(
      kConfigMaps, R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"a-"}})");
  ASSERT_EQ(created.status, 201);
  EXPECT_EQ(created.text("metadata.name").size(), 7u);
}

TEST(ApiServer, InvalidNameIsRefusedWithItsRule) {
  TestCluster cluster;
  const auto refused = cluster.post(kConfigMaps, config_map("Not_Valid"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.reason(), "Invalid");
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("metadata.name: Invalid value: \"Not_Valid\""));
}

TEST(ApiServer, ResourceVersionOnCreateIsAnError) {
  TestCluster cluster;
  const auto refused =
      cluster.post(kConfigMaps, config_map("a", "{}", R"(,"resourceVersion":"5")"));
  EXPECT_EQ(refused.status, 500);
}

TEST(ApiServer, StaleResourceVersionConflicts) {
  TestCluster cluster;
  const auto created = cluster.post(kConfigMaps, config_map("a"));
  const auto stale = std::string(created.text("metadata.resourceVersion"));
  cluster.merge(std::string(kConfigMaps) + "/a", R"({"data":{"k":"1"}})");
  const auto refused =
      cluster.put(std::string(kConfigMaps) + "/a",
                  config_map("a", R"({"k":"2"})", R"(,"resourceVersion":")" + stale + "\""));
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.reason(), "Conflict");
}

TEST(ApiServer, ConfigMapsUpdateWithoutResourceVersion) {
  TestCluster cluster;
  cluster.post(kConfigMaps, config_map("a"));
  EXPECT_EQ(cluster.put(std::string(kConfigMaps) + "/a", config_map("a", R"({"k":"2"})")).status,
            200);
}

TEST(ApiServer, NoOpWriteKeepsResourceVersionAndSendsNoEvent) {
  TestCluster cluster;
  const auto created = cluster.post(kConfigMaps, config_map("a", R"({"k":"v"})"));
  const auto watch = cluster.watch(std::string(kConfigMaps) + "?watch=1&resourceVersion=" +
                                   std::string(created.text("metadata.resourceVersion")));
  cluster.pass(std::chrono::seconds(5));
  const auto again = cluster.merge(std::string(kConfigMaps) + "/a", R"({"data":{"k":"v"}})");
  EXPECT_EQ(again.text("metadata.resourceVersion"), created.text("metadata.resourceVersion"));
  EXPECT_TRUE(watch.log->events.empty());
}

TEST(ApiServer, PutCreatesALeaseButNoConfigMap) {
  TestCluster cluster;
  EXPECT_EQ(cluster.put(std::string(kConfigMaps) + "/a", config_map("a")).status, 404);
  const auto lease = cluster.put(
      "/apis/coordination.k8s.io/v1/namespaces/default/leases/l",
      R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"},"spec":{}})");
  EXPECT_EQ(lease.status, 201) << lease.raw.body;
}

TEST(ApiServer, DryRunStoresNothing) {
  TestCluster cluster;
  EXPECT_EQ(cluster.post(std::string(kConfigMaps) + "?dryRun=All", config_map("a")).status, 201);
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/a").status, 404);
}

TEST(ApiServer, UnknownFieldIsRefusedStrictlyAndElseWarnedOf) {
  TestCluster cluster;
  const auto body = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dta":{}})";
  const auto strict = cluster.post(std::string(kConfigMaps) + "?fieldValidation=Strict", body);
  EXPECT_EQ(strict.status, 400);
  EXPECT_EQ(strict.message(), "strict decoding error: unknown field \"dta\"");
  const auto warned = cluster.post(kConfigMaps, body);
  EXPECT_EQ(warned.status, 201);
  ASSERT_EQ(warned.raw.headers.size(), 1u);
  EXPECT_EQ(warned.raw.headers[0].second, "299 - \"unknown field \\\"dta\\\"\"");
}

TEST(ApiServer, YamlBodiesAreAccepted) {
  TestCluster cluster;
  const auto created =
      cluster.send("POST", kConfigMaps,
                   "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  on: \"true\"\n",
                   "application/yaml");
  ASSERT_EQ(created.status, 201) << created.raw.body;
  EXPECT_EQ(created.text("data.on"), "true");
}

TEST(ApiServer, ProtobufAndLargeBodiesAreRefused) {
  TestCluster cluster;
  EXPECT_EQ(cluster.send("POST", kConfigMaps, "k8s", "application/vnd.kubernetes.protobuf").status,
            415);
  EXPECT_EQ(cluster.post(kConfigMaps, std::string(kMaxBodyBytes + 1, ' ')).status, 413);
}

TEST(ApiServer, JsonPatchWithFailingTestIsUnprocessable) {
  TestCluster cluster;
  cluster.post(kConfigMaps, config_map("a", R"({"k":"v"})"));
  const auto refused = cluster.send("PATCH", std::string(kConfigMaps) + "/a",
                                    R"([{"op":"test","path":"/data/k","value":"w"}])",
                                    "application/json-patch+json");
  EXPECT_EQ(refused.status, 422);
  const auto patched = cluster.send("PATCH", std::string(kConfigMaps) + "/a",
                                    R"([{"op":"add","path":"/metadata/annotations","value":{}},
          {"op":"add","path":"/metadata/annotations/x.io~1y","value":"w"}])",
                                    "application/json-patch+json");
  EXPECT_EQ(json::serialize(*find(patched.body, "metadata.annotations")), R"({"x.io/y":"w"})");
}

TEST(ApiServer, StrategicMergeMergesListsByKey) {
  TestCluster cluster;
  cluster.post("/api/v1/namespaces/default/services",
               R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},
                   "spec":{"ports":[{"name":"a","port":1},{"name":"b","port":2}]}})");
  const auto patched = cluster.send("PATCH", "/api/v1/namespaces/default/services/s",
                                    R"({"spec":{"ports":[{"port":2,"targetPort":9}]}})",
                                    "application/strategic-merge-patch+json");
  ASSERT_EQ(patched.status, 200) << patched.raw.body;
  const auto* ports = array_at(patched.body, "spec.ports");
  ASSERT_EQ(ports->size(), 2u);
  EXPECT_EQ(int_at((*ports)[1], "targetPort"), 9);
}

TEST(ApiServer, FinalizerHoldsDeletionUntilRemoved) {
  TestCluster cluster;
  cluster.post(kConfigMaps, config_map("a", "{}", R"(,"finalizers":["x.io/f"])"));
  const auto watch =
      cluster.watch(std::string(kConfigMaps) + "?watch=1&fieldSelector=metadata.name%3Da");
  const auto deleted = cluster.remove(std::string(kConfigMaps) + "/a");
  EXPECT_EQ(deleted.status, 200);
  EXPECT_FALSE(deleted.text("metadata.deletionTimestamp").empty());
  const auto meanwhile = cluster.post(kConfigMaps, config_map("a"));
  EXPECT_THAT(std::string(meanwhile.message()), HasSubstr("object is being deleted: "));
  const auto added = cluster.merge(std::string(kConfigMaps) + "/a",
                                   R"({"metadata":{"finalizers":["x.io/f","y.io/g"]}})");
  EXPECT_THAT(std::string(added.message()), HasSubstr("found new finalizers []string{\"y.io/g\"}"));
  cluster.merge(std::string(kConfigMaps) + "/a", R"({"metadata":{"finalizers":null}})");
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/a").status, 404);
  EXPECT_EQ(watch.log->summary(), (std::vector<std::string>{"ADDED a", "MODIFIED a", "DELETED a"}));
  EXPECT_NE(array_at(watch.log->events.back(), "object.metadata.finalizers"), nullptr);
}

TEST(ApiServer, DeletePreconditionsAreChecked) {
  TestCluster cluster;
  cluster.post(kConfigMaps, config_map("a"));
  const auto refused = cluster.remove(
      std::string(kConfigMaps) + "/a",
      R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"other"}})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/a").status, 200);
}

TEST(ApiServer, DeleteCollectionHonoursTheSelector) {
  TestCluster cluster;
  cluster.post(kConfigMaps, config_map("a", "{}", R"(,"labels":{"x":"1"})"));
  cluster.post(kConfigMaps, config_map("b"));
  EXPECT_EQ(cluster.remove(std::string(kConfigMaps) + "?labelSelector=x").status, 200);
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/a").status, 404);
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/b").status, 200);
}

TEST(ApiServer, BackgroundDeletionCollectsDependents) {
  TestCluster cluster;
  const auto owner = cluster.post(kConfigMaps, config_map("owner"));
  const auto reference =
      R"(,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":")" +
      std::string(owner.text("metadata.uid")) + R"("}])";
  cluster.post(kConfigMaps, config_map("child", "{}", reference));
  cluster.remove(std::string(kConfigMaps) + "/owner");
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/child").status, 404);
}

TEST(ApiServer, OrphaningKeepsDependentsWithoutTheReference) {
  TestCluster cluster;
  const auto owner = cluster.post(kConfigMaps, config_map("owner"));
  const auto reference =
      R"(,"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":")" +
      std::string(owner.text("metadata.uid")) + R"("}])";
  cluster.post(kConfigMaps, config_map("child", "{}", reference));
  cluster.remove(std::string(kConfigMaps) + "/owner?propagationPolicy=Orphan");
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/owner").status, 404);
  const auto child = cluster.get(std::string(kConfigMaps) + "/child");
  EXPECT_EQ(child.status, 200);
  EXPECT_EQ(find(child.body, "metadata.ownerReferences"), nullptr);
}

TEST(ApiServer, ForegroundDeletionWaitsForBlockingDependents) {
  TestCluster cluster;
  const auto owner = cluster.post(kConfigMaps, config_map("owner"));
  const auto metadata =
      R"(,"finalizers":["x.io/f"],"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","blockOwnerDeletion":true,"uid":")" +
      std::string(owner.text("metadata.uid")) + R"("}])";
  cluster.post(kConfigMaps, config_map("child", "{}", metadata));
  cluster.remove(std::string(kConfigMaps) + "/owner?propagationPolicy=Foreground");
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/owner").status, 200);
  cluster.merge(std::string(kConfigMaps) + "/child", R"({"metadata":{"finalizers":null}})");
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "/owner").status, 404);
}

TEST(ApiServer, NamespaceDeletionRemovesItsContentFirst) {
  TestCluster cluster;
  cluster.post("/api/v1/namespaces",
               R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}})");
  EXPECT_EQ(cluster.get("/api/v1/namespaces/n/serviceaccounts/default").status, 200);
  cluster.post("/api/v1/namespaces/n/configmaps",
               config_map("a", "{}", R"(,"finalizers":["x.io/f"])"));
  cluster.remove("/api/v1/namespaces/n");
  EXPECT_EQ(cluster.get("/api/v1/namespaces/n").text("status.phase"), "Terminating");
  const auto refused = cluster.post("/api/v1/namespaces/n/configmaps", config_map("b"));
  EXPECT_EQ(refused.status, 403);
  cluster.merge("/api/v1/namespaces/n/configmaps/a", R"({"metadata":{"finalizers":null}})");
  EXPECT_EQ(cluster.get("/api/v1/namespaces/n").status, 404);
}

TEST(ApiServer, UnknownNamespaceRefusesContent) {
  TestCluster cluster;
  const auto refused = cluster.post("/api/v1/namespaces/nope/configmaps", config_map("a"));
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.message(), "namespaces \"nope\" not found");
}

TEST(ApiServer, SameSeedSameAnswers) {
  TestCluster one({.seed = 7});
  TestCluster two({.seed = 7});
  EXPECT_EQ(one.post(kConfigMaps, config_map("a")).raw.body,
            two.post(kConfigMaps, config_map("a")).raw.body);
}

TEST(ApiServer, InjectedErrorsHaveNoEffect) {
  TestCluster cluster({.faults = {.error = 1.0}});
  const auto refused = cluster.post(kConfigMaps, config_map("a"));
  EXPECT_TRUE(refused.status == 500 || refused.status == 503 || refused.status == 429);
  EXPECT_EQ(cluster.server.local_client("t", [&] { return cluster.now; })
                ->get("configmaps", "default", "a")
                .error()
                .code,
            Code::NotFound);
}

}  // namespace
}  // namespace troupe::sim
