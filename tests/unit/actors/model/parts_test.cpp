// ensure, conditions, credentials, endpoints, names, JSON and texts of effects.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/model/conditions.hpp"
#include "actors/model/credentials.hpp"
#include "actors/model/endpoints.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/model/revision.hpp"
#include "actors/model/settled.hpp"
#include "engines/agent/model/digest.hpp"
#include "engines/agent/model/passwords.hpp"
#include "k8s/api/unit.hpp"
#include "tests/unit/actors/memory_cluster/memory_cluster.hpp"

namespace troupe::actors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// ---- ensure ------------------------------------------------------------------------------------

class EnsureTest : public ::testing::Test {
 protected:
  // Asks for a ConfigMap with that data, given what is live.
  Decision ask(std::string_view data, bool drifted = false) {
    Decision d;
    auto body = skeleton<k8s::ConfigMap>(kNs, "m");
    body["data"] = boost::json::object{{"k", data}};
    const auto live = cluster.find<k8s::ConfigMap>("m");
    ensure(d, "ConfigMap", ref<k8s::ConfigMap>(kNs, "m"), "troupe-x", std::move(body),
           live ? &live->metadata : nullptr, drifted);
    for (const auto& e : d.effects) cluster.carry_out(e);
    return d;
  }
  MemoryCluster cluster;
};

TEST_F(EnsureTest, AppliesWhatIsNotThere) {
  EXPECT_THAT(ask("1").effects, SizeIs(1));
  EXPECT_EQ(cluster.at<k8s::ConfigMap>("m", "/data/k"), "1");
}

TEST_F(EnsureTest, AsksForNothingWhenExactlyThisWasApplied) {
  ask("1");
  EXPECT_THAT(ask("1").effects, IsEmpty());
}

TEST_F(EnsureTest, AppliesAnotherBodyAndWhatHasDrifted) {
  ask("1");
  EXPECT_THAT(ask("2").effects, SizeIs(1));
  EXPECT_THAT(ask("2", true).effects, SizeIs(1));
}

// What was applied by an older operator is not applied once more by a newer one.
TEST(AppliedHash, IsFnv1aOfTheBodysText) {
  boost::json::object body{
      {"empty", {{"list", boost::json::array()}, {"object", boost::json::object()}}},
      {"values", {nullptr, true, false, -7, std::uint64_t{18446744073709551615ULL}, 0.25, ""}}};
  for (int c = 1; c < 128; ++c) {
    const std::string text{'a', static_cast<char>(c), 'b'};
    body["texts"].emplace_array().emplace_back(text);
    body[text] = c;
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char byte : boost::json::serialize(body))
      hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
    ASSERT_EQ(applied_hash(body), fmt::format("{:016x}", hash)) << boost::json::serialize(body);
  }
}

TEST(SetFinalizer, KeepsOthersAndIsConditionalOnTheVersion) {
  MemoryCluster cluster;
  cluster.put<k8s::ConfigMap>("m", R"({"metadata": {"finalizers": ["theirs"]}})");
  const auto live = cluster.find<k8s::ConfigMap>("m");
  Decision d;
  set_finalizer(d, ref_to(*live), live->metadata, "ours", true);
  const auto& patch = std::get<MergePatch>(d.effects.at(0).action);
  EXPECT_EQ(patch.expected, live->metadata.resourceVersion);
  cluster.carry_out(d.effects.at(0));
  EXPECT_EQ(cluster.at<k8s::ConfigMap>("m", "/metadata/finalizers"), R"(["theirs","ours"])");
  const auto both = cluster.find<k8s::ConfigMap>("m");
  Decision back;
  set_finalizer(back, ref_to(*both), both->metadata, "ours", false);
  cluster.carry_out(back.effects.at(0));
  EXPECT_EQ(cluster.at<k8s::ConfigMap>("m", "/metadata/finalizers"), R"(["theirs"])");
}

// ---- settled -----------------------------------------------------------------------------------

class SettledTest : public ::testing::Test {
 protected:
  SettledTest() { cluster.put<k8s::ConfigMap>("m", R"({"metadata": {"labels": {"a": "1"}}})"); }

  Inputs version() { return Inputs().version(cluster.find<k8s::ConfigMap>("m")); }
  Inputs specified() { return Inputs().specified(cluster.find<k8s::ConfigMap>("m")); }
  // Whether there is something to be looked at.
  bool looks(const Inputs& inputs, const std::function<void(Decision&)>& find = [](auto&) {}) {
    bool looked = false;
    Decision d;
    settled.keep(inputs, d, [&] {
      looked = true;
      find(d);
    });
    return looked;
  }
  MemoryCluster cluster;
  Settled settled;
};

TEST_F(SettledTest, WhatHadNothingToDoIsNotLookedAtAgain) {
  EXPECT_TRUE(looks(version()));
  EXPECT_FALSE(looks(version()));
}

