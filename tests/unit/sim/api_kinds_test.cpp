#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/sim/api_testing.hpp"

namespace troupe::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kPods = "/api/v1/namespaces/default/pods";

std::string pod(std::string_view name, std::string_view spec = "") {
  std::string text = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")";
  text.append(name).append(R"("},"spec":{"containers":[{"name":"c","image":"i:1"}])");
  return text.append(spec).append("}}");
}

class CustomResources : public testing::Test {
 protected:
  void SetUp() override {
    const auto created = cluster.post(kDefinitions, kWidgetDefinition);
    ASSERT_EQ(created.status, 201) << created.raw.body;
  }
  TestCluster cluster;
};

TEST_F(CustomResources, DefinitionIsEstablishedAndServed) {
  const auto definition = cluster.get(std::string(kDefinitions) + "/widgets.example.com");
  std::vector<std::string> conditions;
  for (const auto& c : *array_at(definition.body, "status.conditions")) {
    conditions.push_back(std::string(string_at(c, "type")) + "=" +
                         std::string(string_at(c, "status")));
  }
  EXPECT_THAT(conditions, ElementsAre("NamesAccepted=True", "Established=True"));
  EXPECT_EQ(cluster.get("/apis/example.com/v1").text("groupVersion"), "example.com/v1");
}

