// What MysqlReplication itself adds to the engine: objects, credentials, status, deletion.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <limits>

#include "actors/model/names.hpp"
#include "tests/unit/actors/mysqlreplication/scene.hpp"

namespace troupe::actors::testing {
namespace {

namespace json = boost::json;
using mysql_topology::Epoch;
using mysql_topology::Verb;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// "Warning SourceDead"
std::vector<std::string> events_of(const Decision& decision) {
  std::vector<std::string> out;
  for (const auto& e : decision.effects)
    if (const auto* event = std::get_if<EmitEvent>(&e.action))
      out.push_back((event->warning ? "Warning " : "Normal ") + event->reason);
  return out;
}

// --- objects -------------------------------------------------------------------------------------

TEST(MysqlReplication, WritesNothingOnceAllIsAsItShallBe) {
  auto scene = ReplicationScene::formed();
  const auto decision = scene.settle();
  EXPECT_THAT(keys_of(decision), IsEmpty());
  EXPECT_EQ(scene.condition("TopologyReady"), "True SyncTopologySucceed");
  EXPECT_EQ(scene.condition("ResourceReady"), "True SyncResourceSucceed");
  EXPECT_EQ(scene.status()["ready"], json::value(true));
}

TEST(MysqlReplication, LabelsPodsByTheRoleThatTheyHave) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  EXPECT_EQ(scene.pod_label("db-0", kReplicationLabel), "db");
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
  EXPECT_EQ(scene.pod_label("db-1", kReadonlyLabel), "true");
}

TEST(MysqlReplication, ASlipInTheNameOfTheSourceLeavesEverybodyReachedAsBefore) {
  auto scene = ReplicationScene::formed();
  scene.servers[2].is_killed();  // and has no role
  scene.settle();
  scene.spec()["source"].as_object()["name"] = "db-O";
  const auto decision = scene.settle();
  EXPECT_EQ(scene.condition("TopologyReady"), "False SourceNotListed");
  EXPECT_EQ(scene.pod_label("db-0", kReplicationLabel), "db");
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
  EXPECT_EQ(scene.pod_label("db-1", kReadonlyLabel), "true");
  EXPECT_EQ(scene.pod_label("db-2", kReadonlyLabel), "");
  EXPECT_EQ(scene.owner("db-0"), "db");
  EXPECT_TRUE(scene.documents.contains("Service/db-readwrite"));
  EXPECT_THAT(keys_of(decision), Each(Not(StartsWith("step "))));
  scene.spec()["source"].as_object()["name"] = "db-0";
  scene.settle();
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
}

TEST(MysqlReplication, WithASlipAndNoReplicasServicesAndTheBudgetStay) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.spec()["source"].as_object()["name"] = "db-O";
  scene.spec()["replica"] = json::array{};
  scene.settle();
  EXPECT_TRUE(scene.documents.contains("Service/db-readonly"));
  EXPECT_TRUE(scene.documents.contains("PodDisruptionBudget/db"));
  EXPECT_EQ(scene.pod_label("db-1", kReadonlyLabel), "true");
}

TEST(MysqlReplication, TakesARoleFromAPodThatCannotFillIt) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[1].is_killed();
  scene.settle();
  EXPECT_EQ(scene.pod_label("db-1", kReplicationLabel), "db");
  EXPECT_EQ(scene.pod_label("db-1", kReadonlyLabel), "");
}

TEST(MysqlReplication, ANewOperatorLabelsNoPodBeforeItHasLookedAtItsServer) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.memory = {};
  for (int i = 0; i < 3; ++i) scene.servers[i].probed = scene.servers[i].known_to_agent = false;
  EXPECT_THAT(keys_of(scene.decide()), Each(Not(StartsWith("apply Pod"))));
}

TEST(MysqlReplication, IsolatedPodsBearNeitherLabel) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.spec()["replica"].as_array()[1].as_object()["isolated"] = true;
  scene.apply(scene.decide());
  EXPECT_EQ(scene.pod_label("db-2", kReplicationLabel), "");
  EXPECT_EQ(scene.pod_label("db-2", kReadonlyLabel), "");
}

TEST(MysqlReplication, ASourceWhoseUnitAsksForItIsRelievedOfItsRole) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto& metadata = scene.documents["Pod/db-0"]["metadata"].as_object();
  metadata["annotations"] = {{kHandOverAnnotation, "to be replaced"}};
  scene.apply(scene.decide());
  const auto& operation = scene.status().at("operation");
  EXPECT_EQ(operation.at("type"), "Switchover");
  EXPECT_EQ(operation.at("candidate"), "db-1");
  EXPECT_EQ(operation.at("message"), "db-0 is to be replaced");
  EXPECT_EQ(scene.status().at("honoredSource"), "db-0")
      << "spec.source is an order that was obeyed before";
}

TEST(MysqlReplication, ASourceThatGoesSoonIsRelievedByWhoeverIsLeastBehind) {
  auto scene = ReplicationScene::formed();
  for (int i : {1, 2}) scene.servers[i].seen.replica->seconds_behind = 5;
  scene.settle();
  auto& metadata = scene.documents["Pod/db-0"]["metadata"].as_object();
  auto& annotations = metadata["annotations"].emplace_object();
  annotations[kHandOverAnnotation] = "to be replaced";
  scene.apply(scene.decide());
  EXPECT_FALSE(scene.status().contains("operation"));
  annotations[kHandOverSoonAnnotation] = "true";
  scene.apply(scene.decide());
  EXPECT_EQ(scene.status().at("operation").at("candidate"), "db-1");
}

TEST(MysqlReplication, ASourceWhosePodIsDeletedIsRelievedOfItsRole) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto& metadata = scene.documents["Pod/db-0"]["metadata"].as_object();
  metadata["deletionTimestamp"] = "2026-01-31T12:00:00Z";
  scene.apply(scene.decide());
  EXPECT_EQ(scene.status().at("operation").at("message"), "the Pod of db-0 is being deleted");
}

TEST(MysqlReplication, PodsThatAreNoMembersAnyMoreLoseTheirLabels) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.spec()["replica"].as_array().pop_back();
  scene.apply(scene.decide());
  EXPECT_EQ(scene.pod_label("db-2", kReplicationLabel), "");
}

TEST(MysqlReplication, MakesTheServicesThatLeadToTheSourceAndToTheReplicas) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  const auto& readwrite = scene.documents.at("Service/db-readwrite");
  EXPECT_EQ(readwrite.at("spec").at("selector"),
            (json::value{{kReplicationLabel, "db"}, {kReadonlyLabel, "false"}}));
  EXPECT_EQ(readwrite.at("spec").at("ports").at(0).at("port"), 3306);
  EXPECT_EQ(readwrite.at("spec").at("type"), "ClusterIP");
  EXPECT_EQ(readwrite.at("metadata").at("labels").at("team"), "shop");
  EXPECT_EQ(readwrite.at("metadata").at("ownerReferences").at(0).at("name"), "db");
  const auto& readonly = scene.documents.at("Service/db-readonly");
  EXPECT_EQ(readonly.at("spec").at("selector").at(kReadonlyLabel), "true");
  EXPECT_EQ(scene.status()["readwriteService"], "db-readwrite");
}

TEST(MysqlReplication, MakesNoServiceBeforeItHasAMember) {
  auto scene = ReplicationScene::formed();
  scene.status() = json::object{};
  scene.add_replication("orders");
  for (const auto* unit : {"db-0", "db-1", "db-2"}) scene.give_unit(unit, "orders");
  scene.settle();
  for (const auto* made : {"Service/db-readwrite", "Service/db-readonly", "PodDisruptionBudget/db"})
    EXPECT_FALSE(scene.documents.contains(made)) << made;
  EXPECT_EQ(scene.condition("TopologyReady"), "False MemberOfAnother");
  EXPECT_EQ(scene.condition("ResourceReady"), "False Progressing");
  EXPECT_THAT(scene.condition_message("ResourceReady"), HasSubstr("when it has a member"));
  scene.give_unit("db-0", "");
  scene.settle();
  EXPECT_TRUE(scene.documents.contains("Service/db-readwrite"));
}

