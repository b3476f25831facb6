// The process in the Pod, driven through its agent; and what the status says of it.
#include "tests/unit/actors/unit/unit_fixture.hpp"

namespace troupe::actors {
namespace {

using UnitProcess = UnitTest;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::StartsWith;

TEST_F(UnitProcess, IsConfiguredInitialisedAndStartedInThatOrder) {
  run();
  EXPECT_THAT(cluster.asked(), ElementsAre("Render", "EnsureInitialised", "StartProcess"));
  EXPECT_EQ(status("phase"), "Ready");
  EXPECT_EQ(status("processState"), "running");
  EXPECT_EQ(status("nodeName"), "node-1");
  EXPECT_EQ(status("nodeReady"), "True");
  EXPECT_THAT(condition("Ready"), "True PodReady: it serves");
}

TEST_F(UnitProcess, NothingIsAskedOfAnAgentThatIsAway) {
  unit.settle();
  cluster.run_pod("db-0");
  cluster.agent_of_pod("db-0").stream = agent::StreamState::Lost;
  unit.settle();
  EXPECT_THAT(cluster.asked(), IsEmpty());
  EXPECT_EQ(unit.decide().doing, "waiting for its agent");
  EXPECT_EQ(status("processState"), "unknown");
}

TEST_F(UnitProcess, ACloneUnderWayIsWaitedForAndAnInterruptedOneIsDoneAway) {
  run();
  auto& agent = cluster.agent_of_pod("db-0");
  agent.data = agent::DataState::ClonePartial;
  agent.operation = agent::OperationProgress{.id = "1", .kind = "Clone"};
  EXPECT_THAT(unit.decide().effects,
              testing::Each(testing::Field(&Effect::key, testing::Ne("initialise"))));
  agent.operation.reset();
  EXPECT_THAT(unit.decide().effects, Contains(testing::Field(&Effect::key, "initialise")));
}

TEST_F(UnitProcess, PhaseGoesFromPendingToRunningToReady) {
  unit.settle();
  EXPECT_EQ(status("phase"), "Pending");
  cluster.run_pod("db-0", "node-1", false);
  unit.settle();
  EXPECT_EQ(status("phase"), "Running");
  cluster.run_pod("db-0");
  unit.settle();
  EXPECT_EQ(status("phase"), "Ready");
}

TEST_F(UnitProcess, IsNotReadyBeforeItsProcessRunsWhateverThePodSays) {
  unit.settle();
  cluster.run_pod("db-0");
  cluster.agent_of_pod("db-0").stream = agent::StreamState::Lost;
  unit.settle();
  EXPECT_EQ(status("phase"), "Running");
}

TEST_F(UnitProcess, StaysReadyWhileNobodyKnowsItsProcess) {
  run();
  cluster.agent_of_pod("db-0").stream = agent::StreamState::Lost;
  unit.settle();
  EXPECT_EQ(status("processState"), "unknown");
  EXPECT_EQ(status("phase"), "Ready");
}

TEST_F(UnitProcess, AProcessThatEndsAgainAndAgainIsToldUntilAnotherOneServes) {
  run();
  auto& process = cluster.agent_of_pod("db-0").process;
  process.state = agent::ProcessState::Backoff;
  process.exit_code = 1;
  unit.settle();
  const auto told = std::string(
      "ProcessFails: its process ended with status 1 and is started again: see the log of "
      "container mysql");
  EXPECT_EQ(condition("Reconciled"), "False " + told);
  process.state = agent::ProcessState::Starting;
  process.restarts = 1;
  unit.settle();
  EXPECT_EQ(condition("Reconciled"), "False " + told);
  process.state = agent::ProcessState::Backoff;
  unit.settle();
  EXPECT_THAT(cluster.events(), ElementsAre("Warning " + told)) << "once";
  process.state = agent::ProcessState::Running;
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), StartsWith("True"));
}

TEST_F(UnitProcess, AProcessThatTheKernelKilledIsToldAsSuch) {
  run();
  auto& process = cluster.agent_of_pod("db-0").process;
  process.state = agent::ProcessState::Backoff;
  process.exit_signal = 9;
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("for want of memory"));
}

TEST_F(UnitProcess, AStartOnOrderIsNoTrouble) {
  run();
  auto& process = cluster.agent_of_pod("db-0").process;
  process.state = agent::ProcessState::Starting;
  process.restarts = 1;
  process.exit_code = 0;
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), StartsWith("True"));
}

