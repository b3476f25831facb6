// What a set makes, and what each Unit gets.
#include "tests/unit/actors/unitset/set_fixture.hpp"

namespace troupe::actors {
namespace {

using UnitSetMaking = UnitSetTest;

TEST_F(UnitSetMaking, AUnitForEachOrdinalWithItsConfiguration) {
  set.settle();
  EXPECT_THAT(cluster.names<k8s::Unit>(), ElementsAre("db-0", "db-1", "db-2"));
  EXPECT_THAT(cluster.names<k8s::ConfigMap>(),
              ElementsAre("db-0-config-value", "db-1-config-value", "db-2-config-value",
                          "db-config-template"));
  EXPECT_THAT(cluster.names<k8s::PodTemplate>(), ElementsAre("db-podtemplate"));
  EXPECT_THAT(cluster.names<k8s::Service>(), ElementsAre("db-headless-svc"));
  EXPECT_EQ(cluster.at<k8s::Unit>("db-1", "/spec/configTemplateName"), "db-config-template");
  EXPECT_EQ(cluster.at<k8s::Unit>("db-1", "/spec/configValueName"), "db-1-config-value");
}

TEST_F(UnitSetMaking, EverythingIsOwnedByTheSet) {
  spec(R"({"externalService": {"type": "NodePort"}, "unitService": {"type": "ClusterIP"}})");
  set.settle();
  const auto uid = cluster.find<k8s::UnitSet>("db")->metadata.uid;
  EXPECT_EQ(cluster.owned(k8s::kKindId<k8s::Unit>, kNs, uid).size(), 3U);
  EXPECT_EQ(cluster.owned(k8s::kKindId<k8s::ConfigMap>, kNs, uid).size(), 4U);
  EXPECT_EQ(cluster.owned(k8s::kKindId<k8s::PodTemplate>, kNs, uid).size(), 1U);
  EXPECT_EQ(cluster.owned(k8s::kKindId<k8s::Service>, kNs, uid).size(), 5U);
}

TEST_F(UnitSetMaking, LabelsOfTheSetReachUnitsPodsAndServicesAndItsAnnotationsDoNot) {
  annotate("kubectl.kubernetes.io/last-applied-configuration", "{}");
  set.settle();
  const auto unit = cluster.find<k8s::Unit>("db-2");
  EXPECT_EQ(unit->metadata.labels.get("app.kubernetes.io/part-of"), "shop");
  EXPECT_EQ(unit->metadata.labels.get("unitset.name"), "db");
  EXPECT_EQ(unit->metadata.labels.get("unit.name"), "db-2");
  EXPECT_EQ(unit->metadata.labels.get("unit.sn"), "2");
  EXPECT_EQ(unit->metadata.annotations.get("kubectl.kubernetes.io/default-container-version"),
            "8.0.41");
  EXPECT_FALSE(
      unit->metadata.annotations.contains("kubectl.kubernetes.io/last-applied-configuration"));
  const auto pod = "/spec/template/metadata/labels/";
  EXPECT_EQ(cluster.at<k8s::Unit>("db-2", pod + std::string("app.kubernetes.io~1part-of")), "shop");
  EXPECT_EQ(cluster.at<k8s::Unit>("db-2", pod + std::string("unit.name")), "db-2");
  EXPECT_EQ(cluster.find<k8s::Service>("db-headless-svc")
                ->metadata.labels.get("app.kubernetes.io/part-of"),
            "shop");
}

TEST_F(UnitSetMaking, APodIsNamedThroughTheHeadlessService) {
  set.settle();
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/hostname"), "db-0");
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/subdomain"), "db-headless-svc");
  const auto service = cluster.find<k8s::Service>("db-headless-svc");
  EXPECT_EQ(service->spec.clusterIP, "None");
  EXPECT_TRUE(service->spec.publishNotReadyAddresses);
  EXPECT_EQ(service->spec.selector.get("unitset.name"), "db");
  ASSERT_EQ(service->spec.ports.size(), 1U);
  EXPECT_EQ(service->spec.ports[0].port, 3306);
}

TEST_F(UnitSetMaking, OnlyTheOperatorsFieldsAreSetOnAUnitSoThatStartupStaysTheUsers) {
  set.settle();
  cluster.edit<k8s::Unit>("db-1", R"({"spec": {"startup": false}})");
  set.settle();
  EXPECT_FALSE(cluster.find<k8s::Unit>("db-1")->spec.startup);
  EXPECT_TRUE(cluster.find<k8s::Unit>("db-1")->spec.unbindNode);
}

TEST_F(UnitSetMaking, NothingIsWrittenOnceAllIsAsSpecified) {
  make_all_ready();
  EXPECT_THAT(keys_of(set.decide()), IsEmpty());
}

// ---- Volumes, environment, ports, resources ----------------------------------------------------

TEST_F(UnitSetMaking, AStorageIsAClaimThatEveryContainerMounts) {
  spec(R"({"storages": [{"name": "data", "mountPath": "/DATA", "size": "100Gi",
                         "storageClassName": "fast"}]})");
  set.settle();
  const auto unit = cluster.find<k8s::Unit>("db-0");
  ASSERT_EQ(unit->spec.volumeClaimTemplates.size(), 1U);
  const auto& claim = unit->spec.volumeClaimTemplates[0];
  EXPECT_EQ(claim.metadata.name, "data");
  EXPECT_EQ(claim.spec.storageClassName, "fast");
  EXPECT_THAT(claim.spec.accessModes, ElementsAre("ReadWriteOnce"));
  EXPECT_EQ(claim.spec.resources.requests.get("storage").text, "100Gi");
  const auto pod = cluster.json<k8s::Unit>("db-0").at("spec").at("template").at("spec");
  EXPECT_EQ(pod.at("volumes").as_array().at(0),
            boost::json::parse(
                R"({"name": "data", "persistentVolumeClaim": {"claimName": "db-0-data"}})"));
  for (const auto containers : {"initContainers", "containers"})
    for (const auto& c : pod.at(containers).as_array())
      EXPECT_EQ(boost::json::serialize(c.at("volumeMounts")),
                R"([{"name":"data","mountPath":"/DATA"}])");
}