TEST(MysqlReplication, KeepsItsServicesWhenItsLastMemberIsTaken) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.add_replication("orders");
  for (const auto* unit : {"db-0", "db-1", "db-2"}) scene.give_unit(unit, "orders");
  scene.settle();
  EXPECT_TRUE(scene.documents.contains("Service/db-readwrite"));
}

TEST(MysqlReplication, HasNoReadonlyServiceWithoutReplicas) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.spec()["mode"] = "rpl_async";
  scene.spec()["replica"] = json::array();
  scene.apply(scene.decide());
  EXPECT_FALSE(scene.documents.contains("Service/db-readonly"));
}

TEST(MysqlReplication, MendsAServiceThatSomebodyChanged) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto& selector = scene.documents["Service/db-readwrite"]["spec"].as_object()["selector"];
  const auto right = selector.as_object();
  selector = {{"app", "other"}};
  EXPECT_THAT(keys_of(scene.decide()), Contains(HasSubstr("db-readwrite")));
  selector = right;
  selector.as_object()["app"] = "other";
  EXPECT_THAT(keys_of(scene.decide()), Contains(HasSubstr("db-readwrite"))) << "it selects nobody";
}

TEST(MysqlReplication, LetsOneMemberOfThreeBeDisrupted) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  const auto& budget = scene.documents.at("PodDisruptionBudget/db");
  EXPECT_EQ(budget.at("spec").at("maxUnavailable"), 1);
  scene.spec()["replica"].as_array().pop_back();
  scene.apply(scene.decide());
  EXPECT_FALSE(scene.documents.contains("PodDisruptionBudget/db"))
      << "of two it would forbid everything or nothing";
}

// --- whose a Unit is -----------------------------------------------------------------------------

TEST(Owner, IsWrittenOntoUnitsOnConditionThatNobodyWroteInBetween) {
  auto scene = ReplicationScene::formed();
  for (const auto* unit : {"db-0", "db-1", "db-2"}) scene.give_unit(unit, "");
  const auto decision = scene.decide();
  for (const auto* unit : {"db-0", "db-1", "db-2"}) {
    const auto* claim = action<MergePatch>(decision, fmt::format("claim Unit {}", unit));
    ASSERT_TRUE(claim) << unit;
    EXPECT_EQ(claim->expected.value, 7u);
    EXPECT_THAT(claim->body, HasSubstr(R"("resourceVersion":"7")"));
  }
  EXPECT_THAT(decision.agents, IsEmpty()) << "what is not seen to be ours is not touched";
  EXPECT_THAT(keys_of(decision), Each(Not(StartsWith("step "))));
  scene.settle();
  EXPECT_EQ(scene.owner("db-2"), "db");
  EXPECT_EQ(scene.condition("TopologyReady"), "True SyncTopologySucceed");
}

TEST(Owner, TakenOffByAHandIsPutBackWithoutAWarningNorLosingSightOfTheServer) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.give_unit("db-0", "");
  const auto decision = scene.decide();
  EXPECT_TRUE(effect(decision, "claim Unit db-0"));
  EXPECT_EQ(decision.servers.size(), 3u) << "what was observed is forgotten when nobody looks";
  EXPECT_THAT(events_of(decision), IsEmpty());
  scene.apply(decision);
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
  EXPECT_EQ(scene.condition("TopologyReady"), "False Progressing");
  EXPECT_THAT(events_of(scene.decide()), IsEmpty());
  scene.settle();
  EXPECT_EQ(scene.condition("TopologyReady"), "True SyncTopologySucceed");
}

TEST(Owner, OfNobodyIsNotLookedAtByWhoIsNotFormed) {
  auto scene = ReplicationScene::formed();
  scene.status() = json::object{};
  scene.give_unit("db-1", "");
  EXPECT_EQ(scene.decide().servers.size(), 2u);
}

TEST(Owner, IsTakenOneUnitAfterTheOtherByWhoIsNotFormed) {
  auto scene = ReplicationScene::formed();
  scene.status() = json::object{};
  for (const auto* unit : {"db-0", "db-1", "db-2"}) scene.give_unit(unit, "");
  EXPECT_THAT(keys_of(scene.decide()), Contains("claim Unit db-0"));
  EXPECT_FALSE(effect(scene.decide(), "claim Unit db-1"));
  scene.apply(scene.decide());
  EXPECT_TRUE(effect(scene.decide(), "claim Unit db-1"));
  scene.add_replication("orders");
  scene.give_unit("db-1", "orders");
  EXPECT_THAT(keys_of(scene.decide()), Each(Not(StartsWith("claim ")))) << "nor db-2";
}

TEST(Owner, OfAnIsolatedMemberIsNotWaitedForByWhoIsNotFormed) {
  auto scene = ReplicationScene::formed();
  scene.status() = json::object{};
  scene.spec()["replica"].as_array()[0].as_object()["isolated"] = true;
  scene.documents.erase("Unit/db-1");
  scene.give_unit("db-2", "");
  EXPECT_TRUE(effect(scene.decide(), "claim Unit db-2"));
}

TEST(Owner, ThatExistsKeepsItsUnitAndIsNamed) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.add_replication("orders");
  scene.give_unit("db-1", "orders");
  scene.documents["Pod/db-1"]["metadata"].as_object()["labels"] = {{kReplicationLabel, "orders"},
                                                                   {kReadonlyLabel, "false"}};
  scene.servers[1].is_source(1, 1);
  const auto decision = scene.settle();
  EXPECT_EQ(scene.owner("db-1"), "orders");
  EXPECT_EQ(scene.pod_label("db-1", kReplicationLabel), "orders");
  EXPECT_EQ(scene.pod_label("db-1", kReadonlyLabel), "false");
  EXPECT_EQ(scene.condition("TopologyReady"), "False MemberOfAnother");
  EXPECT_THAT(scene.condition_message("TopologyReady"),
              HasSubstr(R"(Unit "db-1" belongs to MysqlReplication "orders")"));
  EXPECT_EQ(decision.agents.size(), 2u);
  EXPECT_EQ(decision.servers.size(), 2u);
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false") << "the others go on";
}

TEST(Owner, ThatExistsNoMoreLosesItsUnit) {
  auto scene = ReplicationScene::formed();
  scene.give_unit("db-1", "orders");
  const auto decision = scene.decide();
  const auto* claim = action<MergePatch>(decision, "claim Unit db-1");
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->expected.value, 7u);
}

TEST(Owner, IsNotWrittenOntoAUnitThatGoes) {
  auto scene = ReplicationScene::formed();
  scene.give_unit("db-1", "");
  scene.documents["Unit/db-1"]["metadata"].as_object()["deletionTimestamp"] =
      "2026-01-31T12:00:00Z";
  EXPECT_FALSE(effect(scene.decide(), "claim Unit db-1"));
}

TEST(Owner, GivesAUnitBackThatCountsNoMoreAfterItsPodsLabels) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.spec()["replica"].as_array().pop_back();
  scene.status()["quorum"].as_object()["members"] = {"db-0", "db-1"};
  const auto first = scene.decide();
  EXPECT_FALSE(effect(first, "release Unit db-2"));
  scene.apply(first);
  const auto second = scene.decide();
  const auto* release = action<MergePatch>(second, "release Unit db-2");
  ASSERT_TRUE(release);
  EXPECT_EQ(release->expected.value, 7u);
  scene.settle();
  EXPECT_EQ(scene.owner("db-2"), "");
  EXPECT_EQ(scene.owner("db-1"), "db");
}