TEST_F(SettledTest, WhatHadSomethingToDoIs) {
  const auto adds = [](Decision& d) { d.add("x", Delete{}); };
  const auto holds = [](Decision& d) { d.hold("Rule", "because"); };
  const auto waits = [](Decision& d) { d.wake_at(TimePoint{}); };
  const auto says = [](Decision& d) { d.doing = "replacing its Pod"; };
  for (const auto& find : std::vector<std::function<void(Decision&)>>{adds, holds, waits, says}) {
    EXPECT_TRUE(looks(version(), find));
    EXPECT_TRUE(looks(version(), find));
  }
}

TEST_F(SettledTest, WhateverIsWrittenMakesAnotherVersion) {
  looks(version());
  cluster.edit<k8s::ConfigMap>("m", R"({"data": {"k": "1"}})");
  EXPECT_TRUE(looks(version()));
}

TEST_F(SettledTest, LabelsAnnotationsAndThatItGoesAreSpecifiedAndTheStatusIsNot) {
  const auto unit = [this] { return Inputs().specified(cluster.find<k8s::Unit>("u")); };
  cluster.put<k8s::Unit>("u", R"({"metadata": {"finalizers": ["x"]}, "spec": {}})");
  looks(unit());
  cluster.edit<k8s::Unit>("u", R"({"status": {"phase": "Ready"}})");
  EXPECT_FALSE(looks(unit()));
  for (const auto* edit :
       {R"({"spec": {"startup": false}})", R"({"metadata": {"labels": {"a": "1"}}})",
        R"({"metadata": {"labels": {"a": "2"}}})", R"({"metadata": {"annotations": {"a": "2"}}})",
        R"({"metadata": {"annotations": null}})"}) {
    cluster.edit<k8s::Unit>("u", edit);
    EXPECT_TRUE(looks(unit())) << edit;
    EXPECT_FALSE(looks(unit())) << edit;
  }
  cluster.carry_out({"delete", Delete{ref<k8s::Unit>(kNs, "u"), {}, {}}});
  EXPECT_TRUE(looks(unit()));
}

TEST_F(SettledTest, OneThatIsMadeAnewIsAnother) {
  const auto map = [this] { return Inputs().exists(cluster.find<k8s::ConfigMap>("m")); };
  looks(map());
  cluster.edit<k8s::ConfigMap>("m", R"({"data": {"k": "1"}})");
  EXPECT_FALSE(looks(map()));
  cluster.remove<k8s::ConfigMap>("m");
  EXPECT_TRUE(looks(map()));
  cluster.put<k8s::ConfigMap>("m");
  EXPECT_TRUE(looks(map()));
}

// ---- conditions --------------------------------------------------------------------------------

class ConditionsTest : public ::testing::Test {
 protected:
  static WallTime second(int n) { return WallTime(std::chrono::seconds(1000 + n)); }
  // The conditions of one pass become the live ones of the next.
  std::size_t pass(int at, const std::function<void(Conditions&)>& fill) {
    Conditions conditions(arena, live, 7, second(at));
    fill(conditions);
    live = conditions.list();
    return conditions.changed().size();
  }
  k8s::Arena arena;
  k8s::List<k8s::Condition> live;
};

TEST_F(ConditionsTest, TheTimeMovesOnlyWithTheStatus) {
  pass(0, [](auto& c) { c.set("Ready", false, "Starting", "0 of 3"); });
  pass(5, [](auto& c) { c.set("Ready", false, "Waiting", "1 of 3"); });
  EXPECT_EQ(live[0].lastTransitionTime.at, second(0));
  EXPECT_EQ(live[0].reason, "Waiting");
  EXPECT_EQ(live[0].observedGeneration, 7);
  pass(9, [](auto& c) { c.set("Ready", true, "Up", "3 of 3"); });
  EXPECT_EQ(live[0].lastTransitionTime.at, second(9));
}

TEST_F(ConditionsTest, AnotherMessageAloneIsNoChange) {
  EXPECT_EQ(pass(0, [](auto& c) { c.set("Ready", false, "Starting", "0 of 3"); }), 1U);
  EXPECT_EQ(pass(1, [](auto& c) { c.set("Ready", false, "Starting", "1 of 3"); }), 0U);
}

TEST_F(ConditionsTest, ReconciledNamesAllThatIsInTheWay) {
  pass(0, [](auto& c) { c.reconciled({{"SecretMissing", "a", {}}, {"MapMissing", "b", {}}}); });
  EXPECT_EQ(live[0].reason, "SecretMissing");
  EXPECT_EQ(live[0].message, "a; b");
  pass(1, [](auto& c) { c.reconciled({}); });
  EXPECT_EQ(live[0].status, k8s::ConditionStatus::True);
}

