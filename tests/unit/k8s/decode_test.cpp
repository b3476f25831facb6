#include "k8s/api/decode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "k8s/api/core.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/unit.hpp"
#include "k8s/api/unitset.hpp"

namespace troupe::k8s {
namespace {

using ::testing::HasSubstr;

template <KindStruct T>
ObjectPtr<T> decoded(std::string_view json) {
  Decoder decoder;
  return as<T>(decoder.object(kind_info<T>(), Document(json)).value());
}

template <KindStruct T>
std::string problem_of(std::string_view json) {
  Decoder decoder;
  const auto result = decoder.object(kind_info<T>(), Document(json));
  return result ? "" : result.error().message;
}

// The seed's sample, as an API server sends it.
constexpr std::string_view kUnitSet = R"({
  "apiVersion": "upm.syntropycloud.io/v1alpha2", "kind": "UnitSet",
  "metadata": {
    "name": "mysql-cluster", "namespace": "default", "uid": "0f3c", "resourceVersion": "4711",
    "generation": 2, "creationTimestamp": "2026-01-31T12:00:00Z",
    "labels": {"upm.api/service-group.name": "mysql-cluster",
               "upm.api/service-group.type": "mysql-sg"},
    "annotations": {
      "kubectl.kubernetes.io/last-applied-configuration": "{\"apiVersion\":\"v1\"}\n",
      "upm.io/node-name-map": "{\"mysql-cluster-0\":\"node-1\"}"},
    "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:spec": {"f:units": {}}}}]
  },
  "spec": {
    "type": "mysql", "version": "8.0.41", "edition": "community", "units": 3,
    "sharedConfigName": "mysql-cluster-config",
    "resources": {"limits": {"cpu": "2", "memory": "4Gi"}, "requests": {"memory": "2Gi", "cpu": 1}},
    "storages": [{"name": "data", "mountPath": "/DATA_MOUNT", "size": "100Gi",
                  "storageClassName": "standard"}],
    "secret": {"mountPath": "/SECRET_MOUNT", "name": "mysql-cluster-secret"},
    "env": [{"name": "ARCH_MODE", "value": "rpl_semi_sync"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
    "updateStrategy": {"type": "RollingUpdate",
                       "rollingUpdate": {"maxUnavailable": 1, "partition": 0}}
  },
  "status": {"units": 3, "readyUnits": 3, "inUpdate": "false", "unitPVCSynced": "Synced",
             "unitImageSynced": "Syncing", "unitResourceSynced": "NotSynced"}
})";

TEST(Decoder, ReadsAWholeUnitSet) {
  const auto set = decoded<UnitSet>(kUnitSet);
  EXPECT_EQ(set->metadata.name, "mysql-cluster");
  EXPECT_EQ(set->metadata.resourceVersion.value, 4711u);
  EXPECT_EQ(set->metadata.generation, 2);
  EXPECT_EQ(to_rfc3339(set->metadata.creationTimestamp.at), "2026-01-31T12:00:00Z");
  EXPECT_EQ(set->metadata.labels.get("upm.api/service-group.type"), "mysql-sg");
  EXPECT_EQ(set->spec.type, "mysql");
  EXPECT_EQ(set->spec.units, 3);
  EXPECT_EQ(set->spec.resources.limits.get("memory").text, "4Gi");
  EXPECT_EQ(set->spec.resources.requests.get("cpu").text, "1");
  ASSERT_EQ(set->spec.storages.size(), 1u);
  EXPECT_EQ(set->spec.storages[0].mountPath, "/DATA_MOUNT");
  EXPECT_EQ(set->spec.secret->name, "mysql-cluster-secret");
  EXPECT_EQ(set->spec.env[0].value, "rpl_semi_sync");
  EXPECT_EQ(set->spec.env[1].valueFrom.text(), R"({"fieldRef": {"fieldPath": "status.podIP"}})");
  EXPECT_EQ(set->status.readyUnits, 3);
  EXPECT_EQ(set->status.unitImageSynced, SyncState::Syncing);
  EXPECT_EQ(set->status.unitResourceSynced, SyncState::NotSynced);
}

TEST(Decoder, UnescapesTexts) {
  const auto set = decoded<UnitSet>(kUnitSet);
  EXPECT_EQ(set->metadata.annotations.get("upm.io/node-name-map"),
            R"({"mysql-cluster-0":"node-1"})");
  const auto map =
      decoded<ConfigMap>(R"({"metadata":{"name":"c"},"data":{"a\"b":"x\n\u00e4","c":"\\"}})");
  EXPECT_EQ(map->data.get("a\"b"), "x\nä");
  EXPECT_EQ(map->data.get("c"), "\\");
}