TEST(Owner, DeletedGivesItsUnitsBackBeforeItGoes) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["deletionTimestamp"] = "2026-01-31T12:00:00Z";
  scene.apply(scene.decide());
  const auto second = scene.decide();
  EXPECT_TRUE(effect(second, "release Unit db-0"));
  EXPECT_FALSE(effect(second, "remove finalizer"));
  scene.apply(second);
  EXPECT_EQ(scene.owner("db-0"), "");
  EXPECT_TRUE(effect(scene.decide(), "remove finalizer"));
}

TEST(Owner, DeletedWhileItOwnsNothingTouchesNothingOfTheOther) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.add_replication("orders");
  for (const auto* member : {"db-0", "db-1", "db-2"}) {
    scene.give_unit(member, "orders");
    scene.documents[fmt::format("Pod/{}", member)]["metadata"].as_object()["labels"] = {
        {kReplicationLabel, "orders"}};
  }
  scene.object()["metadata"].as_object()["deletionTimestamp"] = "2026-01-31T12:00:00Z";
  EXPECT_THAT(keys_of(scene.decide()), ::testing::ElementsAre("remove finalizer"));
}

TEST(Owner, RecordsWhomTheQuorumDoesWithout) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.add_replication("orders");
  scene.give_unit("db-2", "orders");
  scene.servers[2].is_closed().seen.seen -= std::chrono::seconds(2);
  scene.servers[0].seen.seen -= std::chrono::milliseconds(10);
  scene.servers[0].seen.semi_sync_source.clients = 1;
  scene.settle();
  EXPECT_EQ(scene.status()["quorum"].at("members"), (json::array{"db-0", "db-1"}));
}

TEST(MysqlReplication, IsReadyWhileAMemberThatWasTakenOutDeadStillCounts) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.spec()["replica"].as_array().pop_back();
  scene.servers[2].is_killed();
  scene.settle();
  EXPECT_EQ(scene.status()["quorum"].at("leaving"), (json::array{"db-2"}));
  EXPECT_EQ(scene.status()["guards"].at(0).at("rule"), "MemberLeaving");
  EXPECT_EQ(scene.condition("TopologyReady"), "True SyncTopologySucceed");
  EXPECT_EQ(scene.owner("db-2"), "db") << "nobody else may have it yet";
}

// --- credentials ---------------------------------------------------------------------------------

TEST(MysqlReplication, WatchesServersWithThePasswordOfTheSecret) {
  auto scene = ReplicationScene::formed();
  const auto decision = scene.decide();
  ASSERT_EQ(decision.servers.size(), 3u);
  EXPECT_EQ(decision.servers[0].user, "mysql");
  EXPECT_EQ(decision.servers[0].password.reveal(), "probing");
  EXPECT_EQ(decision.agents.size(), 3u);
}

struct Spoiled {
  std::string name;
  std::function<void(ReplicationScene&)> spoil;
  std::string reason;
  std::string names;
};
class Credentials : public ::testing::TestWithParam<Spoiled> {};

TEST_P(Credentials, ThatCannotBeReadAreACondition) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  GetParam().spoil(scene);
  scene.settle();
  EXPECT_EQ(scene.condition("TopologyReady"), "False " + GetParam().reason);
  const auto message = scene.condition_message("TopologyReady");
  EXPECT_THAT(message, HasSubstr(GetParam().names));
  EXPECT_THAT(message, Not(HasSubstr("probing")));
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false") << "roles stay";
  const auto decision = scene.decide();
  EXPECT_THAT(decision.servers, IsEmpty());
  EXPECT_EQ(decision.agents.size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(
    Spoiled, Credentials,
    ::testing::Values(
        Spoiled{"NoSecret", [](ReplicationScene& scene) { scene.documents.erase("Secret/secret"); },
                "CredentialsMissing", "Secret secret"},
        Spoiled{"NoKeyForTheUser",
                [](ReplicationScene& scene) {
                  scene.documents["Secret/secret"]["data"].as_object().erase("mysql");
                },
                "CredentialsMissing", "mysql"},
        Spoiled{"NoAesSecret",
                [](ReplicationScene& scene) { scene.documents.erase("Secret/aes-secret-key"); },
                "CredentialsMissing", "aes-secret-key"},
        Spoiled{"AnotherAesKey",
                [](ReplicationScene& scene) {
                  scene.set_password("mysql", "probing", "fedcba9876543210fedcba9876543210");
                },
                "CredentialsInvalid", "another key"},
        Spoiled{"AnAesKeyOfTheWrongLength",
                [](ReplicationScene& scene) {
                  scene.documents["Secret/aes-secret-key"]["data"].as_object()["AES_SECRET_KEY"] =
                      "c2hvcnQ=";
                },
                "CredentialsInvalid", "expected 32"}),
    [](const auto& tested) { return tested.param.name; });

TEST(MysqlReplication, APasswordThatServersRefuseIsACondition) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[1].refuses_password();
  const auto decision = scene.decide();
  EXPECT_THAT(keys_of(decision), Contains("step db-1 EnsureAccounts 1  1"));
  EffectResult result{.key = "step db-1 EnsureAccounts 1  1"};
  result.endpoint = "uid-Pod-db-1@2026-01-31T11:00:00Z";
  result.epoch = Epoch{1};
  result.finished = scene.servers.now - std::chrono::seconds(1);
  MysqlReplicationKind::fold(scene.memory, result);
  scene.apply(scene.decide());
  EXPECT_EQ(scene.condition("TopologyReady"), "False CredentialsRefused");
  EXPECT_THAT(scene.condition_message("TopologyReady"), HasSubstr("db-1"));
}

TEST(MysqlReplication, AChangedSecretIsCarriedToEveryMemberThoughNoProbeFails) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.set_password("replication", "another", kAesKey);
  const auto decision = scene.decide();
  for (const auto member : {"db-0", "db-1", "db-2"}) {
    const auto* ask =
        action<AskAgent>(decision, fmt::format("step {} EnsureAccounts 1  2", member));
    ASSERT_TRUE(ask) << member;
    const auto& accounts = std::get<agent::EnsureAccounts>(ask->action).accounts;
    EXPECT_EQ(accounts[1].password, Secret("another"));
  }
  EXPECT_EQ(scene.condition("TopologyReady"), "True SyncTopologySucceed");
}

TEST(MysqlReplication, ASecretThatSaysTheSameIsNoChange) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.documents["Secret/secret"]["metadata"].as_object()["resourceVersion"] = "99";
  scene.decide();
  EXPECT_EQ(scene.memory.accounts.number(), 1u);
}

TEST(MysqlReplication, OneUserForBothGetsBothSetsOfGrants) {
  auto scene = ReplicationScene::formed();
  scene.spec()["secret"].as_object()["replication"] = "mysql";
  scene.servers[1].refuses_password();
  const auto decision = scene.decide();
  const auto* ask = action<AskAgent>(decision, "step db-1 EnsureAccounts 1  1");
  ASSERT_TRUE(ask);
  const auto& accounts = std::get<agent::EnsureAccounts>(ask->action).accounts;
  ASSERT_EQ(accounts.size(), 1u);
  EXPECT_THAT(accounts[0].grants,
              ::testing::ElementsAre(agent::GrantSet::Probe, agent::GrantSet::Replication,
                                     agent::GrantSet::CloneDonor));
}

// --- steps ---------------------------------------------------------------------------------------

TEST(MysqlReplication, WritesTheRecordConditionallyAndAsksNothingBeforeItIsThere) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[0].is_killed();
  const auto decision = scene.decide();
  const auto* record = action<Apply>(decision, "record");
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->status);
  EXPECT_EQ(record->manager, "troupe-op");
  EXPECT_EQ(record->expected.value, scene.version_seen());
  EXPECT_THAT(keys_of(decision), Each(Not(StartsWith("step "))));
}

TEST(MysqlReplication, AsksAgentsWithTheEpochOnRecord) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[0].is_killed();
  scene.apply(scene.decide());
  const auto decision = scene.decide();
  const auto* ask = action<AskAgent>(decision, "step db-1 StopReceiver 2 ");
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->epoch, Epoch{2});
  EXPECT_EQ(ask->endpoint.unit, "prod/db-1");
}