// The agent's container starts first.
TEST_F(UnitProcess, ItsDataIsInitialisedOnceTheDatabasesContainerIsThere) {
  unit.settle();
  cluster.run_pod("db-0");
  cluster.agent_of_pod("db-0").process.supervisor_connected = false;
  unit.settle();
  EXPECT_THAT(cluster.asked(), testing::Not(testing::Contains("EnsureInitialised")));
  cluster.agent_of_pod("db-0").process.supervisor_connected = true;
  unit.settle();
  EXPECT_THAT(cluster.asked(), testing::Contains("EnsureInitialised"));
}

TEST_F(UnitProcess, AnInitialisationThatFailsIsToldWithoutTheServersWords) {
  unit.settle();
  cluster.run_pod("db-0");
  auto& agent = cluster.agent_of_pod("db-0");
  agent.last_operation = agent::OperationOutcome{
      .id = "1",
      .kind = "EnsureInitialised",
      .failed = Code::Fatal,
      .message = "mysqld --initialize ended with status 0, signal 9: near 's3cret'"};
  cluster.admission = [](const Effect& e) -> std::optional<Error> {
    if (e.key != "initialise") return {};
    return error(Code::Fatal, "it failed");
  };
  unit.settle();
  EXPECT_EQ(condition("Reconciled"),
            "False InitialisationFails: its data cannot be initialised, and that is tried again: "
            "mysqld --initialize ended with status 0, signal 9: see the log of container "
            "unit-agent");
}

TEST_F(UnitProcess, StartupFalseStopsItOnceKeepsThePodAndStartsItAgain) {
  run();
  spec(R"({"startup": false})");
  unit.settle();
  EXPECT_THAT(cluster.asked(), testing::Contains("StopProcess").Times(1));
  EXPECT_TRUE(cluster.has<k8s::Pod>("db-0"));
  EXPECT_EQ(status("phase"), "Running");
  EXPECT_EQ(status("processState"), "stopped");
  spec(R"({"startup": true})");
  unit.settle();
  EXPECT_EQ(cluster.asked().back(), "StartProcess");
  EXPECT_EQ(status("phase"), "Ready");
}

TEST_F(UnitProcess, MaintenanceLeavesConfigurationAndProcessAlone) {
  run();
  const auto before = cluster.asked().size();
  annotate("maintenance", "yes");  // neither true nor false: it is left alone
  cluster.edit<k8s::ConfigMap>("values", R"({"data": {"mysql": "a: 2"}})");
  cluster.agent_of_pod("db-0").process.state = agent::ProcessState::Stopped;
  unit.settle();
  EXPECT_EQ(cluster.asked().size(), before);
  annotate("maintenance", "false");
  unit.settle();
  EXPECT_EQ(cluster.asked().size(), before + 2);
}

TEST_F(UnitProcess, ForeignFilesOnTheVolumeAreNeverTouched) {
  unit.settle();
  cluster.run_pod("db-0");
  cluster.agent_of_pod("db-0").data = agent::DataState::Foreign;
  unit.settle();
  EXPECT_THAT(cluster.asked(), ElementsAre("Render"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("DataForeign"));
}

TEST_F(UnitProcess, AProcessThatCannotBeExecutedIsACondition) {
  run();
  cluster.agent_of_pod("db-0").process.state = agent::ProcessState::Fatal;
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("ProcessFatal"));
}

// ---- Configuration -----------------------------------------------------------------------------

TEST_F(UnitProcess, TheAgentIsSentTemplateValuesSharedValuesAndLabels) {
  cluster.put<k8s::ConfigMap>("shared", R"({"data": {"k": "v"}})");
  spec(R"({"sharedConfigName": "shared"})");
  run();
  const auto& render = std::get<agent::Render>(cluster.actions.at(0));
  EXPECT_EQ(render.template_text, "[mysqld]\n");
  ASSERT_EQ(render.values.size(), 2U);
  EXPECT_EQ(render.values[0].text, "a: 1");
  EXPECT_EQ(render.values[1].text, R"({"k":"v"})");
  EXPECT_EQ(render.labels.at("unit.name"), "db-0");
}

TEST_F(UnitProcess, EditedValuesAreRenderedAgainAndTheStatusSaysSoMeanwhile) {
  run();
  EXPECT_EQ(status("configSyncStatus/status"), "True");
  cluster.edit<k8s::ConfigMap>("values", R"({"data": {"mysql": "a: 2"}})");
  EXPECT_THAT(keys_of(unit.step()), Contains(HasSubstr("render ")));
  EXPECT_EQ(status("configSyncStatus/status"), "False");
  unit.settle();
  EXPECT_EQ(status("configSyncStatus/status"), "True");
}

