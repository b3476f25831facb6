// What MysqlReplication itself adds to the engine: objects, credentials, status, deletion.
#include <gmock/gmock.h>

#include <functional>

#include "actors/model/names.hpp"
#include "tests/unit/actors/mysqlreplication/cluster.hpp"

namespace troupe::actors::testing {
namespace {

namespace json = boost::json;
using mysql_topology::Epoch;
using mysql_topology::Verb;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// --- objects -------------------------------------------------------------------------------------

TEST(MysqlReplication, WritesNothingOnceAllIsAsItShallBe) {
  auto cluster = Cluster::formed();
  const auto decision = cluster.settle();
  EXPECT_THAT(keys(decision), IsEmpty());
  EXPECT_EQ(cluster.condition("TopologyReady"), "True SyncTopologySucceed");
  EXPECT_EQ(cluster.condition("ResourceReady"), "True SyncResourceSucceed");
  EXPECT_EQ(cluster.status()["ready"], json::value(true));
}

TEST(MysqlReplication, LabelsPodsByTheRoleThatTheyHave) {
  auto cluster = Cluster::formed();
  cluster.settle();
  EXPECT_EQ(cluster.pod_label("db-0", kReplicationLabel), "db");
  EXPECT_EQ(cluster.pod_label("db-0", kReadonlyLabel), "false");
  EXPECT_EQ(cluster.pod_label("db-1", kReadonlyLabel), "true");
}

TEST(MysqlReplication, TakesARoleFromAPodThatCannotFillIt) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.servers[1].is_killed();
  cluster.settle();
  EXPECT_EQ(cluster.pod_label("db-1", kReplicationLabel), "db");
  EXPECT_EQ(cluster.pod_label("db-1", kReadonlyLabel), "");
}

TEST(MysqlReplication, IsolatedPodsBearNeitherLabel) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.spec()["replica"].as_array()[1].as_object()["isolated"] = true;
  cluster.apply(cluster.decide());
  EXPECT_EQ(cluster.pod_label("db-2", kReplicationLabel), "");
  EXPECT_EQ(cluster.pod_label("db-2", kReadonlyLabel), "");
}

TEST(MysqlReplication, PodsThatAreNoMembersAnyMoreLoseTheirLabels) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.spec()["replica"].as_array().pop_back();
  cluster.apply(cluster.decide());
  EXPECT_EQ(cluster.pod_label("db-2", kReplicationLabel), "");
}

TEST(MysqlReplication, MakesTheServicesThatLeadToTheSourceAndToTheReplicas) {
  auto cluster = Cluster::formed();
  cluster.settle();
  const auto& readwrite = cluster.documents.at("Service/db-readwrite");
  EXPECT_EQ(readwrite.at("spec").at("selector"),
            (json::value{{kReplicationLabel, "db"}, {kReadonlyLabel, "false"}}));
  EXPECT_EQ(readwrite.at("spec").at("ports").at(0).at("port"), 3306);
  EXPECT_EQ(readwrite.at("spec").at("type"), "ClusterIP");
  EXPECT_EQ(readwrite.at("metadata").at("labels").at("team"), "shop");
  EXPECT_EQ(readwrite.at("metadata").at("ownerReferences").at(0).at("name"), "db");
  const auto& readonly = cluster.documents.at("Service/db-readonly");
  EXPECT_EQ(readonly.at("spec").at("selector").at(kReadonlyLabel), "true");
  EXPECT_EQ(cluster.status()["readwriteService"], "db-readwrite");
}

TEST(MysqlReplication, HasNoReadonlyServiceWithoutReplicas) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.spec()["mode"] = "rpl_async";
  cluster.spec()["replica"] = json::array();
  cluster.apply(cluster.decide());
  EXPECT_FALSE(cluster.documents.contains("Service/db-readonly"));
}

TEST(MysqlReplication, MendsAServiceThatSomebodyChanged) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.documents["Service/db-readwrite"]["spec"].as_object()["selector"] = {{"app", "other"}};
  EXPECT_THAT(keys(cluster.decide()), Contains(HasSubstr("db-readwrite")));
}

TEST(MysqlReplication, LetsOneMemberOfThreeBeDisrupted) {
  auto cluster = Cluster::formed();
  cluster.settle();
  const auto& budget = cluster.documents.at("PodDisruptionBudget/db");
  EXPECT_EQ(budget.at("spec").at("maxUnavailable"), 1);
  cluster.spec()["replica"].as_array().pop_back();
  cluster.apply(cluster.decide());
  EXPECT_FALSE(cluster.documents.contains("PodDisruptionBudget/db"))
      << "of two it would forbid everything or nothing";
}

// --- credentials ---------------------------------------------------------------------------------