TEST_F(CustomResources, AreDefaultedPrunedAndValidated) {
  const auto created = cluster.post(kWidgets, widget("w", R"("spec":{"bogus":1})"));
  ASSERT_EQ(created.status, 201) << created.raw.body;
  EXPECT_EQ(json::serialize(created.body.at("spec")), R"({"size":3})");
  const auto refused = cluster.post(kWidgets, widget("x", R"("spec":{"size":0,"color":"green"})"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("Widget.example.com \"x\" is invalid"));
}

TEST_F(CustomResources, StatusAndSpecAreWrittenApart) {
  auto created = cluster.post(kWidgets, widget("w", R"("spec":{"size":4},"status":{"a":1})"));
  EXPECT_EQ(find(created.body, "status"), nullptr);
  auto object = created.body.get_object();
  object["status"] = json::object{{"a", 1}};
  set_at(object, "spec.size", 9);
  set_at(object, "metadata.labels.l", "v");
  const auto written = cluster.put(std::string(kWidgets) + "/w/status", json::serialize(object));
  ASSERT_EQ(written.status, 200) << written.raw.body;
  EXPECT_EQ(int_at(written.body, "status.a"), 1);
  EXPECT_EQ(int_at(written.body, "spec.size"), 4);
  EXPECT_EQ(find(written.body, "metadata.labels"), nullptr);
  EXPECT_EQ(int_at(written.body, "metadata.generation"), 1);
  const auto specced =
      cluster.merge(std::string(kWidgets) + "/w", R"({"spec":{"size":5},"status":{"a":2}})");
  EXPECT_EQ(int_at(specced.body, "metadata.generation"), 2);
  EXPECT_EQ(int_at(specced.body, "status.a"), 1);
}

TEST_F(CustomResources, PutNeedsAResourceVersion) {
  cluster.post(kWidgets, widget("w", ""));
  const auto refused =
      cluster.put(std::string(kWidgets) + "/w", widget("w", R"("spec":{"size":9})"));
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(
      std::string(refused.message()),
      HasSubstr("metadata.resourceVersion: Invalid value: 0: must be specified for an update"));
}

TEST_F(CustomResources, StrategicMergeIsUnsupported) {
  cluster.post(kWidgets, widget("w", ""));
  EXPECT_EQ(cluster
                .send("PATCH", std::string(kWidgets) + "/w", "{}",
                      "application/strategic-merge-patch+json")
                .status,
            415);
}

TEST_F(CustomResources, ScaleReadsAndWritesReplicas) {
  cluster.post(kWidgets, widget("w", R"("spec":{"replicas":2})"));
  EXPECT_EQ(int_at(cluster.get(std::string(kWidgets) + "/w/scale").body, "spec.replicas"), 2);
  const auto scaled =
      cluster.merge(std::string(kWidgets) + "/w/scale", R"({"spec":{"replicas":5}})");
  ASSERT_EQ(scaled.status, 200) << scaled.raw.body;
  EXPECT_EQ(int_at(cluster.get(std::string(kWidgets) + "/w").body, "spec.replicas"), 5);
}

TEST_F(CustomResources, ApplyConflictsNameTheFieldAndItsOwner) {
  EXPECT_EQ(
      cluster.apply(std::string(kWidgets) + "/w", widget("w", R"("spec":{"size":4})"), "m1").status,
      201);
  const auto conflict =
      cluster.apply(std::string(kWidgets) + "/w", widget("w", R"("spec":{"size":5})"), "m2");
  EXPECT_EQ(conflict.status, 409);
  const auto& cause = (*array_at(conflict.body, "details.causes"))[0];
  EXPECT_EQ(string_at(cause, "message"), "conflict with \"m1\"");
  EXPECT_EQ(string_at(cause, "field"), ".spec.size");
}

TEST_F(CustomResources, StrictlyUnknownFieldIsBadOnCreateAndInvalidOnPatch) {
  const auto query = "?fieldValidation=Strict";
  EXPECT_EQ(
      cluster.post(std::string(kWidgets) + query, widget("w", R"("spec":{"bogus":1})")).status,
      400);
  cluster.post(kWidgets, widget("w", ""));
  EXPECT_EQ(cluster.merge(std::string(kWidgets) + "/w" + query, R"({"spec":{"bogus":1}})").status,
            422);
}

TEST_F(CustomResources, TableShowsTheDefinitionsColumns) {
  cluster.post(kWidgets, widget("w", R"("spec":{"size":4})"));
  const auto table = cluster.get(kWidgets, "application/json;as=Table;v=v1;g=meta.k8s.io");
  EXPECT_EQ(json::serialize((*array_at(table.body, "rows"))[0].at("cells")),
            R"(["w",4,null,"0s"])");
}

TEST_F(CustomResources, DeletingTheDefinitionDeletesItsInstancesFirst) {
  cluster.post(kWidgets, widget("w", ""));
  cluster.merge(std::string(kWidgets) + "/w", R"({"metadata":{"finalizers":["x.io/f"]}})");
  const auto watch = cluster.watch(std::string(kWidgets) + "?watch=1");
  cluster.remove(std::string(kDefinitions) + "/widgets.example.com");
  EXPECT_EQ(cluster.post(kWidgets, widget("v", "")).status, 405);
  cluster.merge(std::string(kWidgets) + "/w", R"({"metadata":{"finalizers":null}})");
  EXPECT_EQ(cluster.get(kWidgets).status, 404);
  EXPECT_EQ(watch.log->summary().back(), "DELETED w");
  EXPECT_TRUE(watch.log->over);
  cluster.post(kDefinitions, kWidgetDefinition);
  EXPECT_TRUE(array_at(cluster.get(kWidgets).body, "items")->empty());
}

TEST_F(CustomResources, TakenKindIsNotAccepted) {
  std::string other = kWidgetDefinition;
  for (auto at = other.find("widgets"); at != std::string::npos; at = other.find("widgets", at)) {
    other.replace(at, 7, "gadgets");
  }
  ASSERT_EQ(cluster.post(kDefinitions, other).status, 201);
  const auto definition = cluster.get(std::string(kDefinitions) + "/gadgets.example.com");
  EXPECT_EQ(string_at((*array_at(definition.body, "status.conditions"))[0], "status"), "False");
  EXPECT_EQ(cluster.get("/apis/example.com/v1/namespaces/default/gadgets").status, 404);
}

TEST(Pods, GetDefaultsTokenAndPendingStatus) {
  TestCluster cluster;
  const auto created = cluster.post(kPods, pod("p"));
  ASSERT_EQ(created.status, 201) << created.raw.body;
  EXPECT_EQ(created.text("status.phase"), "Pending");
  EXPECT_EQ(created.text("status.qosClass"), "BestEffort");
  EXPECT_EQ(created.text("spec.restartPolicy"), "Always");
  const auto& container = (*array_at(created.body, "spec.containers"))[0];
  EXPECT_EQ(string_at(container, "imagePullPolicy"), "IfNotPresent");
  EXPECT_EQ(string_at((*array_at(container, "volumeMounts"))[0], "mountPath"),
            "/var/run/secrets/kubernetes.io/serviceaccount");
  EXPECT_EQ(array_at(created.body, "spec.tolerations")->size(), 2u);
}

TEST(Pods, SpecIsImmutableButForTheImage) {
  TestCluster cluster;
  cluster.post(kPods, pod("p"));
  const auto smp = "application/strategic-merge-patch+json";
  EXPECT_EQ(cluster
                .send("PATCH", kPods + "/p",
                      R"({"spec":{"containers":[{"name":"c","image":"i:2"}]}})", smp)
                .status,
            200);
  const auto refused = cluster.send(
      "PATCH", kPods + "/p", R"({"spec":{"containers":[{"name":"c","command":["x"]}]}})", smp);
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("pod updates may not change fields other than"));
}