TEST_F(ConditionsTest, ReconciledChangesWhenItNamesSomethingElse) {
  pass(0, [](auto& c) { c.reconciled({{"SecretMissing", "a", {}}}); });
  EXPECT_EQ(pass(1, [](auto& c) { c.reconciled({{"SecretMissing", "b", {}}}); }), 1U);
}

class NewsTest : public ConditionsTest {
 protected:
  // "Warning SecretMissing after nothing: a": what there is to tell of a pass.
  std::vector<std::string> news(const std::vector<Guard>& guards) {
    std::vector<std::string> out;
    pass(0, [&](Conditions& c) {
      c.reconciled(guards);
      c.set("Ready", guards.empty(), "Counted", "some");
      for (const auto& n : news_of(c, {kReconciled}, {"Waits"}, warned)) {
        EXPECT_EQ(n.condition, kReconciled);
        out.push_back(fmt::format("{} {} after {}: {}", n.warning ? "Warning" : "Normal", n.reason,
                                  n.before.empty() ? "nothing" : n.before, n.text));
      }
    });
    return out;
  }
  Warned warned;
};

TEST_F(NewsTest, AFalseConditionIsAWarningOnceForEachThingThatItNames) {
  EXPECT_THAT(news({{"SecretMissing", "a", {}}}),
              ElementsAre("Warning SecretMissing after nothing: a"));
  EXPECT_THAT(news({{"SecretMissing", "a", {}}}), IsEmpty());
  EXPECT_THAT(news({{"SecretMissing", "b", {}}}),
              ElementsAre("Warning SecretMissing after SecretMissing: b"));
}

TEST_F(NewsTest, ItsEndIsToldOnce) {
  news({{"SecretMissing", "a", {}}});
  EXPECT_THAT(news({}),
              ElementsAre("Normal AllApplied after SecretMissing: nothing stands in its way"));
  EXPECT_THAT(news({}), IsEmpty());
}

TEST_F(NewsTest, ItsEndIsToldAlsoAfterAQuietPassage) {
  news({{"SecretMissing", "a", {}}});
  EXPECT_THAT(news({{"Waits", "for its turn", {}}}), IsEmpty());
  EXPECT_THAT(news({}), ElementsAre(HasSubstr("Normal AllApplied after SecretMissing")));
}

TEST_F(NewsTest, AfterARestartWhatTheObjectSaysCounts) {
  news({{"SecretMissing", "a", {}}});
  warned.clear();
  EXPECT_THAT(news({}), ElementsAre(HasSubstr("AllApplied after SecretMissing")));
}

TEST_F(NewsTest, NothingIsOverThatNobodyWasWarnedOf) {
  EXPECT_THAT(news({}), IsEmpty()) << "a new object";
  EXPECT_THAT(news({{"Waits", "for its turn", {}}}), IsEmpty());
  EXPECT_THAT(news({}), IsEmpty());
}

// ---- credentials -------------------------------------------------------------------------------

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    const Secret key("0123456789abcdef0123456789abcdef");
    const auto stored = agent::encrypt_password(Secret("s3cret"), key, "iv-of-16-bytes-x");
    cluster.put<k8s::SecretObject>(
        "users",
        fmt::format(R"({{"data": {{"root": "{}", "bad": "a"}}}})", agent::base64_encode(*stored)));
    cluster.put<k8s::SecretObject>(
        "aes", fmt::format(R"({{"data": {{"KEY": "{}"}}}})", agent::base64_encode(key.reveal())));
  }
  Result<Secret> password(std::string_view user, std::string_view key = "KEY") {
    return password_of(user, cluster.find<k8s::SecretObject>("users"), "users",
                       cluster.find<k8s::SecretObject>("aes"), "aes", key);
  }
  std::string refusal(const Result<Secret>& result) { return result ? "" : result.error().message; }
  MemoryCluster cluster;
};

TEST_F(CredentialsTest, AreDecryptedWithTheKeyOfAnotherSecret) {
  const auto found = password("root");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->reveal(), "s3cret");
}

TEST_F(CredentialsTest, WhatIsMissingIsNamed) {
  EXPECT_EQ(refusal(password("nobody")), "Secret users has no key nobody: add it");
  EXPECT_EQ(refusal(password("root", "OTHER")), "Secret aes has no key OTHER: add it");
  EXPECT_EQ(refusal(password("bad")), "Secret users: key bad is not base64");
  cluster.remove<k8s::SecretObject>("aes");
  EXPECT_EQ(refusal(password("root")), "Secret aes does not exist: make it");
}