TEST(MysqlReplication, AReplicaIsGivenTheAccountAndTheAuthorityOfItsSource) {
  auto scene = ReplicationScene::formed();
  scene.servers[2].is_closed();
  const auto decision = scene.decide();
  const auto* ask = action<AskAgent>(decision, "step db-2 Follow 1 db-0 1 db-0.db:3306");
  ASSERT_TRUE(ask);
  const auto& source = std::get<agent::Follow>(ask->action).source;
  EXPECT_EQ(source.host, "db-0.db");
  EXPECT_EQ(source.user, "replication");
  EXPECT_EQ(source.password.reveal(), "following");
  EXPECT_TRUE(source.own_authorities) << "it is a Unit, and its authority may change";
}

EffectResult answer(std::string key, std::uint64_t epoch, TimePoint at) {
  EffectResult r{.key = std::move(key)};
  r.endpoint = "uid-Pod-db-1@2026-01-31T11:00:00Z";
  r.epoch = Epoch{epoch};
  r.finished = at;
  return r;
}

TEST(MysqlReplication, RemembersWhatAgentsAnswered) {
  auto scene = ReplicationScene::formed();
  auto result = answer("step db-1 StopReceiver 2 ", 2, scene.servers.now);
  result.reply =
      agent::Reply{agent::ReceiverStopped{.received = "",
                                          .executed = "00000000-0000-0000-0000-000000000001:1-5"},
                   ""};
  MysqlReplicationKind::fold(scene.memory, result);
  const auto& outcome = scene.memory.members.at("db-1").outcomes.at(Verb::StopReceiver);
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.epoch, Epoch{2});
  EXPECT_EQ(outcome.executed.count(), 5u);
}

TEST(MysqlReplication, AFollowOutcomeCountsForTheAddressThatItWasAskedFor) {
  auto scene = ReplicationScene::formed();
  scene.servers[1].is_closed();
  auto result = answer("step db-1 Follow 1 db-0 1 some where:3306", 1, scene.servers.now);
  result.reply = agent::Reply{agent::Following{}, ""};
  MysqlReplicationKind::fold(scene.memory, result);
  const auto& outcome = scene.memory.members.at("db-1").outcomes.at(Verb::Follow);
  EXPECT_EQ(outcome.peer, "db-0");
  EXPECT_EQ(outcome.accounts, 1u);
  EXPECT_EQ(outcome.address, "some where:3306");
}

TEST(MysqlReplication, AHostThatIsMendedOvertakesTheOrderThatIsUnderWay) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto& host = scene.spec()["source"].as_object()["host"];
  host = "nowhere.example";
  const auto wrong = scene.decide();
  EXPECT_TRUE(effect(wrong, "step db-1 Follow 1 db-0 1 nowhere.example:3306"));
  host = "db-0.db";
  EXPECT_TRUE(effect(scene.decide(), "record"));
  scene.settle();
  EXPECT_EQ(scene.status()["epoch"], json::value(2));
}

TEST(MysqlReplication, AnAnswerToAnOlderEpochDoesNotOverwriteANewerOne) {
  auto scene = ReplicationScene::formed();
  MysqlReplicationKind::fold(scene.memory, answer("step db-1 Promote 3 ", 3, scene.servers.now));
  auto late = answer("step db-1 Promote 2 ", 2, scene.servers.now);
  late.failed = Error{Code::Timeout, "no answer"};
  MysqlReplicationKind::fold(scene.memory, late);
  EXPECT_TRUE(scene.memory.members.at("db-1").outcomes.at(Verb::Promote).ok);
}

TEST(MysqlReplication, ForgetsWhatAnEarlierLifeOfThePodAnswered) {
  auto scene = ReplicationScene::formed();
  MysqlReplicationKind::fold(scene.memory, answer("step db-1 Promote 1 ", 1, scene.servers.now));
  auto other = answer("step db-1 Follow 1 db-0", 1, scene.servers.now);
  other.endpoint = "another life";
  MysqlReplicationKind::fold(scene.memory, other);
  EXPECT_FALSE(scene.memory.members.at("db-1").outcomes.contains(Verb::Promote));
}

TEST(MysqlReplication, OtherAnswersAreNoSteps) {
  MysqlReplicationKind::Memory memory;
  MysqlReplicationKind::fold(memory, EffectResult{.key = "status"});
  MysqlReplicationKind::fold(memory, EffectResult{.key = "step of something else"});
  EXPECT_THAT(memory.members, IsEmpty());
}

// --- orders and modes ----------------------------------------------------------------------------

TEST(MysqlReplication, AnOrderByAnnotationIsRemovedWhenItIsDone) {
  auto scene = ReplicationScene::formed();
  scene.object()["metadata"].as_object()["annotations"] = {{kSwitchoverAnnotation, "db-0"}};
  EXPECT_TRUE(effect(scene.decide(), "remove annotation switchover-to"));
}

TEST(MysqlReplication, AnOrderForAnUnknownNameIsWithdrawnOnceThatIsSaid) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kSwitchoverAnnotation, "nosuch"}};
  const auto said = scene.decide();
  EXPECT_FALSE(effect(said, "remove annotation switchover-to"));
  scene.apply(said);
  EXPECT_EQ(scene.condition("TopologyReady"), "True SyncTopologySucceed");
  EXPECT_EQ(scene.status()["ready"], json::value(true));
  EXPECT_EQ(scene.condition("OrderObeyed"), "False OrderWithdrawn");
  for (const auto* condition : {"TopologyReady", "OrderObeyed"})
    EXPECT_THAT(scene.condition_message(condition), HasSubstr(R"("db-1" or "db-2")"));
  const auto withdrawn = scene.decide();
  EXPECT_THAT(events_of(withdrawn), ::testing::ElementsAre("Warning OrderWithdrawn"));
  const auto* removal = action<MergePatch>(withdrawn, "remove annotation switchover-to");
  ASSERT_TRUE(removal);
  EXPECT_EQ(removal->expected.value, scene.version_seen()) << "one that is given meanwhile stays";
  scene.apply(withdrawn);
  EXPECT_THAT(events_of(scene.settle()), IsEmpty()) << "told once";
}

// An order that was withdrawn a while ago, as the status has it.
ReplicationScene with_withdrawn_order(std::string_view since) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.status()["conditions"].as_array().push_back({{"type", "OrderObeyed"},
                                                     {"status", "False"},
                                                     {"reason", "OrderWithdrawn"},
                                                     {"message", "who is nosuch?"},
                                                     {"lastTransitionTime", since}});
  return scene;
}

TEST(MysqlReplication, AnOrderStaysWhereTheStatusTellsOfAnotherOne) {
  auto scene = with_withdrawn_order("2026-01-31T11:59:00Z");
  scene.object()["metadata"].as_object()["annotations"] = {{kSwitchoverAnnotation, "nosuch"}};
  EXPECT_FALSE(effect(scene.decide(), "remove annotation switchover-to"));
}

TEST(MysqlReplication, AnOrderThatWasWithdrawnIsShownForTenMinutes) {
  auto scene = with_withdrawn_order("2026-01-31T11:50:01Z");  // it is 12:00
  const auto decision = scene.settle();
  EXPECT_EQ(scene.condition("OrderObeyed"), "False OrderWithdrawn");
  EXPECT_EQ(scene.condition_message("TopologyReady"), "every member has its role; who is nosuch?");
  EXPECT_LE(decision.wake, scene.servers.now + std::chrono::seconds(1));
  scene = with_withdrawn_order("2026-01-31T11:50:00Z");
  scene.settle();
  EXPECT_EQ(scene.condition("OrderObeyed"), "");
  EXPECT_EQ(scene.condition_message("TopologyReady"), "every member has its role");
}

