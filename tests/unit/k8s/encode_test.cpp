#include "k8s/api/encode.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "k8s/api/arena.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/decode.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/unit.hpp"
#include "k8s/api/unitset.hpp"

namespace troupe::k8s {
namespace {

TEST(Encode, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(to_json_text(PodStatus{}), "{}");
  EXPECT_EQ(to_json_text(ExternalServiceSpec{}), "{}");
  Pod pod;
  pod.metadata.name = "p";
  EXPECT_EQ(object_to_json_text(pod),
            R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}})");
}

TEST(Encode, WritesNumbersAndFlagsEvenIfTheyAreZero) {
  EXPECT_EQ(to_json_text(RollingUpdateSpec{}), R"({"partition":0,"maxUnavailable":1})");
  UnitSetStatus status;
  status.inUpdate = kNothingInUpdate;
  EXPECT_EQ(to_json_text(status), R"({"units":0,"readyUnits":0,"inUpdate":"false"})");
}

TEST(Encode, WritesWhatIsRequiredEvenIfItIsEmpty) {
  Condition condition{.type = "Ready", .status = ConditionStatus::False, .reason = "Waiting"};
  condition.lastTransitionTime = {parse_rfc3339("2026-01-31T12:00:00Z").value()};
  EXPECT_EQ(to_json_text(condition),
            R"({"type":"Ready","status":"False","lastTransitionTime":"2026-01-31T12:00:00Z",)"
            R"("reason":"Waiting","message":""})");
}

TEST(Encode, WritesEnumsAsTheirTexts) {
  MysqlReplicationSpec spec;
  spec.mode = ReplicationMode::SemiSync;
  const auto value = boost::json::parse(to_json_text(spec));
  EXPECT_EQ(value.at("mode").as_string(), "rpl_semi_sync");
  EXPECT_EQ(value.at("service").at("type").as_string(), "ClusterIP");
}

TEST(Encode, EscapesTexts) {
  std::string out;
  append_json_string(out, std::string_view("a\"b\\c\n\t\x01ä\x7f\0z", 13));
  EXPECT_EQ(boost::json::parse(out).as_string(), std::string_view("a\"b\\c\n\t\x01ä\x7f\0z", 13));
}

TEST(Encode, TellsWhetherTwoTextsAreTheSameWithoutMakingThem) {
  Arena arena;
  const auto at = [](std::string_view text) { return Time{parse_rfc3339(text).value()}; };
  std::vector<MysqlReplicationStatus> all(2);
  all[1].epoch = 1;
  all.emplace_back().readwriteService = "rw";
  all.emplace_back().operation = ReplicationOperation{};
  all.emplace_back().operation = ReplicationOperation{.id = "failover-2"};
  for (const auto* time :
       {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5Z", "2026-01-31T12:00:01Z"})
    all.emplace_back().guards = arena.list({Guard{"rule", "text", at(time)}});
  all.emplace_back().guards =
      arena.list({Guard{"rule", "text", at("2026-01-31T12:00:00Z")}, Guard{"rule", "other", {}}});
  for (const auto* name : {"db-0", "db-1"})
    for (const auto behind : {0, 3})
      all.emplace_back().topology =
          arena.map<TopologyNode>({{name, TopologyNode{.secondsBehindSource = behind}}});
  for (const auto& a : all)
    for (const auto& b : all)
      EXPECT_EQ(same_json_text(a, b), to_json_text(a) == to_json_text(b))
          << to_json_text(a) << to_json_text(b);
}

TEST(Encode, WritesLeasesWithMicroseconds) {
  LeaseSpec lease{.holderIdentity = "me", .leaseDurationSeconds = 15};
  lease.renewTime = {parse_rfc3339("2026-01-31T12:00:00.25Z").value()};
  EXPECT_EQ(to_json_text(lease), R"({"holderIdentity":"me","leaseDurationSeconds":15,)"
                                 R"("renewTime":"2026-01-31T12:00:00.250000Z"})");
}

TEST(Encode, PassesRawPartsThrough) {
  Arena arena;
  UnitSpec spec;
  spec.template_ = arena.raw(R"({"spec":{"containers":[{"name":"mysql"}]}})");
  const auto value = boost::json::parse(to_json_text(spec));
  EXPECT_EQ(value.at("template").at("spec").at("containers").at(0).at("name").as_string(), "mysql");
}

// What is written is read back as the same value: for every kind of member at once.
TEST(Encode, IsTheReverseOfDecode) {
  Arena arena;
  MysqlReplication pair;
  pair.metadata.name = "shop";
  pair.metadata.namespace_ = "prod";
  pair.metadata.uid = "u";
  pair.metadata.resourceVersion = {42};
  pair.metadata.generation = 3;
  pair.metadata.creationTimestamp = {parse_rfc3339("2026-01-31T12:00:00Z").value()};
  pair.metadata.labels = arena.map<Text>({{"quote\"d", "line\nbreak"}, {"a", ""}});
  pair.metadata.finalizers = arena.list({Text("one"), Text("two")});
  pair.metadata.ownerReferences = arena.list({OwnerReference{"v1", "ConfigMap", "c", "x", true}});
  pair.spec.mode = ReplicationMode::Group;
  pair.spec.source = {"db-0", "db-0.db-headless-svc", 3306};
  pair.spec.replica = arena.list({ReplicaSpec{"db-1", "::1", 3307, true}});
  pair.spec.failover = {true, true, 9};
  pair.status.ready = true;
  pair.status.epoch = 9007199254740993;  // not exact as a double
  pair.status.topology = arena.map<TopologyNode>(
      {{"db-0", {.host = "h", .port = 1, .role = NodeRole::Source, .secondsBehindSource = 0}}});
  pair.status.operation = ReplicationOperation{.id = "o", .type = OperationType::Failover};
  pair.status.operation->outcome = OperationOutcome::Undone;
  pair.status.guards = arena.list({Guard{"quorum", "1 of 2", {}}});

  const std::string text = object_to_json_text(pair);
  Decoder decoder;
  const auto back =
      as<MysqlReplication>(decoder.object(kind_info<MysqlReplication>(), Document(text)).value());
  EXPECT_TRUE(*back == pair) << text << "\n" << object_to_json_text(*back);
}

}  // namespace
}  // namespace troupe::k8s