TEST_F(CredentialsTest, AWrongKeyIsSaidWithoutTheSecret) {
  cluster.put<k8s::SecretObject>(
      "aes", fmt::format(R"({{"data": {{"KEY": "{}"}}}})",
                         agent::base64_encode("ffffffffffffffffffffffffffffffff")));
  const auto text = refusal(password("root"));
  EXPECT_THAT(text, HasSubstr("Secret users, key root"));
  EXPECT_THAT(text, HasSubstr("encrypt it with the key in Secret aes, key KEY"));
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, Not(HasSubstr("ffff")));
}

TEST_F(CredentialsTest, AKeyOfAnyWrongLengthIsSaidInTheSameWords) {
  for (const std::size_t size : {0, 1, 16, 31, 33, 64}) {
    cluster.put<k8s::SecretObject>("aes",
                                   fmt::format(R"({{"data": {{"KEY": "{}"}}}})",
                                               agent::base64_encode(std::string(size, 'k'))));
    const auto result = password("root");
    EXPECT_EQ(refusal(result),
              fmt::format("Secret aes, key KEY: has {} characters, expected 32: put the key there "
                          "that the passwords are encrypted with",
                          size));
    EXPECT_EQ(rule_of_credentials(result.error()), "CredentialsInvalid");
  }
}

TEST_F(CredentialsTest, AreMissingOrInvalidByWhatThereIsToDo) {
  EXPECT_EQ(rule_of_credentials(password("nobody").error()), "CredentialsMissing");
  EXPECT_EQ(rule_of_credentials(password("bad").error()), "CredentialsInvalid");
}

// ---- revisions ---------------------------------------------------------------------------------

TEST(Revision, CountsHowOftenAValueWasAnother) {
  Revision<std::string> revision;
  EXPECT_EQ(revision.number(), 0u);
  EXPECT_EQ(revision.of(""), 1u) << "also where the first is like none";
  EXPECT_EQ(revision.of(""), 1u);
  EXPECT_EQ(revision.of("a"), 2u);
  EXPECT_EQ(revision.of(""), 3u) << "a value that comes back is another one again";
  EXPECT_EQ(revision.number(), 3u);
}

// ---- endpoints, names, JSON, texts -------------------------------------------------------------

TEST(Endpoints, AreOneLifeOfAPodAndNoneBeforeItHasAnAddress) {
  MemoryCluster cluster;
  cluster.put<k8s::Pod>("db-0");
  EXPECT_FALSE(agent_of(*cluster.find<k8s::Pod>("db-0")));
  cluster.run_pod("db-0");
  const auto first = agent_of(*cluster.find<k8s::Pod>("db-0"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->unit, "prod/db-0");
  EXPECT_EQ(first->server_name, agent_server_name("prod", "db-0"));
  EXPECT_TRUE(pod_is_ready(*cluster.find<k8s::Pod>("db-0")));
  cluster.remove<k8s::Pod>("db-0");
  cluster.put<k8s::Pod>("db-0");
  cluster.run_pod("db-0");
  EXPECT_NE(agent_of(*cluster.find<k8s::Pod>("db-0"))->id, first->id);
}

TEST(Names, AreMadeFromTheUnitAndItsNamespace) {
  EXPECT_EQ(certificate_secret("db-0"), "db-0-tls");
  EXPECT_EQ(accounts_secret("db"), "db-accounts");
  EXPECT_EQ(agent_server_name("prod", "db-0"), "db-0.prod.agent.troupe");
}

TEST(Json, OfAWrongShapeIsAsIfItWereNotThere) {
  const auto o =
      parse_object(R"({"text": 1, "list": {}, "object": [], "items": [1, {"name": 2}]})");
  EXPECT_EQ(text_at(o, "text"), "");
  EXPECT_EQ(find_array(o, "list"), nullptr);
  EXPECT_EQ(find_object(o, "object"), nullptr);
  EXPECT_EQ(find_named(*find_array(o, "items"), "2"), nullptr);
  EXPECT_TRUE(parse_object("[1]").empty());
  EXPECT_TRUE(parse_object("{").empty());
}

TEST(Effects, AreDescribedWithoutTheirSecrets) {
  agent::EnsureAccounts accounts{{{.user = "root", .password = Secret("s3cret"), .grants = {}}}};
  const Effect asked{"accounts", AskAgent{{.unit = "prod/db-0"}, std::move(accounts), {7}}};
  EXPECT_EQ(describe(asked), "ask the agent of prod/db-0: EnsureAccounts (epoch 7)");
}

TEST(Effects, HaveTheSameFingerprintOnlyWhenTheyAskForTheSame) {
  const auto apply = [](std::string body, std::uint64_t version) {
    return fingerprint({"k", Apply{{}, "m", std::move(body), false, {version}}});
  };
  EXPECT_EQ(apply("{}", 1), apply("{}", 1));
  EXPECT_NE(apply("{}", 1), apply("[]", 1));
  EXPECT_NE(apply("{}", 1), apply("{}", 2));
}

}  // namespace
}  // namespace troupe::actors