TEST(MysqlReplication, AnOrderThatWasWithdrawnIsNoNewsAfterOneThatWasObeyed) {
  auto scene = with_withdrawn_order("2026-01-31T11:59:00Z");
  scene.status()["lastOperation"] = {{"id", "Switchover-1"},
                                     {"type", "Switchover"},
                                     {"epoch", 1},
                                     {"startedAt", "2026-01-31T11:59:30Z"},
                                     {"finishedAt", "2026-01-31T11:59:31Z"}};
  scene.settle();
  EXPECT_EQ(scene.condition("OrderObeyed"), "");
}

TEST(MysqlReplication, AnOrderThatWaitsSaysWhyWherePeopleLookFirst) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kSwitchoverAnnotation, "db-1"}};
  scene.servers[1].seen.replica->seconds_behind = 31;
  scene.settle();
  EXPECT_EQ(scene.condition("OrderObeyed"), "False CandidateLags");
  EXPECT_THAT(scene.condition_message("TopologyReady"),
              HasSubstr("held back; CandidateLags: db-1 is 31 s behind"));
  EXPECT_EQ(scene.status()["ready"], json::value(true));
}

TEST(MysqlReplication, AModeThatIsChangedIsAConditionAndChangesNothing) {
  for (const auto* group : {"", "11111111-1111-1111-1111-111111111111"}) {
    auto scene = ReplicationScene::formed();
    scene.settle();
    if (*group == '\0') scene.spec()["mode"] = "group_replication";
    scene.status()["groupName"] = group;
    scene.servers[1].is_closed();
    const auto decision = scene.settle();
    EXPECT_EQ(scene.condition("TopologyReady"), "False ModeChanged") << group;
    EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
    EXPECT_THAT(keys_of(decision), Each(Not(StartsWith("step "))));
  }
}

// --- a group -------------------------------------------------------------------------------------

constexpr const char* kGroup = "11111111-1111-1111-1111-111111111111";

// db-0 and db-1 are in it, and db-2 is not.
ReplicationScene group_of_two() {
  auto scene = ReplicationScene::formed();
  scene.spec()["mode"] = "group_replication";
  scene.status()["groupName"] = kGroup;
  for (int i = 0; i < 3; ++i) {
    auto& seen = scene.servers[i].is_closed().seen;
    auto& group = seen.group.emplace();
    group.group_name = kGroup;
    if (i == 2) continue;
    seen.offline_mode = false;
    seen.super_read_only = seen.read_only = i != 0;
    group.state = mysql::GroupState::Online;
    group.view_id = "1:2";
    for (int peer = 0; peer < 2; ++peer)
      group.peers.push_back({.server_uuid = scene.servers[peer].seen.server_uuid,
                             .host = scene.servers[peer].host,
                             .port = 3306,
                             .state = mysql::GroupState::Online,
                             .primary = peer == 0});
  }
  scene.servers[0].seen.seen += std::chrono::milliseconds(10);
  return scene;
}

TEST(MysqlReplication, LabelsAndShowsTheMembersOfAGroupByTheGroupsWord) {
  auto scene = group_of_two();
  scene.settle();
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
  EXPECT_EQ(scene.pod_label("db-1", kReadonlyLabel), "true");
  EXPECT_EQ(scene.pod_label("db-2", kReadonlyLabel), "");
  const auto& nodes = scene.status()["topology"].as_object();
  EXPECT_EQ(nodes.at("db-0").at("role"), "Source");
  EXPECT_EQ(nodes.at("db-1").at("role"), "Replica");
  EXPECT_EQ(nodes.at("db-1").at("memberState"), "ONLINE");
  EXPECT_EQ(nodes.at("db-1").at("ready"), json::value(true));
  EXPECT_EQ(nodes.at("db-2").at("role"), "None");
  EXPECT_EQ(nodes.at("db-2").at("memberState"), "OFFLINE");
}

TEST(MysqlReplication, AMemberIsGivenTheNameTheAddressesAndTheAccountOfItsGroup) {
  auto scene = group_of_two();
  const auto decision = scene.decide();
  const auto* ask = action<AskAgent>(decision, "step db-2 StartGroup 1  1");
  ASSERT_TRUE(ask);
  const auto& start = std::get<agent::StartGroup>(ask->action);
  EXPECT_EQ(start.group_name, kGroup);
  EXPECT_EQ(start.local_address, "db-2.db:3306");
  EXPECT_THAT(start.members,
              ::testing::UnorderedElementsAre("db-0.db:3306", "db-1.db:3306", "db-2.db:3306"));
  EXPECT_EQ(start.user, "replication");
  EXPECT_EQ(start.password.reveal(), "following");
  EXPECT_TRUE(start.own_authorities);
  EXPECT_FALSE(start.bootstrap);
}

TEST(MysqlReplication, MembersOfAGroupMayConnectToOneAnother) {
  auto scene = group_of_two();
  scene.servers[2].refuses_password();
  const auto decision = scene.decide();
  const auto* ask = action<AskAgent>(decision, "step db-2 EnsureAccounts 1  1");
  ASSERT_TRUE(ask);
  const auto& accounts = std::get<agent::EnsureAccounts>(ask->action).accounts;
  EXPECT_THAT(accounts.at(1).grants, Contains(agent::GrantSet::GroupMember));
}

TEST(MysqlReplication, AGroupIsOnRecordByNameAndEpochBeforeAnybodyIsAsked) {
  auto scene = group_of_two();
  scene.settle();
  for (int i = 0; i < 3; ++i) {
    scene.servers[i].is_closed();
    scene.servers[i].seen.group = mysql::GroupStatus{.group_name = kGroup};
  }
  auto decision = scene.decide();
  const auto* record = action<Apply>(decision, "record");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->expected.value, scene.version_seen());
  EXPECT_THAT(keys_of(decision), Each(Not(StartsWith("step "))));
  scene.apply(decision);
  EXPECT_EQ(scene.status()["groupName"], kGroup);
  EXPECT_EQ(scene.status()["operation"].at("type"), "Bootstrap");
  decision = scene.decide();
  EXPECT_THAT(keys_of(decision), Contains("step db-1 StopGroup 2 "));
}

TEST(ClusteringStopped, LeavesServersAndRolesAsTheyAreAndIsSaid) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kClusteringStoppedAnnotation, "true"}};
  scene.servers[0].is_killed();
  scene.servers[1].is_closed();
  const auto decision = scene.settle();
  EXPECT_EQ(scene.condition("TopologyReady"), "False ClusteringStopped");
  EXPECT_THAT(scene.condition_message("TopologyReady"), HasSubstr("troupe.dev/clustering-stopped"));
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
  EXPECT_THAT(keys_of(decision), Each(Not(StartsWith("step "))));
  EXPECT_FALSE(scene.status().contains("operation"));
}

TEST(ClusteringStopped, ByAnyValueThatIsNotFalse) {
  for (const std::string_view value : {"true", "1", "True", "yes", "no", "stop"}) {
    auto scene = ReplicationScene::formed();
    scene.settle();
    scene.object()["metadata"].as_object()["annotations"] = {{kClusteringStoppedAnnotation, value}};
    scene.servers[0].is_killed();
    scene.settle();
    EXPECT_EQ(scene.condition("TopologyReady"), "False ClusteringStopped") << value;
    EXPECT_FALSE(scene.status().contains("operation")) << value;
    EXPECT_EQ(scene.condition_message("TopologyReady").find("was expected") != std::string::npos,
              value == "yes" || value == "no" || value == "stop");
  }
}

TEST(ClusteringStopped, SaysThatTheSourceIsDead) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kClusteringStoppedAnnotation, "true"}};
  scene.servers[0].is_killed();
  const auto decision = scene.decide();
  EXPECT_THAT(rules_of(decision), ElementsAre("ClusteringStopped", "SourceDead"));
  EXPECT_THAT(guard_text(decision, "SourceDead"), HasSubstr("the process of db-0"));
}