TEST(Decoder, DropsWhatKubectlRemembers) {
  const auto set = decoded<UnitSet>(kUnitSet);
  EXPECT_EQ(set->metadata.annotations.size(), 1u);
}

TEST(Decoder, GivesMissingAndNullMembersTheirDefaults) {
  const auto unit = decoded<Unit>(
      R"({"metadata":{"name":"u","creationTimestamp":null,"labels":null},
          "spec":{"startup":null,"template":{}},"status":null})");
  EXPECT_TRUE(unit->spec.startup);
  EXPECT_FALSE(unit->spec.unbindNode);
  EXPECT_TRUE(unit->spec.failedPodRecoveryPolicy.enabled);
  EXPECT_FALSE(unit->metadata.creationTimestamp);
  EXPECT_FALSE(unit->status.phase);
  const auto set = decoded<UnitSet>(R"({"metadata":{"name":"s"},"spec":{}})");
  EXPECT_EQ(set->spec.updateStrategy.type, UpdateStrategyType::RollingUpdate);
  EXPECT_EQ(set->spec.updateStrategy.rollingUpdate.maxUnavailable, 1);
  EXPECT_EQ(set->spec.persistentVolumeClaimRetentionPolicy.whenDeleted, ClaimRetention::Retain);
  const auto pair = decoded<MysqlReplication>(R"({"metadata":{"name":"r"},"spec":{}})");
  EXPECT_EQ(pair->spec.aesSecret.key, "AES_SECRET_KEY");
  EXPECT_EQ(pair->spec.service.type, ServiceType::ClusterIP);
  EXPECT_FALSE(pair->spec.failover.enabled);
}

TEST(Decoder, KeepsRawPartsReadableWhereTheyLie) {
  const auto unit = decoded<Unit>(
      R"({"metadata":{"name":"u"},"spec":{"template": {"spec":{"containers":[
          {"name":"mysql","image":"mysql:9"},{"name":"agent"}]}} }})");
  const std::string_view raw = unit->spec.template_.text();
  EXPECT_TRUE(raw.starts_with('{'));
  EXPECT_TRUE(raw.ends_with('}'));
  simdjson::ondemand::parser parser;
  auto document = parser.iterate(raw.data(), raw.size(), raw.size() + kRawPadding);
  int containers = 0;
  for (auto container : document["spec"]["containers"].get_array()) {
    EXPECT_FALSE(container["name"].error());
    ++containers;
  }
  EXPECT_EQ(containers, 2);
}

TEST(Decoder, KeepsEveryShapeOfRawPart) {
  const auto claim = [](std::string_view value) {
    return decoded<PersistentVolumeClaim>(R"({"metadata":{"name":"c"},"spec":{"selector":)" +
                                          std::string(value) + R"(,"volumeName":"v"}})");
  };
  for (const char* value : {"{}", "[]", "[1, 2]", "\"text\"", "1.5", "true", R"({"a":{"b":[]}})"}) {
    const auto read = claim(value);
    EXPECT_EQ(read->spec.selector.text(), value);
    EXPECT_EQ(read->spec.volumeName, "v") << value;
  }
  EXPECT_TRUE(claim("null")->spec.selector.empty());
}

TEST(Decoder, SortsMapsAndLetsTheLastOfEqualKeysCount) {
  const auto map =
      decoded<ConfigMap>(R"({"metadata":{"name":"c"},"data":{"b":"1","a":"2","c":"3","b":"4"}})");
  ASSERT_EQ(map->data.size(), 3u);
  EXPECT_EQ(map->data.begin()->key, "a");
  EXPECT_EQ(map->data.get("b"), "4");
}

TEST(Decoder, ReadsIntOrStringEitherWay) {
  const auto service = decoded<Service>(
      R"({"metadata":{"name":"s"},"spec":{"ports":[
          {"port":3306,"targetPort":"mysql"},{"port":80,"targetPort":8080}]}})");
  EXPECT_EQ(service->spec.ports[0].targetPort, IntOrString("mysql"));
  EXPECT_EQ(service->spec.ports[1].targetPort, IntOrString(8080));
  EXPECT_EQ(service->spec.ports[0].protocol, "TCP");
}