TEST_F(UnitProcess, ANewOperatorRendersAgainWithoutTouchingTheStatus) {
  run();
  unit.memory = {};
  EXPECT_THAT(keys_of(unit.step()), ElementsAre(HasSubstr("render ")));
  EXPECT_THAT(keys_of(unit.decide()), IsEmpty());
}

TEST_F(UnitProcess, AnAgentThatStartedAnewIsSentTheConfigurationAgain) {
  run();
  cluster.agent_of_pod("db-0").boot_id = "another";
  EXPECT_THAT(keys_of(unit.step()), Contains(HasSubstr("render ")));
}

TEST_F(UnitProcess, WhatCannotBeRenderedIsACondition) {
  run();
  cluster.agent_of_pod("db-0").config.error = "line 3: no function foo";
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("ConfigInvalid: line 3: no function foo"));
  EXPECT_EQ(status("configSyncStatus/status"), "False");
}

TEST_F(UnitProcess, ATemplateWithoutTheDatabasesKeyIsACondition) {
  cluster.put<k8s::ConfigMap>("template", R"({"data": {"other": ""}})");
  run();
  EXPECT_THAT(condition("Reconciled"),
              HasSubstr("ConfigKeyMissing: ConfigMap prod/template has no key mysql"));
}

TEST_F(UnitProcess, SettingsThatHaveNoEffectAreACondition) {
  run();
  cluster.agent_of_pod("db-0").config.overridden = {"sync_binlog=0 (kept at 1)", "b"};
  unit.settle();
  EXPECT_THAT(condition("Reconciled"), HasSubstr("UnsafeSettings"));
  EXPECT_THAT(condition("Reconciled"), HasSubstr("sync_binlog=0 (kept at 1); b"));
}

TEST_F(UnitProcess, AFileThatTheProcessHasNotReadIsACondition) {
  run();
  cluster.agent_of_pod("db-0").config.restart_needed = true;
  unit.settle();
  EXPECT_THAT(condition("RestartNeeded"), HasSubstr("True ConfigurationChanged"));
}

// ---- Accounts ----------------------------------------------------------------------------------

class UnitAccounts : public UnitTest {
 protected:
  UnitAccounts() {
    cluster.put<k8s::SecretObject>("users", R"({"data": {"other": "eA=="}})");
    spec(R"({"template": {"spec": {"containers": [{"name": "mysql", "env": [
        {"name": "SECRET_NAME", "value": "users"}, {"name": "ADM_USER", "value": "root"},
        {"name": "MON_USER", "value": "monitor"}]}]}}})");
  }
};

TEST_F(UnitAccounts, GetMadeUpPasswordsWhereTheSecretLacksThemBeforeThePodIsMade) {
  const auto first = unit.step();
  EXPECT_THAT(keys_of(first), Contains("make accounts"));
  EXPECT_FALSE(cluster.has<k8s::Pod>("db-0"));
  EXPECT_EQ(cluster.at<k8s::SecretObject>("db-accounts", "/data/root"), "bWFkZS11cA==");
  EXPECT_EQ(cluster.at<k8s::SecretObject>("db-accounts", "/data/monitor"), "bWFkZS11cA==");
  run();
  const auto& asked = std::get<agent::EnsureAccounts>(cluster.actions.back());
  ASSERT_EQ(asked.accounts.size(), 2U);
  EXPECT_EQ(asked.accounts[0].user, "root");
  EXPECT_EQ(asked.accounts[0].host, "localhost");
  EXPECT_EQ(asked.accounts[0].password.reveal(), "made-up");
  EXPECT_EQ(asked.accounts[1].host, "%");
}

TEST_F(UnitAccounts, OfTheSecretAreDecryptedAndWithoutAKeyThatIsACondition) {
  cluster.put<k8s::SecretObject>("users", R"({"data": {"root": "eA==", "monitor": "eA=="}})");
  run();
  EXPECT_THAT(condition("Reconciled"),
              HasSubstr("CredentialsMissing: Secret aes-secret-key does not exist"));
}