TEST(ClusteringStopped, LabelsANewPodOfTheSourceAndNobodyWhoServedNobody) {
  auto scene = ReplicationScene::formed();
  scene.servers[2].is_killed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kClusteringStoppedAnnotation, "true"}};
  scene.documents["Pod/db-0"]["metadata"].as_object()["labels"] = json::object{};
  scene.settle();
  EXPECT_EQ(scene.pod_label("db-0", kReadonlyLabel), "false");
  EXPECT_EQ(scene.pod_label("db-1", kReadonlyLabel), "true");
  EXPECT_EQ(scene.pod_label("db-2", kReadonlyLabel), "");
}

TEST(ClusteringStopped, AndResumedGoesOnWithWhatIsDueByThen) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kClusteringStoppedAnnotation, "true"}};
  scene.servers[0].is_killed();
  scene.settle();
  for (const auto* resumed : {"false", "", "0", "False"}) {
    auto next = scene;
    next.object()["metadata"].as_object()["annotations"] = {
        {kClusteringStoppedAnnotation, resumed}};
    next.apply(next.decide());
    EXPECT_EQ(next.status()["operation"].at("type"), "Failover");
  }
}

const std::map<std::string, std::string> kDonor{{"HOST", "donor.example"},
                                                {"PORT", "3307"},
                                                {"USER", "outside"},
                                                {"PASSWORD", "outside-password"}};

TEST(ExternalSource, IsAskedWhatItHasByTheAccountOfItsSecret) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.take_data_from("donor", kDonor);
  const auto decision = scene.decide();
  const auto* ask =
      action<AskAgent>(decision, "step db-0 InspectSource 1 @outside 1 donor.example:3307");
  ASSERT_TRUE(ask) << ::testing::PrintToString(keys_of(decision));
  const auto& source = std::get<agent::InspectSource>(ask->action).source;
  EXPECT_EQ(source.user, "outside");
  EXPECT_EQ(source.password, Secret("outside-password"));
  for (const auto& e : decision.effects)
    EXPECT_THAT(e.key + describe(e), Not(HasSubstr("outside-password")));
}

TEST(ExternalSource, ASecretThatSaysNotEnoughIsToldKeyByKey) {
  auto scene = ReplicationScene::formed();
  scene.take_data_from("donor", {{"HOST", "no host"}, {"PORT", "99999"}, {"USER", "outside"}});
  scene.settle();
  EXPECT_EQ(scene.condition("OrderObeyed"), "False ExternalSourceInvalid");
  const auto message = scene.condition_message("OrderObeyed");
  for (const auto* part :
       {"Secret donor", "HOST is no host name", "PORT is no port", "PASSWORD is missing"})
    EXPECT_THAT(message, HasSubstr(part));
  EXPECT_THAT(message, Not(HasSubstr("99999")));
  EXPECT_EQ(scene.condition("TopologyReady"), "True SyncTopologySucceed") << "it is as it was";
}

TEST(ExternalSource, AnotherPasswordIsAnotherRevision) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.take_data_from("donor", kDonor);
  scene.decide();
  auto changed = kDonor;
  changed["PASSWORD"] = "another";
  scene.take_data_from("donor", changed);
  EXPECT_THAT(keys_of(scene.decide()),
              Contains("step db-0 InspectSource 1 @outside 2 donor.example:3307"));
}

TEST(ExternalSource, IsOnRecordAsLongAsAllDataComeFromThere) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.status()["externalSource"] = "donor";
  auto& quorum = scene.status()["quorum"].as_object();
  quorum["acks"] = quorum["waitsFor"] = 0;
  scene.apply(scene.decide());
  EXPECT_EQ(scene.status()["operation"].at("type"), "Detach");
  EXPECT_EQ(scene.status()["externalSource"], "donor") << "until replicas have all of it";
}

TEST(ExternalSource, AGroupHasNone) {
  auto scene = group_of_two();
  scene.take_data_from("donor", kDonor);
  scene.settle();
  EXPECT_EQ(scene.condition("OrderObeyed"), "False ExternalSourceUnsupported");
}

TEST(MysqlReplication, AChoiceAmongDivergedMembersIsTakenFromItsAnnotationWhichThenGoes) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kRecoverOnAnnotation, "db-2"}};
  EXPECT_TRUE(effect(scene.decide(), "remove annotation recover-on")) << "nobody has diverged";
}

// --- what is told of operations ------------------------------------------------------------------

// "FailoverStarted: epoch 2: ...", of what happened; each is answered.
std::vector<std::string> tell(ReplicationScene& scene, const Decision& decision) {
  std::vector<std::string> out;
  for (const auto& e : decision.effects) {
    const auto* event = std::get_if<EmitEvent>(&e.action);
    if (!event || !event->condition.empty()) continue;
    out.push_back(event->reason + ": " + event->text);
    EffectResult done{.key = e.key};
    done.finished = scene.servers.now;
    MysqlReplicationKind::fold(scene.memory, done);
  }
  return out;
}

json::object operation(std::string_view type, int epoch, std::string_view step = "Close") {
  return {{"id", fmt::format("{}-{}", type, epoch)},
          {"type", type},
          {"step", step},
          {"candidate", "db-1"},
          {"from", "db-0"},
          {"epoch", epoch},
          {"message", "annotation"},
          {"startedAt", "2026-01-31T12:00:00Z"}};
}

TEST(Told, ThatAFailoverBeganOnceItIsOnRecordAndOnce) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[0].is_killed();
  const auto decided = scene.decide();
  ASSERT_TRUE(effect(decided, "record"));
  EXPECT_THAT(tell(scene, decided), IsEmpty()) << "the write of it may be refused";
  scene.apply(decided);
  EXPECT_THAT(tell(scene, scene.decide()),
              ElementsAre(AllOf(StartsWith("FailoverStarted: epoch 2: "), HasSubstr("db-0"))));
  scene.servers.now += std::chrono::minutes(10);
  EXPECT_THAT(tell(scene, scene.decide()), IsEmpty());
}

TEST(Told, EveryOperationOfAnotherEpochThoughTheWordsAreTheSame) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  for (int epoch = 2; epoch < 12; ++epoch) {
    scene.status()["epoch"] = epoch;
    scene.status()["operation"] = operation("Switchover", epoch);
    EXPECT_THAT(tell(scene, scene.decide()),
                ElementsAre(fmt::format(
                    "SwitchoverStarted: epoch {}: from db-0 to db-1: annotation", epoch)));
  }
}

TEST(Told, ByWhoeverComesToLeadWhileAnOperationIsUnderWay) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.status()["epoch"] = 2;
  scene.status()["operation"] = operation("Switchover", 2);
  scene.decide();  // a standby: nothing of it was carried out
  EXPECT_THAT(tell(scene, scene.decide()), ElementsAre(StartsWith("SwitchoverStarted")));
}

struct EndCase {
  std::string_view type, outcome, told;
  bool warning;
};
class ToldEnd : public ::testing::TestWithParam<EndCase> {};