TEST(MysqlReplication, WatchesServersWithThePasswordOfTheSecret) {
  auto cluster = Cluster::formed();
  const auto decision = cluster.decide();
  ASSERT_EQ(decision.servers.size(), 3u);
  EXPECT_EQ(decision.servers[0].user, "mysql");
  EXPECT_EQ(decision.servers[0].password.reveal(), "probing");
  EXPECT_EQ(decision.agents.size(), 3u);
}

struct Spoiled {
  std::string name;
  std::function<void(Cluster&)> spoil;
  std::string reason;
  std::string names;
};
class Credentials : public ::testing::TestWithParam<Spoiled> {};

TEST_P(Credentials, ThatCannotBeReadAreACondition) {
  auto cluster = Cluster::formed();
  cluster.settle();
  GetParam().spoil(cluster);
  cluster.settle();
  EXPECT_EQ(cluster.condition("TopologyReady"), "False " + GetParam().reason);
  const auto message = cluster.condition_message("TopologyReady");
  EXPECT_THAT(message, HasSubstr(GetParam().names));
  EXPECT_THAT(message, Not(HasSubstr("probing")));
  EXPECT_EQ(cluster.pod_label("db-0", kReadonlyLabel), "false") << "roles stay";
  const auto decision = cluster.decide();
  EXPECT_THAT(decision.servers, IsEmpty());
  EXPECT_EQ(decision.agents.size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(
    Spoiled, Credentials,
    ::testing::Values(
        Spoiled{"NoSecret", [](Cluster& c) { c.documents.erase("Secret/secret"); },
                "CredentialsMissing", "Secret secret"},
        Spoiled{"NoKeyForTheUser",
                [](Cluster& c) { c.documents["Secret/secret"]["data"].as_object().erase("mysql"); },
                "CredentialsMissing", "mysql"},
        Spoiled{"NoAesSecret", [](Cluster& c) { c.documents.erase("Secret/aes-secret-key"); },
                "CredentialsMissing", "aes-secret-key"},
        Spoiled{"AnotherAesKey",
                [](Cluster& c) {
                  c.set_password("mysql", "probing", "fedcba9876543210fedcba9876543210");
                },
                "CredentialsInvalid", "another key"},
        Spoiled{"AnAesKeyOfTheWrongLength",
                [](Cluster& c) {
                  c.documents["Secret/aes-secret-key"]["data"].as_object()["AES_SECRET_KEY"] =
                      "c2hvcnQ=";
                },
                "CredentialsInvalid", "expected 32"}),
    [](const auto& tested) { return tested.param.name; });

TEST(MysqlReplication, APasswordThatServersRefuseIsACondition) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.servers[1].refuses_password();
  const auto decision = cluster.decide();
  EXPECT_THAT(keys(decision), Contains("step db-1 EnsureAccounts 1 "));
  EffectResult result{.key = "step db-1 EnsureAccounts 1 "};
  result.endpoint = "uid-Pod-db-1@2026-01-31T11:00:00Z";
  result.epoch = Epoch{1};
  result.finished = cluster.servers.now - std::chrono::seconds(1);
  MysqlReplicationKind::fold(cluster.memory, result);
  cluster.apply(cluster.decide());
  EXPECT_EQ(cluster.condition("TopologyReady"), "False CredentialsRefused");
  EXPECT_THAT(cluster.condition_message("TopologyReady"), HasSubstr("db-1"));
}

TEST(MysqlReplication, OneUserForBothGetsBothSetsOfGrants) {
  auto cluster = Cluster::formed();
  cluster.spec()["secret"].as_object()["replication"] = "mysql";
  cluster.servers[1].refuses_password();
  const auto decision = cluster.decide();
  const auto* ask = action<AskAgent>(decision, "step db-1 EnsureAccounts 1 ");
  ASSERT_TRUE(ask);
  const auto& accounts = std::get<agent::EnsureAccounts>(ask->action).accounts;
  ASSERT_EQ(accounts.size(), 1u);
  EXPECT_THAT(accounts[0].grants,
              ::testing::ElementsAre(agent::GrantSet::Probe, agent::GrantSet::Replication,
                                     agent::GrantSet::CloneDonor));
}

// --- steps ---------------------------------------------------------------------------------------

TEST(MysqlReplication, WritesTheRecordConditionallyAndAsksNothingBeforeItIsThere) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.servers[0].is_killed();
  const auto decision = cluster.decide();
  const auto* record = action<Apply>(decision, "record");
  ASSERT_TRUE(record);
  EXPECT_TRUE(record->status);
  EXPECT_EQ(record->manager, "troupe-op");
  EXPECT_EQ(record->expected.value, 7u);
  EXPECT_THAT(keys(decision), Each(Not(StartsWith("step "))));
}

