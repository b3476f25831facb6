#include "k8s/sim/api/builtin_schemas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/sim/schema_testing.hpp"

namespace troupe::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

json::value pod(const std::string& spec) {
  return yaml("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: " + spec + "}");
}

TEST(BuiltinSchemas, KnowTheKindsOfACluster) {
  const std::vector<std::array<std::string_view, 3>> kinds = {
      {"", "v1", "Pod"},
      {"", "v1", "Service"},
      {"", "v1", "Endpoints"},
      {"", "v1", "ConfigMap"},
      {"", "v1", "Secret"},
      {"", "v1", "PersistentVolume"},
      {"", "v1", "PersistentVolumeClaim"},
      {"", "v1", "Node"},
      {"", "v1", "Event"},
      {"", "v1", "ServiceAccount"},
      {"", "v1", "PodTemplate"},
      {"", "v1", "Namespace"},
      {"apps", "v1", "Deployment"},
      {"apps", "v1", "ReplicaSet"},
      {"apps", "v1", "StatefulSet"},
      {"apps", "v1", "DaemonSet"},
      {"batch", "v1", "Job"},
      {"batch", "v1", "CronJob"},
      {"storage.k8s.io", "v1", "StorageClass"},
      {"storage.k8s.io", "v1", "VolumeAttachment"},
      {"coordination.k8s.io", "v1", "Lease"},
      {"discovery.k8s.io", "v1", "EndpointSlice"},
      {"events.k8s.io", "v1", "Event"},
      {"networking.k8s.io", "v1", "NetworkPolicy"},
      {"policy", "v1", "PodDisruptionBudget"},
      {"rbac.authorization.k8s.io", "v1", "ClusterRoleBinding"},
      {"scheduling.k8s.io", "v1", "PriorityClass"},
      {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"},
  };
  for (const auto& [group, version, kind] : kinds) {
    EXPECT_NE(find_builtin_schema(group, version, kind), nullptr) << group << "/" << kind;
  }
  EXPECT_EQ(find_builtin_schema("", "v2", "Pod"), nullptr);
  EXPECT_THROW(builtin_schema("", "v1", "Nothing"), std::out_of_range);
}

TEST(BuiltinSchemas, KeepWhatAPodMayHave) {
  auto object = pod(R"({
      serviceAccountName: sa, shareProcessNamespace: true, priorityClassName: high,
      initContainers: [{name: agent, restartPolicy: Always, image: a}],
      containers: [{name: c, image: i, ports: [{containerPort: 1, name: n}],
        env: [{name: E, valueFrom: {fieldRef: {fieldPath: metadata.name}}},
              {name: F, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}],
        lifecycle: {preStop: {exec: {command: [x]}}},
        readinessProbe: {grpc: {port: 5}, periodSeconds: 1},
        securityContext: {capabilities: {add: [SYS_NICE]}, seccompProfile: {type: RuntimeDefault}},
        volumeMounts: [{name: v, mountPath: /m, subPathExpr: x, mountPropagation: None}]}],
      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [
        {topologyKey: h, labelSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}}]}},
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: DoNotSchedule,
        minDomains: 2, nodeTaintsPolicy: Honor}],
      volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: t}},
        {downwardAPI: {items: [{path: p, resourceFieldRef: {resource: limits.cpu}}]}}]}},
        {name: e, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: s}}}}]})");
  const auto before = object;
  EXPECT_THAT(builtin_schema("", "v1", "Pod").prune(object), IsEmpty());
  EXPECT_EQ(object, before);
}

TEST(BuiltinSchemas, PruneUnknownFields) {
  auto object = pod("{containers: [{name: c, imagee: x}], nodeNam: y}");
  EXPECT_THAT(builtin_schema("", "v1", "Pod").prune(object),
              ElementsAre("spec.containers[0].imagee", "spec.nodeNam"));
}

TEST(BuiltinSchemas, SetTheDefaultsOfTheApi) {
  auto object = pod("{containers: [{name: c, ports: [{containerPort: 1}], livenessProbe: {}}]}");
  builtin_schema("", "v1", "Pod").apply_defaults(object);
  const auto& spec = object.at("spec");
  EXPECT_EQ(spec.at("restartPolicy"), "Always");
  EXPECT_EQ(spec.at("terminationGracePeriodSeconds"), 30);
  EXPECT_EQ(spec.at("containers").at(0).at("ports").at(0).at("protocol"), "TCP");
  EXPECT_EQ(spec.at("containers").at(0).at("resources"), json::object());
  EXPECT_EQ(spec.at("containers").at(0).at("livenessProbe").at("periodSeconds"), 10);
  EXPECT_EQ(object.at("status"), json::object());
}

TEST(BuiltinSchemas, GiveQuantitiesTheirCanonicalText) {
  auto object = pod("{containers: [{name: c, resources: {limits: {cpu: 1000m, memory: 0.5Gi}}}]}");
  builtin_schema("", "v1", "Pod").apply_defaults(object);
  EXPECT_EQ(object.at("spec").at("containers").at(0).at("resources").at("limits"),
            json::parse(R"({"cpu":"1","memory":"512Mi"})"));
}

TEST(BuiltinSchemas, RefuseWrongTypesAndMissingNames) {
  const auto errors =
      builtin_schema("", "v1", "Pod").validate(pod("{hostNetwork: x, containers: [{image: i}]}"));
  EXPECT_EQ(
      to_string(errors),
      "[spec.hostNetwork: Invalid value: \"string\": spec.hostNetwork in body must be of type "
      "boolean: \"string\", spec.containers[0].name: Required value]");
}

TEST(BuiltinSchemas, TakeACustomResourceDefinitionWithAnySchemaInside) {
  auto crd = yaml(R"({apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition,
      metadata: {name: a.b.c}, spec: {group: b.c, scope: Namespaced, names: {plural: a, kind: A},
      versions: [{name: v1, served: true, storage: true, subresources: {status: {}},
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}})");
  const auto before = crd;
  const auto& schema = builtin_schema("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
  EXPECT_THAT(schema.prune(crd), IsEmpty());
  EXPECT_EQ(crd, before);
  EXPECT_THAT(schema.validate(crd), IsEmpty());
}

TEST(BuiltinSchemas, EveryReferenceOfTheOpenApiComponentsResolves) {
  const auto& components = builtin_components();
  std::function<void(const json::value&)> visit = [&](const json::value& value) {
    if (const auto* object = value.if_object()) {
      for (const auto& [name, member] : *object) {
        if (name == "$ref") {
          const std::string_view text = member.as_string();
          EXPECT_TRUE(components.contains(text.substr(text.rfind('/') + 1))) << text;
        }
        visit(member);
      }
    } else if (const auto* array = value.if_array()) {
      for (const auto& item : *array) visit(item);
    }
  };
  visit(json::value(components));
  EXPECT_EQ(builtin_kinds().size(), std::ranges::count_if(components, [](const auto& component) {
              return component.value().as_object().contains("x-kubernetes-group-version-kind");
            }));
}

}  // namespace
}  // namespace troupe::sim