TEST_P(ToldEnd, IsWhatTheRecordSaysOnceAndWhileItIsNews) {
  const auto& [type, outcome, told, warning] = GetParam();
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto last = operation(type, 5);
  last["outcome"] = outcome;
  last["finishedAt"] = "2026-01-31T12:00:00Z";
  scene.status()["lastOperation"] = last;
  auto late = scene;
  late.wall += std::chrono::minutes(1);
  EXPECT_THAT(tell(late, late.decide()), IsEmpty()) << "of another process, long ago";
  const auto decision = scene.decide();
  EXPECT_THAT(events_of(decision),
              Contains(fmt::format("{} {}", warning ? "Warning" : "Normal", told)));
  EXPECT_THAT(tell(scene, decision), ElementsAre(fmt::format("{}: epoch 5: annotation", told)));
  EXPECT_THAT(tell(scene, scene.decide()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Operations, ToldEnd,
    ::testing::Values(EndCase{"Form", "Succeeded", "Form", false},
                      EndCase{"Failover", "Succeeded", "Failover", true},
                      EndCase{"Failover", "Undone", "FailoverGivenUp", true},
                      EndCase{"Switchover", "Succeeded", "Switchover", false},
                      EndCase{"Switchover", "Undone", "SwitchoverGivenUp", true},
                      EndCase{"Rebuild", "Succeeded", "Rebuilt", false},
                      EndCase{"Attach", "Undone", "ExternalSourceGivenUp", true}),
    [](const auto& tested) {
      return fmt::format("{}{}", tested.param.type, tested.param.outcome);
    });

TEST(MysqlReplication, AChoiceThatDecidesNothingIsTakenAwayAndThatIsTold) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kRecoverOnAnnotation, "db-2"}};
  EXPECT_THAT(events_of(scene.decide()), ElementsAre("Warning ChoiceWithdrawn"));
}

TEST(MysqlReplication, AnOrderThatNamesNobodyIsWithdrawn) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["annotations"] = {{kSwitchoverAnnotation, ""}};
  const auto decision = scene.decide();
  EXPECT_THAT(events_of(decision), ElementsAre("Warning OrderWithdrawn"));
  EXPECT_TRUE(effect(decision, "remove annotation switchover-to"));
}

// --- status --------------------------------------------------------------------------------------

TEST(MysqlReplication, ShowsAnIsolatedMemberAsOne) {
  auto scene = ReplicationScene::formed();
  scene.spec()["replica"].at(1).as_object()["isolated"] = true;
  scene.servers[2].isolated = true;
  scene.settle();
  const auto& node = scene.status()["topology"].at("db-2");
  EXPECT_EQ(node.at("ready"), json::value(false));
  EXPECT_EQ(node.at("error"), "isolated by spec.replica");
}

TEST(MysqlReplication, TellsWhatHoldsItBackWithItsEvidence) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[0].is_killed();
  scene.servers[1].is_killed();
  scene.apply(scene.decide());
  EXPECT_EQ(scene.condition("TopologyReady"), "False QuorumMissing") << "why nobody takes over";
  EXPECT_THAT(scene.condition_message("TopologyReady"), HasSubstr("the process of db-0 was ended"));
  const auto& guards = scene.status()["guards"].as_array();
  ASSERT_EQ(guards.size(), 2u);
  EXPECT_EQ(guards[1].at("rule"), "SourceDead");
  EXPECT_EQ(scene.status()["ready"], json::value(false));
}

TEST(MysqlReplication, TellsAnEventWhenAConditionTurnsBad) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[1].is_killed();
  EXPECT_THAT(keys_of(scene.decide()), Contains(StartsWith("event ReplicaUnusable")));
}

TEST(MysqlReplication, TellsOfEveryGuardThatStandsAnewAndOfNoneTwice) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[1].is_killed();
  const auto one = scene.decide();
  EXPECT_THAT(events_of(one), ElementsAre("Warning ReplicaUnusable"));
  scene.apply(one);
  scene.servers[0].is_killed();
  const auto more = scene.decide();
  EXPECT_THAT(events_of(more), ElementsAre("Warning QuorumMissing", "Warning SourceDead"));
  scene.apply(more);
  EXPECT_THAT(events_of(scene.decide()), IsEmpty());
}

TEST(MysqlReplication, TellsOfAnotherMemberThatTheSameRuleHolds) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[1].is_killed();
  scene.settle();
  scene.servers[2].is_killed();
  const auto told = scene.decide();
  ASSERT_THAT(events_of(told), Contains("Warning ReplicaUnusable"));
  EXPECT_THAT(keys_of(told), Contains(AllOf(StartsWith("event ReplicaUnusable"), HasSubstr("db-1"),
                                            HasSubstr("db-2"))));
}

TEST(MysqlReplication, AGuardHasOneTimeInTheStatusAndInTheConsoleForAsLongAsItsRuleStands) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[1].is_silent(std::chrono::milliseconds(3700));
  const auto since_of = [&scene](const Decision& decision) {
    const auto& guards = decision.guards;
    const auto g = std::find_if(guards.begin(), guards.end(),
                                [](const Guard& each) { return each.rule == "ReplicaUnusable"; });
    if (g == guards.end()) return ::testing::PrintToString(rules_of(decision));
    return to_rfc3339(scene.wall -
                      std::chrono::duration_cast<WallTime::duration>(scene.servers.now - g->since));
  };
  const auto first = scene.decide();
  EXPECT_EQ(since_of(first), "2026-01-31T11:59:56Z") << "when it was seen to begin, in seconds";
  scene.apply(first);
  EXPECT_EQ(scene.status()["guards"].at(0).at("since"), "2026-01-31T11:59:56Z");
  // Another probe, and another reason of the same rule.
  scene.wall += std::chrono::milliseconds(7300);
  scene.servers.pass(std::chrono::milliseconds(7300));
  for (auto& server : scene.servers.list) {
    server.now = scene.servers.now;
    server.was_asked_now();
  }
  scene.servers[1].is_silent(std::chrono::seconds(2)).has_lost_its_agent();
  const auto later = scene.decide();
  EXPECT_EQ(since_of(later), "2026-01-31T11:59:56Z");
  scene.apply(later);
  EXPECT_EQ(scene.status()["guards"].at(0).at("since"), "2026-01-31T11:59:56Z");
}

TEST(MysqlReplication, AWriteThatTheApiServerRefusesIsTold) {
  auto scene = ReplicationScene::formed();
  const auto decision = scene.decide();
  const auto write =
      std::find_if(decision.effects.begin(), decision.effects.end(),
                   [](const Effect& e) { return e.key.find("Service") != e.key.npos; });
  ASSERT_NE(write, decision.effects.end());
  scene.refused = {{write->key, error(Code::Denied, "HTTP 403: exceeded quota: services"), {}}};
  const auto told = scene.decide();
  scene.apply(told);
  EXPECT_EQ(scene.condition("ResourceReady"), "False WriteRefused");
  EXPECT_THAT(scene.condition_message("ResourceReady"), HasSubstr("exceeded quota: services"));
  EXPECT_THAT(events_of(told), Contains("Warning WriteRefused"));
}

TEST(MysqlReplication, ARecordThatTheApiServerRefusesIsToldThoughTheStatusWaitsForIt) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[0].is_killed();
  scene.refused = {{"record", error(Code::Denied, "HTTP 403: a webhook says no"), {}}};
  const auto told = scene.decide();
  EXPECT_TRUE(effect(told, "record")) << "it is tried again";
  EXPECT_THAT(events_of(told), Contains("Warning WriteRefused"));
  EXPECT_TRUE(effect(told, "status"));
}

TEST(MysqlReplication, AnEpochThatNobodyCanFollowIsToldAndNothingIsWritten) {
  for (const std::int64_t epoch :
       {std::int64_t{-1}, k8s::kMaxEpoch + 1, std::numeric_limits<std::int64_t>::max()}) {
    auto scene = ReplicationScene::formed();
    scene.settle();
    scene.status()["epoch"] = epoch;
    scene.servers[0].is_killed();
    const auto decision = scene.decide();
    EXPECT_FALSE(effect(decision, "record")) << epoch;
    scene.apply(decision);
    EXPECT_THAT(scene.condition_message("TopologyReady"), Not(IsEmpty()));
    EXPECT_EQ(scene.status()["guards"].at(0).at("rule"), "EpochsExhausted");
    EXPECT_EQ(scene.status()["ready"], json::value(false));
  }
}