TEST(MysqlReplication, AsksAgentsWithTheEpochOnRecord) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.servers[0].is_killed();
  cluster.apply(cluster.decide());
  const auto decision = cluster.decide();
  const auto* ask = action<AskAgent>(decision, "step db-1 StopReceiver 2 ");
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->epoch, Epoch{2});
  EXPECT_EQ(ask->endpoint.unit, "prod/db-1");
}

TEST(MysqlReplication, AReplicaIsGivenTheAccountAndTheAuthorityOfItsSource) {
  auto cluster = Cluster::formed();
  cluster.servers[2].is_closed();
  const auto decision = cluster.decide();
  const auto* ask = action<AskAgent>(decision, "step db-2 Follow 1 db-0");
  ASSERT_TRUE(ask);
  const auto& source = std::get<agent::Follow>(ask->action).source;
  EXPECT_EQ(source.host, "db-0.db");
  EXPECT_EQ(source.user, "replication");
  EXPECT_EQ(source.password.reveal(), "following");
  EXPECT_EQ(source.ca_pem, "a CA");
}

EffectResult answer(std::string key, std::uint64_t epoch, TimePoint at) {
  EffectResult r{.key = std::move(key)};
  r.endpoint = "uid-Pod-db-1@2026-01-31T11:00:00Z";
  r.epoch = Epoch{epoch};
  r.finished = at;
  return r;
}

TEST(MysqlReplication, RemembersWhatAgentsAnswered) {
  auto cluster = Cluster::formed();
  auto result = answer("step db-1 StopReceiver 2 ", 2, cluster.servers.now);
  result.reply =
      agent::Reply{agent::ReceiverStopped{.received = "",
                                          .executed = "00000000-0000-0000-0000-000000000001:1-5"},
                   ""};
  MysqlReplicationKind::fold(cluster.memory, result);
  const auto& outcome = cluster.memory.members.at("db-1").outcomes.at(Verb::StopReceiver);
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.epoch, Epoch{2});
  EXPECT_EQ(outcome.executed.count(), 5u);
}

TEST(MysqlReplication, AnAnswerToAnOlderEpochDoesNotOverwriteANewerOne) {
  auto cluster = Cluster::formed();
  MysqlReplicationKind::fold(cluster.memory,
                             answer("step db-1 Promote 3 ", 3, cluster.servers.now));
  auto late = answer("step db-1 Promote 2 ", 2, cluster.servers.now);
  late.failed = Error{Code::Timeout, "no answer"};
  MysqlReplicationKind::fold(cluster.memory, late);
  EXPECT_TRUE(cluster.memory.members.at("db-1").outcomes.at(Verb::Promote).ok);
}

TEST(MysqlReplication, ForgetsWhatAnEarlierLifeOfThePodAnswered) {
  auto cluster = Cluster::formed();
  MysqlReplicationKind::fold(cluster.memory,
                             answer("step db-1 Promote 1 ", 1, cluster.servers.now));
  auto other = answer("step db-1 Follow 1 db-0", 1, cluster.servers.now);
  other.endpoint = "another life";
  MysqlReplicationKind::fold(cluster.memory, other);
  EXPECT_FALSE(cluster.memory.members.at("db-1").outcomes.contains(Verb::Promote));
}

TEST(MysqlReplication, OtherAnswersAreNoSteps) {
  MysqlReplicationKind::Memory memory;
  MysqlReplicationKind::fold(memory, EffectResult{.key = "status"});
  MysqlReplicationKind::fold(memory, EffectResult{.key = "step of something else"});
  EXPECT_THAT(memory.members, IsEmpty());
}

// --- orders and modes ----------------------------------------------------------------------------

TEST(MysqlReplication, AnOrderByAnnotationIsRemovedWhenItIsDone) {
  auto cluster = Cluster::formed();
  cluster.object()["metadata"].as_object()["annotations"] = {{kSwitchoverAnnotation, "db-0"}};
  EXPECT_TRUE(effect(cluster.decide(), "remove annotation switchover-to"));
}

TEST(MysqlReplication, AModeThatIsNotServedIsAConditionAndChangesNothing) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.spec()["mode"] = "group_replication";
  cluster.servers[1].is_closed();
  const auto decision = cluster.settle();
  EXPECT_EQ(cluster.condition("TopologyReady"), "False ModeNotServed");
  EXPECT_THAT(cluster.condition_message("TopologyReady"), HasSubstr("rpl_semi_sync"));
  EXPECT_EQ(cluster.pod_label("db-0", kReadonlyLabel), "false");
  EXPECT_THAT(keys(decision), Each(Not(StartsWith("step "))));
}

