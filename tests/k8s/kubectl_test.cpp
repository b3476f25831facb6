// kubectl against the API server: what a person types, and what they should see.
#include <gmock/gmock.h>

#include <fstream>

#include "tests/k8s/kubectl_fixture.hpp"

namespace troupe::sim {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kWidgetDefinition = R"(
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.kubectl.example.com}
spec:
  group: kubectl.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Color, type: string, jsonPath: .spec.color, priority: 1}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What the widget should be.
            properties:
              size: {type: integer, minimum: 1, default: 3, description: How large it is.}
              replicas: {type: integer}
              color: {type: string}
          status:
            type: object
            x-kubernetes-preserve-unknown-fields: true
)";

constexpr const char* kWidget = R"(
apiVersion: kubectl.example.com/v1
kind: Widget
metadata: {name: w}
spec: {size: 4, replicas: 1, color: red}
)";

constexpr const char* kDeployment = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  replicas: 2
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: i, image: "registry.example/i:1"}]}
)";

class WidgetTest : public KubectlTest {
 protected:
  void SetUp() override {
    KubectlTest::SetUp();
    ok("apply -f -", kWidgetDefinition);
    ok("wait --for=condition=Established --timeout=20s crd/widgets.kubectl.example.com");
  }
};

TEST_F(KubectlTest, ApiResourcesListsKindsWithShortNames) {
  const auto out = ok("api-resources");
  EXPECT_THAT(out, HasSubstr("configmaps"));
  EXPECT_THAT(out, HasSubstr("poddisruptionbudgets"));
  EXPECT_THAT(ok("version"), HasSubstr("Server Version: v1.36"));
}

TEST_F(KubectlTest, DebugIsToldWhereEphemeralContainersAreNotServed) {
  ok("apply -f -",
     "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
     "spec: {containers: [{name: c, image: \"registry.example/i:1\"}]}\n");
  const auto ran = kubectl("debug p --image=registry.example/tools:1");
  if (ran.status == 0) return;  // a server that has them
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("ephemeral containers are disabled for this cluster"));
}

TEST_F(KubectlTest, CreateGetAndDeleteAConfigMap) {
  make_config_map("c", "{k: v}");
  EXPECT_THAT(ok("get configmaps"), AllOf(HasSubstr("NAME"), HasSubstr("DATA"), HasSubstr("AGE")));
  EXPECT_EQ(ok("get configmap c -o jsonpath={.data.k}"), "v");
  EXPECT_THAT(ok("delete configmap c"), HasSubstr("deleted"));
  const auto gone = kubectl("get configmap c");
  EXPECT_EQ(gone.status, 1);
  EXPECT_THAT(gone.err, HasSubstr("Error from server (NotFound): configmaps \"c\" not found"));
}

TEST_F(KubectlTest, ApplyCreatesConfiguresAndLeavesUnchanged) {
  const std::string first =
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v, l: w}\n";
  const std::string second = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: x}\n";
  EXPECT_THAT(ok("apply -f -", first), HasSubstr("configmap/c created"));
  EXPECT_THAT(ok("apply -f -", first), HasSubstr("configmap/c unchanged"));
  EXPECT_THAT(ok("apply -f -", second), HasSubstr("configmap/c configured"));
  EXPECT_EQ(ok("get configmap c -o jsonpath={.data}"), R"({"k":"x"})");
}

TEST_F(KubectlTest, ServerSideApplyReportsConflicts) {
  const std::string mine = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v}\n";
  const std::string theirs = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: w}\n";
  EXPECT_THAT(ok("apply --server-side --field-manager=mine -f -", mine),
              HasSubstr("configmap/c serverside-applied"));
  const auto refused = kubectl("apply --server-side --field-manager=theirs -f -", theirs);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("conflict with \"mine\": .data.k"));
  ok("apply --server-side --field-manager=theirs --force-conflicts -f -", theirs);
  EXPECT_EQ(ok("get configmap c -o jsonpath={.data.k}"), "w");
}

TEST_F(KubectlTest, DiffShowsTheChangeAndWritesNothing) {
  make_config_map("c", "{k: v}");
  const auto diff = kubectl(
      "diff -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: changed}\n");
  EXPECT_EQ(diff.status, 1) << diff.err;
  EXPECT_THAT(diff.out, AllOf(HasSubstr("-  k: v"), HasSubstr("+  k: changed")));
  EXPECT_EQ(ok("get configmap c -o jsonpath={.data.k}"), "v");
}