TEST(Decoder, ReadsTheMapOfATopology) {
  const auto pair = decoded<MysqlReplication>(R"({"metadata":{"name":"r"},
      "spec":{"mode":"group_replication"},
      "status":{"topology":{
        "db-1":{"host":"h1","port":3306,"role":"Replica","secondsBehindSource":0},
        "db-0":{"host":"h0","port":3306,"role":"Source","ready":true}},
      "operation":{"id":"o1","type":"Failover","step":"Fence","epoch":9007199254740993}}})");
  EXPECT_EQ(pair->spec.mode, ReplicationMode::Group);
  ASSERT_TRUE(pair->status.topology.contains("db-0"));
  EXPECT_EQ(pair->status.topology.find("db-0")->role, NodeRole::Source);
  EXPECT_EQ(pair->status.topology.find("db-1")->secondsBehindSource, 0);
  EXPECT_EQ(pair->status.operation->epoch, 9007199254740993);
  EXPECT_FALSE(pair->status.lastOperation);
}

TEST(Decoder, NamesTheObjectAndTheMemberThatDoesNotFit) {
  EXPECT_EQ(problem_of<UnitSet>(
                R"({"metadata":{"name":"db","namespace":"prod"},"spec":{"units":"three"}})"),
            "UnitSet prod/db: spec.units: expected a whole number");
  EXPECT_EQ(
      problem_of<UnitSet>(R"({"metadata":{"name":"db"},"spec":{"storages":[{},{"size":5}]}})"),
      "UnitSet /db: spec.storages[1].size: expected a text");
  EXPECT_EQ(problem_of<MysqlReplication>(R"({"metadata":{"name":"r"},"spec":{"mode":"sync"}})"),
            "MysqlReplication /r: spec.mode: expected one of rpl_async, rpl_semi_sync, "
            "group_replication, found \"sync\"");
  EXPECT_EQ(problem_of<MysqlReplication>(
                R"({"metadata":{"name":"r"},"status":{"topology":{"a":{"port":70000000000}}}})"),
            "MysqlReplication /r: status.topology[a].port: expected a number from -2147483648 to "
            "2147483647, found 70000000000");
  EXPECT_EQ(problem_of<Pod>(R"({"metadata":{"name":"p","creationTimestamp":"noon"}})"),
            "Pod /p: metadata.creationTimestamp: expected an RFC 3339 time");
  EXPECT_EQ(problem_of<Pod>(R"({"metadata":{}})"), "Pod /: metadata.name: expected a name");
  EXPECT_EQ(problem_of<Pod>(R"({"metadata":[]})"), "Pod /: metadata: expected an object");
}

TEST(Decoder, RefusesBrokenJson) {
  for (const char* wrong : {"", "{", "[]", "nonsense", R"({"metadata":{"name":"p")",
                            R"({"metadata":{"name":"p"},"spec":{"nodeName":"n)"}) {
    EXPECT_NE(problem_of<Pod>(wrong), "") << wrong;
  }
}

TEST(Decoder, ReadsADocumentInPlaceAndACopyAlike) {
  std::string padded = R"({"metadata":{"name":"p","uid":"u"}})";
  const std::size_t size = padded.size();
  padded.append(kRawPadding, ' ');
  Decoder decoder;
  const auto in_place = decoder.object(
      kind_info<Pod>(), Document(std::string_view(padded).substr(0, size), padded.size()));
  padded.assign(padded.size(), 'x');
  EXPECT_EQ(in_place.value()->uid(), "u");
}

TEST(WatchEvent, CarriesObjectAndVersion) {
  Decoder decoder;
  const auto event = decoder.watch_event(
      kind_info<Pod>(),
      Document(R"({"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"p",
                   "resourceVersion":"12"},"status":{"phase":"Running"}}})"));
  EXPECT_EQ(event->type, WatchEventType::Modified);
  EXPECT_EQ(event->version.value, 12u);
  EXPECT_EQ(as<Pod>(event->object)->status.phase, "Running");
}

TEST(WatchEvent, IsReadWhicheverMemberComesFirst) {
  Decoder decoder;
  const auto event = decoder.watch_event(
      kind_info<Pod>(), Document(R"({"object":{"metadata":{"name":"p"}},"type":"DELETED"})"));
  EXPECT_EQ(event->type, WatchEventType::Deleted);
  EXPECT_EQ(event->object->name(), "p");
}

TEST(WatchEvent, BookmarkHasAVersionAndNoObject) {
  Decoder decoder;
  const auto plain = decoder.watch_event(
      kind_info<Pod>(),
      Document(R"({"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"9",
                   "creationTimestamp":null},"spec":{"containers":null},"status":{}}})"));
  EXPECT_EQ(plain->type, WatchEventType::Bookmark);
  EXPECT_EQ(plain->version.value, 9u);
  EXPECT_FALSE(plain->initial_events_end);
  EXPECT_FALSE(plain->object);
  const auto end = decoder.watch_event(
      kind_info<Pod>(), Document(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"10",
                   "annotations":{"k8s.io/initial-events-end":"true"}}}})"));
  EXPECT_TRUE(end->initial_events_end);
}