// --- status --------------------------------------------------------------------------------------

TEST(MysqlReplication, TellsWhatHoldsItBackWithItsEvidence) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.servers[0].is_killed();
  cluster.servers[1].is_killed();
  cluster.apply(cluster.decide());
  EXPECT_EQ(cluster.condition("TopologyReady"), "False SourceDead");
  const auto& guards = cluster.status()["guards"].as_array();
  ASSERT_EQ(guards.size(), 2u);
  EXPECT_EQ(guards[1].at("rule"), "QuorumMissing");
  EXPECT_EQ(cluster.status()["ready"], json::value(false));
}

TEST(MysqlReplication, TellsAnEventWhenAConditionTurnsBad) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.servers[1].is_killed();
  EXPECT_THAT(keys(cluster.decide()), Contains(StartsWith("event ReplicaUnusable")));
}

TEST(MysqlReplication, ShowsEachServerAsItWasLastSeen) {
  auto cluster = Cluster::formed();
  cluster.settle();
  const auto& topology = cluster.status()["topology"].as_object();
  EXPECT_EQ(topology.at("db-0").at("role"), "Source");
  EXPECT_EQ(topology.at("db-1").at("role"), "Replica");
  EXPECT_EQ(topology.at("db-1").at("sourceHost"), "db-0.db");
  EXPECT_EQ(topology.at("db-1").at("replicaIO"), "Yes");
}

TEST(MysqlReplication, NumbersThatNeverStandStillAreWrittenSeldom) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.servers[0].has("db-0:1-11");
  const auto decision = cluster.decide();
  EXPECT_FALSE(effect(decision, "status"));
  EXPECT_LE(decision.wake, cluster.servers.now + std::chrono::seconds(15));
}

TEST(MysqlReplication, AStepOfAMomentIsNotShownOneThatLastsIs) {
  auto cluster = Cluster::formed();
  cluster.settle();
  auto& status = cluster.status();
  status["epoch"] = 2;
  status["operation"] = {{"id", "Switchover-2"}, {"type", "Switchover"}, {"step", "Drain"},
                         {"candidate", "db-1"},  {"from", "db-0"},       {"epoch", 2}};
  cluster.servers[2].is_killed();
  const auto young = cluster.decide();
  EXPECT_FALSE(effect(young, "status"));
  EXPECT_LE(young.wake, cluster.servers.now + std::chrono::seconds(1));
  cluster.servers.now += std::chrono::seconds(1);
  EXPECT_TRUE(effect(cluster.decide(), "status"));
}

TEST(MysqlReplication, ReportsLostTransactionsWithTheRecord) {
  auto cluster = Cluster::formed();
  cluster.settle();
  auto& status = cluster.status();
  status["epoch"] = 2;
  status["operation"] = {
      {"id", "Rebuild-2"}, {"type", "Rebuild"},
      {"step", "Save"},    {"candidate", "db-1"},
      {"epoch", 2},        {"targetGtidSet", "00000000-0000-0000-0000-000000000001:11"}};
  auto saved = answer("step db-1 SaveTransactions 2 ", 2, cluster.servers.now);
  saved.reply = agent::Reply{agent::TransactionsSaved{.path = "/data/saved/x"}, ""};
  MysqlReplicationKind::fold(cluster.memory, saved);
  cluster.apply(cluster.decide());
  const auto& lost = cluster.status()["lostTransactions"].as_array();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].at("node"), "db-1");
  EXPECT_EQ(lost[0].at("savedTo"), "/data/saved/x");
  EXPECT_EQ(lost[0].at("gtidSet"), "00000000-0000-0000-0000-000000000001:11");
}

// --- beginning and end ---------------------------------------------------------------------------

TEST(MysqlReplication, TakesAFinalizer) {
  auto cluster = Cluster::formed();
  EXPECT_TRUE(effect(cluster.decide(), "add finalizer"));
}

TEST(MysqlReplication, DeletedTakesLabelsOffAndLetsGoWithoutTouchingServers) {
  auto cluster = Cluster::formed();
  cluster.settle();
  cluster.object()["metadata"].as_object()["deletionTimestamp"] = "2026-01-31T12:00:00Z";
  const auto first = cluster.decide();
  EXPECT_THAT(keys(first), Each(Not(StartsWith("step "))));
  EXPECT_FALSE(effect(first, "remove finalizer")) << "the labels are there yet";
  cluster.apply(first);
  EXPECT_EQ(cluster.pod_label("db-0", kReplicationLabel), "");
  EXPECT_TRUE(effect(cluster.decide(), "remove finalizer"));
  EXPECT_THAT(cluster.decide().servers, IsEmpty());
}

}  // namespace
}  // namespace troupe::actors::testing