TEST(Pods, MistakesAreNamed) {
  TestCluster cluster;
  const auto refused = cluster.post(
      kPods,
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"restartPolicy":"Sometimes","containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/v"}]}]}})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("spec.containers[0].volumeMounts[0].name: Not found: \"v\""));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("spec.restartPolicy: Unsupported value"));
}

TEST(Pods, BoundPodsAreDeletedGracefullyUnlessForced) {
  TestCluster cluster;
  cluster.post(kPods, pod("p"));
  const auto bound = cluster.post(
      kPods + "/p/binding",
      R"({"apiVersion":"v1","kind":"Binding","metadata":{"name":"p"},"target":{"kind":"Node","name":"n"}})");
  ASSERT_EQ(bound.status, 201) << bound.raw.body;
  const auto deleted = cluster.remove(kPods + "/p");
  EXPECT_EQ(int_at(deleted.body, "metadata.deletionGracePeriodSeconds"), 30);
  EXPECT_EQ(cluster.get(kPods + "/p").status, 200);
  cluster.remove(kPods + "/p", R"({"gracePeriodSeconds":0})");
  EXPECT_EQ(cluster.get(kPods + "/p").status, 404);
}

TEST(Pods, EvictionHonoursDisruptionBudgets) {
  TestCluster cluster;
  auto body = json::parse(pod("p")).get_object();
  set_at(body, "metadata.labels.app", "db");
  cluster.post(kPods, json::serialize(body));
  cluster.post("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
               R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"b"},
                   "spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"db"}}}})");
  cluster.merge(
      kPods + "/p/status",
      R"({"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}})");
  const auto eviction =
      R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p","namespace":"default"}})";
  const auto refused = cluster.post(kPods + "/p/eviction", eviction);
  EXPECT_EQ(refused.status, 429) << refused.raw.body;
  EXPECT_EQ(string_at((*array_at(refused.body, "details.causes"))[0], "reason"),
            "DisruptionBudget");
  cluster.remove("/apis/policy/v1/namespaces/default/poddisruptionbudgets/b");
  const auto dry =
      R"({"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p","namespace":"default"},
          "deleteOptions":{"dryRun":["All"]}})";
  EXPECT_EQ(cluster.post(kPods + "/p/eviction", dry).status, 201);
  EXPECT_EQ(cluster.get(kPods + "/p").status, 200);
  EXPECT_EQ(cluster.post(kPods + "/p/eviction", eviction).status, 201);
  EXPECT_EQ(cluster.get(kPods + "/p").status, 404);
}

const std::string kServices = "/api/v1/namespaces/default/services";

std::string service(std::string_view name, std::string_view spec) {
  std::string text = R"({"apiVersion":"v1","kind":"Service","metadata":{"name":")";
  return text.append(name).append(R"("},"spec":)").append(spec).append("}");
}

TEST(Services, OfClustersSideBySideOnAMachineGetOtherNodePorts) {
  std::set<std::int64_t> ports;
  for (const int network : {96, 97, 98}) {
    TestCluster cluster(ApiServerOptions{.service_network = network});
    const auto made =
        cluster.post(kServices, service("a", R"({"type":"NodePort","ports":[{"port":80}]})"));
    ports.insert(int_at((*array_at(made.body, "spec.ports"))[0], "nodePort").value());
  }
  EXPECT_EQ(ports.size(), 3u);
}

TEST(Services, GetAddressesAndNodePortsOfTheirOwn) {
  TestCluster cluster;
  const auto a =
      cluster.post(kServices, service("a", R"({"type":"NodePort","ports":[{"port":80}]})"));
  const auto b = cluster.post(kServices, service("b", R"({"ports":[{"port":80}]})"));
  ASSERT_EQ(a.status, 201) << a.raw.body;
  EXPECT_THAT(std::string(a.text("spec.clusterIP")), HasSubstr("10.96."));
  EXPECT_NE(a.text("spec.clusterIP"), b.text("spec.clusterIP"));
  const auto& port = (*array_at(a.body, "spec.ports"))[0];
  EXPECT_GE(int_at(port, "nodePort"), 30'000);
  EXPECT_EQ(int_at(port, "targetPort"), 80);
  const auto taken = cluster.post(
      kServices, service("c", R"({"clusterIP":")" + std::string(a.text("spec.clusterIP")) +
                                  R"(","ports":[{"port":80}]})"));
  EXPECT_EQ(taken.status, 422);
}