TEST(WatchEvent, ErrorCarriesTheStatus) {
  Decoder decoder;
  const auto event = decoder.watch_event(
      kind_info<Pod>(),
      Document(R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},
                   "status":"Failure","message":"too old resource version: 1",
                   "reason":"Expired","code":410
}
})"));
  EXPECT_EQ(event->type, WatchEventType::Error);
  EXPECT_EQ(event->status.code, 410);
  EXPECT_EQ(event->status.reason, "Expired");
  EXPECT_FALSE(event->status.retry_after_seconds);
}

TEST(ListPage, CarriesObjectsAndWhereItStands) {
  Decoder decoder;
  const auto page = decoder.list_page(
      kind_info<Pod>(),
      Document(R"({"kind":"PodList","metadata":{"resourceVersion":"77","continue":"abc",
                   "remainingItemCount":3},"items":[{"metadata":{"name":"a"}},
                   {"metadata":{"name":"b"},"status":{"podIP":"10.0.0.2"}}]})"));
  EXPECT_EQ(page->version.value, 77u);
  EXPECT_EQ(page->next, "abc");
  EXPECT_EQ(page->remaining, 3);
  ASSERT_EQ(page->objects.size(), 2u);
  EXPECT_EQ(as<Pod>(page->objects[1])->status.podIP, "10.0.0.2");
}

TEST(ListPage, MayBeEmpty) {
  Decoder decoder;
  for (const char* items : {"[]", "null"}) {
    const auto page = decoder.list_page(
        kind_info<Pod>(),
        Document(R"({"metadata":{"resourceVersion":"1"},"items":)" + std::string(items) + "}"));
    EXPECT_TRUE(page->objects.empty());
    EXPECT_TRUE(page->next.empty());
  }
}

TEST(ListPage, PassesOverAnObjectThatDoesNotFit) {
  Decoder decoder;
  const auto page = decoder.list_page(
      kind_info<UnitSet>(), Document(R"({"items":[{"metadata":{"name":"a"},"spec":{"units":1}},
                   {"metadata":{"name":"b"},"spec":{"env":[{"name":{"x":[1]}}],"units":2}},
                   {"metadata":{"name":"c"},"spec":{"units":1.5,"env":[]}},
                   {"metadata":{"labels":{"x":{}},"name":"d"}},
                   {"metadata":{"name":"e"},"spec":{"units":3}}],
                   "metadata":{"resourceVersion":"5"}})"));
  ASSERT_EQ(page->objects.size(), 2u);
  EXPECT_EQ(as<UnitSet>(page->objects[1])->spec.units, 3);
  ASSERT_EQ(page->rejected.size(), 3u);
  EXPECT_THAT(page->rejected[0].message, HasSubstr("UnitSet /b: spec.env[0].name"));
  EXPECT_THAT(page->rejected[1].message, HasSubstr("UnitSet /c: spec.units"));
  EXPECT_THAT(page->rejected[2].message, HasSubstr("UnitSet /: metadata.labels[x]"));
  EXPECT_EQ(page->version.value, 5u);
}

TEST(ListPage, MayBeLarge) {
  std::string text = R"({"metadata":{"resourceVersion":"5"},"items":[)";
  for (int i = 0; i < 2000; ++i) {
    if (i > 0) text += ',';
    text += R"({"metadata":{"name":"p)" + std::to_string(i) + R"(","labels":{"n":")" +
            std::string(300, 'x') + R"("}}})";
  }
  text += "]}";
  Decoder decoder;
  for (int round = 0; round < 2; ++round) {
    const auto page = decoder.list_page(kind_info<Pod>(), Document(text));
    ASSERT_EQ(page->objects.size(), 2000u);
    EXPECT_EQ(page->objects[1999]->name(), "p1999");
    EXPECT_EQ(page->objects[0]->meta().labels.get("n").size(), 300u);
  }
}

TEST(ApiStatus, TellsWhenToComeBack) {
  Decoder decoder;
  const auto status = decoder.status(
      Document(R"({"kind":"Status","code":429,"reason":"TooManyRequests","message":"later",
                   "details":{"retryAfterSeconds":1}})"));
  EXPECT_EQ(status->code, 429);
  EXPECT_EQ(status->retry_after_seconds, 1);
}

}  // namespace
}  // namespace troupe::k8s