TEST_F(UnitSetMaking, AnEmptyDirHasNoClaimAndAtWillALimit) {
  spec(R"({"emptyDir": [{"name": "tmp", "mountPath": "/TMP"},
                        {"name": "log", "mountPath": "/LOG", "size": "1Gi"}]})");
  set.settle();
  EXPECT_TRUE(cluster.find<k8s::Unit>("db-0")->spec.volumeClaimTemplates.empty());
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/volumes"),
            R"([{"name":"tmp","emptyDir":{}},{"name":"log","emptyDir":{"sizeLimit":"1Gi"}}])");
}

TEST_F(UnitSetMaking, ASecretIsMountedReadOnlyAndNamedInTheEnvironment) {
  cluster.put<k8s::SecretObject>("users");
  spec(R"({"secret": {"name": "users", "mountPath": "/SECRET_MOUNT"}})");
  set.settle();
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/volumes/0/secret/secretName"),
            "users");
  EXPECT_EQ(
      cluster.at<k8s::Unit>("db-0", "/spec/template/spec/containers/1/volumeMounts/0/readOnly"),
      "true");
  const auto env = cluster.at<k8s::Unit>("db-0", "/spec/template/spec/containers/1/env");
  EXPECT_THAT(env, HasSubstr(R"({"name":"SECRET_NAME","value":"users"})"));
  EXPECT_THAT(env, HasSubstr(R"({"name":"SECRET_MOUNT","value":"/SECRET_MOUNT"})"));
}

TEST_F(UnitSetMaking, TheSpecsEnvironmentWinsOverOursAndOursOverTheTemplates) {
  spec(R"({"env": [{"name": "LANG", "value": "de_DE"}, {"name": "DATA_MOUNT", "value": "/mine"}],
           "storages": [{"name": "data", "mountPath": "/DATA", "size": "1Gi"}]})");
  set.settle();
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/containers/0/env"),
            R"([{"name":"LANG","value":"de_DE"},{"name":"DATA_MOUNT","value":"/mine"},)"
            R"({"name":"MYSQL_PORT","value":"3306"}])");
}

TEST_F(UnitSetMaking, PortsComeFromTheSharedConfigMapAndElseFromTheTemplate) {
  cluster.put<k8s::ConfigMap>("shared", R"({"data": {"mysql_ports":
      "[{\"name\": \"mysql\", \"containerPort\": \"3307\"}, {\"name\": \"admin-x\", \"containerPort\": 33062, \"protocol\": \"TCP\"}]"}})");
  spec(R"({"sharedConfigName": "shared"})");
  set.settle();
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/containers/0/ports"),
            R"([{"name":"mysql","containerPort":3307,"protocol":"TCP"},)"
            R"({"name":"admin-x","containerPort":33062,"protocol":"TCP"}])");
  EXPECT_THAT(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/containers/0/env"),
              HasSubstr(R"({"name":"ADMIN_X_PORT","value":"33062"})"));
  EXPECT_EQ(cluster.find<k8s::Service>("db-headless-svc")->spec.ports.size(), 2U);
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/sharedConfigName"), "shared");
}