TEST_F(KubectlTest, UnknownFieldsAreRefusedByTheServer) {
  const auto refused =
      kubectl("create -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndatum: {}\n");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("unknown field \"datum\""));
}

// kubectl validates these itself, with the OpenAPI v2 document.
TEST_F(KubectlTest, AListOfSeveralKindsIsAppliedAtOnce) {
  const std::string list = R"(
apiVersion: v1
kind: List
metadata: {}
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: v}}
- apiVersion: v1
  kind: Service
  metadata: {name: s}
  spec: {ports: [{port: 80, targetPort: 8080}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: p}
  spec:
    containers:
    - {name: c, image: "registry.example/i:1", resources: {requests: {cpu: 1, memory: 1Gi}}}
)";
  EXPECT_THAT(ok("apply -f -", list),
              AllOf(HasSubstr("configmap/c created"), HasSubstr("service/s created"),
                    HasSubstr("pod/p created")));
  EXPECT_THAT(ok("apply -f -", list), HasSubstr("configmap/c unchanged"));
  EXPECT_THAT(ok("delete --wait=false -f -", list), HasSubstr("\"c\" deleted"));
}

TEST_F(KubectlTest, UnknownFieldsInAListAreRefusedByKubectl) {
  const auto refused = kubectl("apply -f -", R"(
apiVersion: v1
kind: List
items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, datum: {}}]
)");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("unknown field \"datum\" in io.k8s.api.core.v1.ConfigMap"));
}

TEST_F(KubectlTest, LabelAnnotatePatchAndSelect) {
  make_config_map("a");
  make_config_map("b");
  ok("label configmap a tier=gold");
  ok("annotate configmap a note=x");
  EXPECT_EQ(ok("get configmap -l tier=gold -o name"), "configmap/a\n");
  EXPECT_EQ(ok("get configmap --field-selector metadata.name=b -o name"), "configmap/b\n");
  ok(R"(patch configmap a --type=json -p [{"op":"add","path":"/data","value":{"k":"v"}}])");
  EXPECT_EQ(ok("get configmap a -o jsonpath={.data.k}"), "v");
}

TEST_F(KubectlTest, DescribeShowsObjectsAndTheirEvents) {
  make_config_map("c", "{key: value}");
  EXPECT_THAT(ok("describe configmap c"), AllOf(HasSubstr("key:"), HasSubstr("value")));
  ok("run p --image=registry.example/i:1 --restart=Never");
  EXPECT_THAT(ok("describe pod p"),
              AllOf(HasSubstr("Status:"), HasSubstr("Pending"), HasSubstr("kube-api-access-")));
  EXPECT_THAT(ok("get pods -o wide"), AllOf(HasSubstr("NOMINATED NODE"), HasSubstr("0/1")));
}

TEST_F(KubectlTest, ServicesShowAddressesAndPorts) {
  ok("create -f -",
     "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 80}]}\n");
  EXPECT_THAT(ok("get services"), AllOf(HasSubstr("10.96."), HasSubstr("80/TCP")));
  ok("create -f -",
     "apiVersion: v1\nkind: Service\nmetadata: {name: np}\nspec: {type: NodePort, ports: [{port: "
     "81}]}\n");
  EXPECT_THAT(ok("get service np"), AllOf(HasSubstr("NodePort"), HasSubstr("81:3")));
}

TEST_F(KubectlTest, WatchPrintsChangesAsTheyCome) {
  make_config_map("c");
  // The request's own timeout ends the watch, so the exit status is not looked at.
  const auto watched =
      kubectl("get configmap c --watch --output-watch-events --request-timeout=2s");
  EXPECT_THAT(watched.out, AllOf(HasSubstr("EVENT"), HasSubstr("ADDED")));
}

TEST_F(KubectlTest, ExplainKnowsBuiltInFields) {
  EXPECT_THAT(ok("explain pod.spec.containers"), AllOf(HasSubstr("KIND:"), HasSubstr("image")));
}

TEST_F(KubectlTest, WaitForDeletionReturnsWhenItHappened) {
  make_config_map("c");
  ok("delete configmap c --wait=false");
  ok("wait --for=delete configmap/c --timeout=10s");
}