TEST(MysqlReplication, WarnsOfNothingWhileMembersAreBeingMade) {
  auto scene = ReplicationScene::formed();
  scene.status() = json::object{};
  for (const auto* object : {"Unit/db-2", "Pod/db-2", "Pod/db-1"}) scene.documents.erase(object);
  const auto decision = scene.decide();
  EXPECT_THAT(keys_of(decision), Contains("status"));
  EXPECT_THAT(keys_of(decision), Each(Not(StartsWith("event "))));
  scene.apply(decision);
  EXPECT_EQ(scene.condition("TopologyReady"), "False Progressing");
  EXPECT_EQ(scene.status()["guards"].at(0).at("rule"), "MembersUnknown");
}

TEST(MysqlReplication, ShowsEachServerAsItWasLastSeen) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  const auto& topology = scene.status()["topology"].as_object();
  EXPECT_EQ(topology.at("db-0").at("role"), "Source");
  EXPECT_EQ(topology.at("db-1").at("role"), "Replica");
  EXPECT_EQ(topology.at("db-1").at("sourceHost"), "db-0.db");
  EXPECT_EQ(topology.at("db-1").at("replicaIO"), "Yes");
}

TEST(MysqlReplication, AReplicaThatFollowsAnotherServerAtTheSourcesHostIsNotReady) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  EXPECT_EQ(scene.status()["topology"].at("db-1").at("ready"), json::value(true));
  scene.servers[1].receives_from("db-9");
  scene.settle();
  EXPECT_EQ(scene.status()["topology"].at("db-1").at("ready"), json::value(false));
  EXPECT_EQ(scene.status()["ready"], json::value(false));
  EXPECT_EQ(scene.condition("TopologyReady"), "False ReplicatesFromAnother");
  EXPECT_EQ(scene.pod_label("db-1", kReadonlyLabel), "") << "it serves nobody";
}

TEST(MysqlReplication, NumbersThatNeverStandStillAreWrittenSeldom) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[0].has("db-0:1-11");
  const auto decision = scene.decide();
  EXPECT_FALSE(effect(decision, "status"));
  EXPECT_LE(decision.wake, scene.servers.now + std::chrono::seconds(15));
}

TEST(MysqlReplication, WordsThatChangeAreWrittenAtOnceNumbersSeldom) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto& error = scene.servers[1].hears_nothing().seen.replica->io_error;
  error = {2003, "attempt 3/86400 after 350ms: db-0 is gone"};
  scene.settle();
  error.text = "attempt 4/86400 after 1.3s: db-0 is gone";
  EXPECT_FALSE(effect(scene.decide(), "status"));
  error.text = "attempt 4/86400 after 1.3s: db-2 is gone";
  EXPECT_TRUE(effect(scene.decide(), "status")) << "the number in a name is none";
}

TEST(MysqlReplication, AMemberThatClosedItselfIsWarnedOfAndTheEndOfItTold) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.servers[0].is_closed().agent.fenced = agent::FencedStatus{
      .since = WallTime(std::chrono::seconds(1769860800)), .reason = "no operator for 31 s"};
  const auto told = scene.decide();
  EXPECT_THAT(events_of(told), Contains("Warning MemberFenced"));
  scene.apply(told);
  EXPECT_EQ(scene.condition("TopologyReady"), "False MemberFenced");
  EXPECT_THAT(scene.condition_message("TopologyReady"),
              HasSubstr("db-0 has closed itself at 2026-01-31T12:00:00Z: no operator for 31 s"));
  EXPECT_EQ(scene.status()["guards"].at(0).at("rule"), "MemberFenced");
  scene.servers[0] = Servers::formed()[0];
  EXPECT_THAT(events_of(scene.decide()), Contains("Normal SyncTopologySucceed"));
}

TEST(MysqlReplication, IsNotReadyWhereAMemberCannotBeGivenItsAccounts) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.memory.members["db-1"].outcomes[Verb::EnsureAccounts] = {
      .error = error(Code::Denied, "no"), .at = scene.servers.now, .failures = 3, .accounts = 1};
  scene.settle();
  EXPECT_EQ(scene.condition("TopologyReady"), "False AccountsFailed");
  EXPECT_EQ(scene.status()["ready"], json::value(false));
}

TEST(MysqlReplication, AStepOfAMomentIsNotShownOneThatLastsIs) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto& status = scene.status();
  status["epoch"] = 2;
  status["operation"] = {{"id", "Switchover-2"}, {"type", "Switchover"}, {"step", "Drain"},
                         {"candidate", "db-1"},  {"from", "db-0"},       {"epoch", 2}};
  scene.servers[2].is_killed();
  const auto young = scene.decide();
  EXPECT_FALSE(effect(young, "status"));
  EXPECT_LE(young.wake, scene.servers.now + std::chrono::seconds(1));
  scene.servers.now += std::chrono::seconds(1);
  EXPECT_TRUE(effect(scene.decide(), "status"));
}

TEST(MysqlReplication, APromotionThatWaitsForReplicasIsNoProgress) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto& status = scene.status();
  status["epoch"] = 2;
  status["currentSource"] = "db-1";
  status["operation"] = {{"id", "Switchover-2"}, {"type", "Switchover"}, {"step", "Promote"},
                         {"candidate", "db-1"},  {"from", "db-0"},       {"epoch", 2}};
  scene.servers[0].is_closed();
  scene.servers[1].is_closed();
  MysqlReplicationKind::fold(scene.memory, answer("step db-1 Promote 2 ", 2, scene.servers.now));
  auto open = answer("step db-1 Open 2 ", 2, scene.servers.now);
  open.failed = Error{Code::Timeout, "0 of 1 replicas are attached"};
  MysqlReplicationKind::fold(scene.memory, open);
  scene.decide();
  scene.servers.now += std::chrono::seconds(1);
  scene.apply(scene.decide());
  EXPECT_EQ(scene.condition("TopologyReady"), "False ReplicasNotAttached");
  EXPECT_EQ(scene.status()["guards"].at(0).at("rule"), "ReplicasNotAttached");
}

TEST(MysqlReplication, ReportsLostTransactionsWithTheRecord) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  auto& status = scene.status();
  status["epoch"] = 2;
  status["operation"] = {
      {"id", "Rebuild-2"}, {"type", "Rebuild"},
      {"step", "Save"},    {"candidate", "db-1"},
      {"epoch", 2},        {"targetGtidSet", "00000000-0000-0000-0000-000000000001:11"}};
  auto saved = answer("step db-1 SaveTransactions 2 ", 2, scene.servers.now);
  saved.reply = agent::Reply{agent::TransactionsSaved{.path = "/data/saved/x"}, ""};
  MysqlReplicationKind::fold(scene.memory, saved);
  scene.apply(scene.decide());
  const auto& lost = scene.status()["lostTransactions"].as_array();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].at("node"), "db-1");
  EXPECT_EQ(lost[0].at("savedTo"), "/data/saved/x");
  EXPECT_EQ(lost[0].at("gtidSet"), "00000000-0000-0000-0000-000000000001:11");
}

// --- beginning and end ---------------------------------------------------------------------------

TEST(MysqlReplication, TakesAFinalizer) {
  auto scene = ReplicationScene::formed();
  EXPECT_TRUE(effect(scene.decide(), "add finalizer"));
}

TEST(MysqlReplication, DeletedTakesLabelsOffAndLetsGoWithoutTouchingServers) {
  auto scene = ReplicationScene::formed();
  scene.settle();
  scene.object()["metadata"].as_object()["deletionTimestamp"] = "2026-01-31T12:00:00Z";
  const auto first = scene.decide();
  EXPECT_THAT(keys_of(first), Each(Not(StartsWith("step "))));
  EXPECT_FALSE(effect(first, "remove finalizer")) << "the labels are there yet";
  scene.apply(first);
  EXPECT_EQ(scene.pod_label("db-0", kReplicationLabel), "");
  scene.apply(scene.decide());
  EXPECT_TRUE(effect(scene.decide(), "remove finalizer"));
  EXPECT_THAT(scene.decide().servers, IsEmpty());
}

}  // namespace
}  // namespace troupe::actors::testing