TEST_F(UnitSetMaking, PortsThatCannotBeReadAreACondition) {
  cluster.put<k8s::ConfigMap>("shared", R"({"data": {"mysql_ports": "3306"}})");
  spec(R"({"sharedConfigName": "shared"})");
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("False PortsInvalid: ConfigMap shared: key "
                                                 "mysql_ports must be a JSON array"));
  cluster.edit<k8s::ConfigMap>("shared", R"({"data": {"mysql_ports":
      "[{\"name\": \"mysql\", \"containerPort\": \"33o6\"}]"}})");
  set.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("port mysql needs a containerPort"));
  EXPECT_THAT(cluster.names<k8s::Unit>(), IsEmpty());
}

TEST_F(UnitSetMaking, ResourcesAreTheMainContainersOnly) {
  spec(R"({"resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}})");
  set.settle();
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/containers/0/resources/limits/cpu"),
            "2");
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", "/spec/template/spec/containers/1/resources"), "");
}

// ---- Where Pods run ----------------------------------------------------------------------------

TEST_F(UnitSetMaking, NodePresetsAreRequiredTogether) {
  spec(R"({"nodeAffinityPreset": [{"key": "zone", "values": ["a", "b"]},
                                  {"key": "disk", "values": ["ssd"]}]})");
  set.settle();
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0",
                                  "/spec/template/spec/affinity/nodeAffinity/"
                                  "requiredDuringSchedulingIgnoredDuringExecution/"
                                  "nodeSelectorTerms"),
            R"([{"matchExpressions":[{"key":"zone","operator":"In","values":["a","b"]},)"
            R"({"key":"disk","operator":"In","values":["ssd"]}]}])");
}

TEST_F(UnitSetMaking, HardAntiAffinityIsRequiredAndSoftIsPreferred) {
  const auto anti = "/spec/template/spec/affinity/podAntiAffinity/";
  const auto required = anti + std::string("requiredDuringSchedulingIgnoredDuringExecution");
  const auto preferred = anti + std::string("preferredDuringSchedulingIgnoredDuringExecution");
  spec(R"({"podAntiAffinityPreset": "hard"})");
  set.settle();
  EXPECT_THAT(cluster.at<k8s::Unit>("db-0", required), HasSubstr("kubernetes.io/hostname"));
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", preferred), "");
  cluster.put<k8s::UnitSet>("db", R"({"spec": {"type": "mysql", "version": "8.0.41",
      "edition": "community", "units": 1, "podAntiAffinityPreset": "soft"}})");
  set.settle();
  EXPECT_THAT(cluster.at<k8s::Unit>("db-0", preferred), HasSubstr(R"("weight":100)"));
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", required), "");
}

TEST_F(UnitSetMaking, TheNodeMapPinsWhatItNamesOnTopOfThePresets) {
  spec(R"({"nodeAffinityPreset": [{"key": "zone", "values": ["a"]}]})");
  annotate("upm.io/node-name-map", R"({"db-0": "n1", "db-1": "noneSet"})");
  set.settle();
  const auto terms =
      "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/"
      "nodeSelectorTerms";
  EXPECT_EQ(cluster.at<k8s::Unit>("db-0", terms),
            R"([{"matchExpressions":[{"key":"zone","operator":"In","values":["a"]},)"
            R"({"key":"kubernetes.io/hostname","operator":"In","values":["n1"]}]}])");
  EXPECT_THAT(cluster.at<k8s::Unit>("db-1", terms), Not(HasSubstr("hostname")));
  EXPECT_THAT(cluster.at<k8s::Unit>("db-2", terms), Not(HasSubstr("hostname")));
}

TEST_F(UnitSetMaking, TheNodeMapIsFilledInForOthersAndThatPinsNothing) {
  annotate("upm.io/node-name-map", R"({"db-0": "n1", "db-1": "noneSet"})");
  set.settle();
  for (const auto unit : {"db-0", "db-1", "db-2"}) make_ready(unit, "n7");
  const auto generation = cluster.find<k8s::Unit>("db-2")->metadata.generation;
  set.settle();
  EXPECT_EQ(cluster.at<k8s::UnitSet>("db", "/metadata/annotations/upm.io~1node-name-map"),
            R"({"db-0":"n1","db-1":"noneSet","db-2":"n7"})");
  EXPECT_EQ(cluster.find<k8s::Unit>("db-2")->metadata.generation, generation);
  make_ready("db-2", "n8");
  set.settle();
  EXPECT_EQ(cluster.at<k8s::UnitSet>("db", "/metadata/annotations/upm.io~1node-name-map"),
            R"({"db-0":"n1","db-1":"noneSet","db-2":"n8"})");
}