TEST_F(KubectlTest, DeletedNamespaceTakesItsContentAlong) {
  const auto other = ns() + "x";
  ok("create -f -", "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + other + "}\n");
  make_config_map("c", "{}", other);
  ok("delete namespace " + other + " --timeout=20s");
  EXPECT_EQ(kubectl("get configmap c -n " + other).status, 1);
}

TEST_F(KubectlTest, DeploymentsScaleAndRollOut) {
  ok("apply -f -", kDeployment);
  ok("scale deployment d --replicas=3");
  EXPECT_EQ(ok("get deployment d -o jsonpath={.spec.replicas}"), "3");
  ok("set image deployment/d i=registry.example/i:2");
  EXPECT_EQ(ok("get deployment d -o jsonpath={.metadata.generation}"), "3");
}

TEST_F(KubectlTest, EditChangesTheObject) {
  make_config_map("c", "{k: before}");
  const auto editor = folder() + "/editor.sh";
  std::ofstream(editor) << "#!/bin/sh\nsed -i s/before/after/ \"$1\"\n";
  ASSERT_EQ(support::run({"chmod", "+x", editor}, std::chrono::seconds(30)).status, 0);
  ::setenv("KUBE_EDITOR", editor.c_str(), 1);
  ok("edit configmap c");
  EXPECT_EQ(ok("get configmap c -o jsonpath={.data.k}"), "after");
}

TEST_F(KubectlTest, AccessReviewsAllowEverything) {
  EXPECT_EQ(ok("create -f - -o jsonpath={.status.allowed}",
               "apiVersion: authorization.k8s.io/v1\nkind: SelfSubjectAccessReview\nspec: "
               "{resourceAttributes: {verb: create, resource: pods}}\n"),
            "true");
}

TEST_F(WidgetTest, AreShownWithTheirColumns) {
  ok("apply -f -", kWidget);
  EXPECT_THAT(ok("get wd"), AllOf(HasSubstr("SIZE"), HasSubstr("4"), Not(HasSubstr("COLOR"))));
  EXPECT_THAT(ok("get wd -o wide"), HasSubstr("red"));
}

TEST_F(WidgetTest, AreExplained) {
  EXPECT_THAT(ok("explain widget.spec"), HasSubstr("How large it is."));
}

TEST_F(WidgetTest, AreScaled) {
  ok("apply -f -", kWidget);
  ok("scale wd/w --replicas=5");
  EXPECT_EQ(ok("get wd w -o jsonpath={.spec.replicas}"), "5");
  EXPECT_THAT(ok("get wd w -o yaml --show-managed-fields"), HasSubstr("subresource: scale"));
}

TEST_F(WidgetTest, WaitSeesConditionsOfTheStatus) {
  ok("apply -f -", kWidget);
  ok(R"(patch wd w --subresource=status --type=merge -p {"status":{"conditions":[{"type":"Ready","status":"True"}]}})");
  ok("wait --for=condition=Ready wd/w --timeout=10s");
  ok("wait --for=jsonpath={.spec.size}=4 wd/w --timeout=10s");
}

TEST_F(WidgetTest, InvalidOnesAreRefusedWithThePath) {
  const auto refused = kubectl("apply -f -",
                               "apiVersion: kubectl.example.com/v1\nkind: Widget\nmetadata: {name: "
                               "w}\nspec: {size: 0}\n");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("spec.size: Invalid value: 0"));
}

TEST_F(WidgetTest, AreValidatedInAList) {
  const std::string list = "apiVersion: v1\nkind: List\nitems:\n";
  const std::string item = "- {apiVersion: kubectl.example.com/v1, kind: Widget, metadata: {name: ";
  EXPECT_THAT(ok("apply -f -", list + item + "w}, spec: {size: 4}}\n"),
              HasSubstr("widget.kubectl.example.com/w created"));
  const auto refused = kubectl("apply -f -", list + item + "v}, spec: {sise: 4}}\n");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("unknown field \"sise\""));
}

TEST_F(WidgetTest, ApplyTwiceAndServerSideApplyAndDiff) {
  ok("apply -f -", kWidget);
  EXPECT_THAT(ok("apply -f -", kWidget), HasSubstr("unchanged"));
  ok("apply --server-side --force-conflicts -f -", kWidget);
  EXPECT_EQ(kubectl("diff -f -", kWidget).status, 0);
}

}  // namespace
}  // namespace troupe::sim