TEST(Services, HeadlessAndExternalNamesHaveNoAddress) {
  TestCluster cluster;
  EXPECT_EQ(cluster.post(kServices, service("h", R"({"clusterIP":"None"})")).text("spec.clusterIP"),
            "None");
  const auto external =
      cluster.post(kServices, service("e", R"({"type":"ExternalName","externalName":"x.io"})"));
  EXPECT_EQ(find(external.body, "spec.clusterIP"), nullptr);
  EXPECT_EQ(cluster.post(kServices, service("f", R"({"type":"ExternalName"})")).status, 422);
}

TEST(Secrets, StringDataBecomesData) {
  TestCluster cluster;
  const auto created = cluster.post(
      "/api/v1/namespaces/default/secrets",
      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"k":"v"}})");
  EXPECT_EQ(created.text("data.k"), "dg==");
  EXPECT_EQ(find(created.body, "stringData"), nullptr);
  EXPECT_EQ(created.text("type"), "Opaque");
}

TEST(Secrets, WhoWroteStringDataOwnsDataAndNoConflictFollows) {
  TestCluster cluster;
  const std::string body =
      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"k":"v"}})";
  const auto created = cluster.post("/api/v1/namespaces/default/secrets", body);
  EXPECT_NE(created.raw.body.find(R"("f:data")"), std::string::npos);
  EXPECT_EQ(created.raw.body.find(R"("f:stringData")"), std::string::npos);
  const auto applied = cluster.apply("/api/v1/namespaces/default/secrets/s", body);
  EXPECT_EQ(applied.status, 200) << applied.raw.body;
}

TEST(Events, AreOneCollectionInTwoGroups) {
  TestCluster cluster;
  cluster.post("/api/v1/namespaces/default/events",
               R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"e"},"message":"hello",
                   "involvedObject":{"kind":"Pod","name":"p","namespace":"default"}})");
  const auto grouped = cluster.get("/apis/events.k8s.io/v1/namespaces/default/events/e");
  EXPECT_EQ(grouped.text("note"), "hello") << grouped.raw.body;
  EXPECT_EQ(grouped.text("regarding.name"), "p");
  EXPECT_EQ(find(grouped.body, "message"), nullptr);
}

TEST(Tokens, AreIssuedReviewedAndExpire) {
  TestCluster cluster({.require_token = true, .admin_token = Secret("admin")});
  const auto ask = [&](std::string target, std::string body) {
    return json::parse(cluster.server
                           .handle({.method = "POST",
                                    .target = std::move(target),
                                    .content_type = "application/json",
                                    .authorization = "Bearer admin",
                                    .body = std::move(body)},
                                   cluster.now)
                           .body);
  };
  EXPECT_EQ(cluster.get("/api/v1/namespaces").status, 401);
  const auto issued = ask("/api/v1/namespaces/default/serviceaccounts/default/token", "{}");
  const std::string token(string_at(issued, "status.token"));
  const auto review = [&] {
    return ask("/apis/authentication.k8s.io/v1/tokenreviews",
               json::serialize(json::object{{"spec", {{"token", token}}}}));
  };
  EXPECT_EQ(string_at(review(), "status.user.username"), "system:serviceaccount:default:default");
  cluster.pass(std::chrono::hours(2));
  EXPECT_FALSE(true_at(review().get_object(), "status.authenticated"));
}

TEST(Discovery, AggregatedFormListsResourcesWithTheirSubresources) {
  TestCluster cluster;
  const auto answer =
      cluster.get("/api", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  EXPECT_EQ(answer.text("kind"), "APIGroupDiscoveryList");
  EXPECT_EQ(answer.raw.content_type,
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  EXPECT_EQ(cluster.get("/apis").text("kind"), "APIGroupList");
  EXPECT_EQ(cluster.get("/apis/nope/v1").status, 404);
}

}  // namespace
}  // namespace troupe::sim