TEST_F(UnitSetMaking, ANodeMapThatCannotBeReadIsAConditionAndIsNotWrittenOver) {
  annotate("upm.io/node-name-map", "db-0=n1");
  make_all_ready();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("NodeMapInvalid"));
  EXPECT_EQ(cluster.at<k8s::UnitSet>("db", "/metadata/annotations/upm.io~1node-name-map"),
            "db-0=n1");
}

// ---- Services ----------------------------------------------------------------------------------

TEST_F(UnitSetMaking, TheExternalServiceIsOverReadyUnitsAndFollowsItsSpec) {
  spec(R"({"externalService": {"type": "NodePort", "annotations": {"lb": "internal"}}})");
  set.settle();
  auto service = cluster.find<k8s::Service>("db-svc");
  EXPECT_EQ(service->spec.type, "NodePort");
  EXPECT_FALSE(service->spec.publishNotReadyAddresses);
  EXPECT_EQ(service->metadata.annotations.get("lb"), "internal");
  EXPECT_EQ(status("externalService/name"), "db-svc");
  spec(R"({"externalService": {"type": "LoadBalancer"}})");
  set.settle();
  EXPECT_EQ(cluster.find<k8s::Service>("db-svc")->spec.type, "LoadBalancer");
  spec(R"({"externalService": null})");
  set.settle();
  EXPECT_FALSE(cluster.has<k8s::Service>("db-svc"));
}

TEST_F(UnitSetMaking, AUnitServiceThatIsMadeAgainHasTheSameNodePort) {
  spec(R"({"unitService": {"type": "NodePort"}})");
  set.settle();
  EXPECT_EQ(cluster.find<k8s::Service>("db-1-svc")->spec.selector.get("unit.name"), "db-1");
  EXPECT_EQ(status("unitService/name/db-1"), "db-1-svc");
  // The API server picks one.
  cluster.edit<k8s::Service>("db-1-svc", R"({"spec": {"ports": [
      {"name": "mysql", "protocol": "TCP", "port": 3306, "targetPort": 3306, "nodePort": 30306}]}})");
  set.settle();
  cluster.remove<k8s::Service>("db-1-svc");
  set.settle();
  EXPECT_EQ(cluster.find<k8s::Service>("db-1-svc")->spec.ports[0].nodePort, 30306);
  EXPECT_EQ(cluster.find<k8s::Service>("db-0-svc")->spec.ports[0].nodePort, 0);
}

TEST_F(UnitSetMaking, WhatAHandHasRemovedIsMadeAgain) {
  spec(R"({"externalService": {"type": "NodePort"}, "unitService": {"type": "ClusterIP"}})");
  make_all_ready();
  const auto is_missed = [this](std::string_view kind, std::string_view name) {
    EXPECT_THAT(keys_of(set.decide()), Contains(AllOf(HasSubstr(kind), HasSubstr(name))));
    set.settle();
    EXPECT_THAT(keys_of(set.decide()), IsEmpty());
  };
  for (const auto* name : {"db-headless-svc", "db-svc", "db-1-svc"}) {
    cluster.remove<k8s::Service>(name);
    is_missed("Service", name);
  }
  for (const auto* name : {"db-config-template", "db-1-config-value"}) {
    cluster.remove<k8s::ConfigMap>(name);
    is_missed("ConfigMap", name);
  }
  cluster.remove<k8s::PodTemplate>("db-podtemplate");
  is_missed("PodTemplate", "db-podtemplate");
  // What it says of its last update, too.
  cluster.edit<k8s::Unit>("db-1", R"({"metadata": {"annotations": null}})");
  is_missed("Unit", "db-1");
}

TEST_F(UnitSetMaking, AServiceThatAHandHasChangedIsMended) {
  spec(R"({"externalService": {"type": "ClusterIP"}})");
  set.settle();
  cluster.edit<k8s::Service>("db-svc", R"({"spec": {"selector": {"unitset.name": "other"}}})");
  set.settle();
  EXPECT_EQ(cluster.find<k8s::Service>("db-svc")->spec.selector.get("unitset.name"), "db");
}

TEST_F(UnitSetMaking, AServiceOfAnotherOwnerIsLeftAlone) {
  cluster.put<k8s::Service>("db-svc", R"({"spec": {"type": "ClusterIP"}})");
  spec(R"({"externalService": {"type": "NodePort"}})");
  set.settle();
  EXPECT_EQ(cluster.find<k8s::Service>("db-svc")->spec.type, "ClusterIP");
  EXPECT_THAT(condition("Reconciled"), HasSubstr("NameTaken: Service db-svc"));
}

}  // namespace
}  // namespace troupe::actors