TEST_F(UnitAccounts, ThatCannotBeDecryptedAreToldBeforeThereIsAPodAndAreMendedByThemselves) {
  const auto key = [this](std::string_view aes) {
    cluster.put<k8s::SecretObject>("aes-secret-key",
                                   fmt::format(R"({{"data": {{"AES_SECRET_KEY": "{}"}}}})", aes));
  };
  constexpr auto kEncrypted = "AAECAwQFBgcICQoLDA0ODwBuv4fzuxs0YE/0OrX73wA=";
  cluster.put<k8s::SecretObject>(
      "users", fmt::format(R"({{"data": {{"root": "{0}", "monitor": "{0}"}}}})", kEncrypted));
  key("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=");
  unit.settle();
  EXPECT_TRUE(cluster.has<k8s::Pod>("db-0")) << "all else goes on";
  EXPECT_THAT(condition("Reconciled"),
              AllOf(StartsWith("False CredentialsInvalid: Secret users, key root"),
                    HasSubstr("encrypt it with the key in Secret aes-secret-key")));
  EXPECT_THAT(cluster.events(), Contains(StartsWith("Warning CredentialsInvalid")));
  run();
  EXPECT_THAT(cluster.asked(), Not(Contains("EnsureAccounts")));
  key("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
  unit.settle();
  EXPECT_EQ(cluster.asked().back(), "EnsureAccounts");
  EXPECT_THAT(condition("Reconciled"), StartsWith("True"));
}

class UnitRoot : public UnitAccounts {
 protected:
  // The user's Secret has an entry root; the container has these variables beside its name.
  void with_root(const std::string& env) {
    cluster.put<k8s::SecretObject>("aes-secret-key",
                                   R"({"data": {"AES_SECRET_KEY":
        "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}})");
    cluster.put<k8s::SecretObject>("users", R"({"data": {"root":
        "AAECAwQFBgcICQoLDA0ODwBuv4fzuxs0YE/0OrX73wA=", "other": "eA=="}})");
    spec(R"({"template": {"spec": {"containers": [{"name": "mysql", "env": [
        {"name": "SECRET_NAME", "value": "users"})" +
         env + "]}]}}}");
    run();
  }
  // "user@host password" of the accounts that the agent was told to make.
  std::vector<std::string> made() {
    std::vector<std::string> out;
    for (const auto& action : cluster.actions)
      if (const auto* asked = std::get_if<agent::EnsureAccounts>(&action))
        for (const auto& a : asked->accounts)
          out.push_back(fmt::format("{}@{} {}", a.user, a.host, a.password.reveal()));
    return out;
  }
};

TEST_F(UnitRoot, IsTheAdministratorWhereNoVariableNamesOne) {
  with_root("");
  EXPECT_THAT(made(), ElementsAre("root@localhost S3cret-Passw0rd!"));
}

TEST_F(UnitRoot, GivesWayToTheAdministratorThatIsNamed) {
  with_root(R"(, {"name": "ADM_USER", "value": "admin"})");
  EXPECT_THAT(made(), ElementsAre("admin@localhost made-up"));
}

TEST_F(UnitRoot, IsNobodyWhereThatIsSaid) {
  with_root(R"(, {"name": "ADM_USER", "value": ""})");
  EXPECT_THAT(made(), IsEmpty());
}

TEST_F(UnitRoot, IsLeftToAStockImageThatHasItsPassword) {
  with_root(R"(, {"name": "MYSQL_ROOT_PASSWORD", "value": "theirs"})");
  EXPECT_THAT(made(), IsEmpty());
}

TEST_F(UnitRoot, WhosePasswordChangesIsEnsuredAgainUnderAKeyThatHoldsNothingOfIt) {
  with_root("");
  const auto before = keys_of(unit.decide());
  cluster.put<k8s::SecretObject>("users", R"({"data": {"root":
      "AAECAwQFBgcICQoLDA0ODwBuv4fzuxs0YE/0OrX73wE="}})");
  const auto after = keys_of(unit.decide());
  EXPECT_THAT(before, Not(Contains(StartsWith("accounts "))));
  EXPECT_THAT(after, Contains(AllOf(StartsWith("accounts "), EndsWith("/2"))));
}

TEST_F(UnitAccounts, AreEnsuredAgainOnAServerThatIsAnother) {
  run();
  const auto before = cluster.asked().size();
  unit.settle();
  EXPECT_EQ(cluster.asked().size(), before);
  cluster.agent_of_pod("db-0").server_uuid = "cloned";
  unit.settle();
  EXPECT_EQ(cluster.asked().back(), "EnsureAccounts");
  EXPECT_EQ(cluster.asked().size(), before + 1);
}

// What its predecessor told stands until it has looked.
TEST_F(UnitProcess, ANewOperatorTellsNothingOfAServerThatItHasNotSeen) {
  run();
  unit.memory = {};
  cluster.agent_of_pod("db-0").stream = agent::StreamState::Connecting;
  const auto began = cluster.now;
  EXPECT_EQ(unit.step().wake, began + kFirstLook);
  EXPECT_EQ(status("processState"), "running");
  cluster.now = began + kFirstLook;
  unit.step();
  EXPECT_EQ(status("processState"), "unknown");
}

}  // namespace
}  // namespace troupe::actors
