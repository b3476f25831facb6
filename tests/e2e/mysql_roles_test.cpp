// Who may write: orders, losses and restarts of the operator, on real servers under load.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "engines/agent/model/digest.hpp"
#include "engines/agent/model/passwords.hpp"
#include "tests/e2e/cluster.hpp"
#include "tests/e2e/severable_proxy.hpp"
#include "tests/support/files.hpp"
#include "tests/support/tree.hpp"

namespace troupe::e2e {
namespace {

using oracle::eventually;
using std::chrono::seconds;

class MysqlRoles : public ClusterTest {
 protected:
  static constexpr auto kName = "mysql-cluster-replication";

  // What a person does in `kubectl edit`: swaps the source and a replica.
  static std::string swap_source_with(const std::string& target) {
    auto object = cluster().kubectl().get({"mysqlreplication", kName});
    auto& spec = object.at("spec").as_object();
    auto source = spec.at("source").as_object();
    for (auto& member : spec.at("replica").as_array()) {
      if (oracle::text_at(member, "/name") != target) continue;
      auto next = member.as_object();
      next.erase("isolated");
      member = source;
      spec["source"] = next;
      break;
    }
    object.at("metadata").as_object().erase("managedFields");
    return boost::json::serialize(object);
  }

  static void order_by_edit(const std::string& target) {
    // The spec may be behind a failover: then the source of the spec is first the one in place.
    ok("replace -f -", swap_source_with(target));
  }

  static std::string selected_by(const std::string& service) {
    return ok(
        fmt::format("get endpointslices -l kubernetes.io/service-name={}-{} "
                    "-o jsonpath={{.items[*].endpoints[*].targetRef.name}}",
                    kName, service));
  }

  // The same members under another name, as somebody copies a manifest.
  static void make_replication(const std::string& name, const std::string& mode) {
    const auto object = cluster().kubectl().get({"mysqlreplication", kName});
    boost::json::object copy{{"apiVersion", object.at("apiVersion")},
                             {"kind", object.at("kind")},
                             {"metadata", {{"name", name}}},
                             {"spec", object.at("spec")}};
    copy["spec"].as_object()["mode"] = mode;
    ok("create -f -", boost::json::serialize(copy));
  }

  // Who commands which member, who it is labelled for, and whether the source waits for replicas.
  static std::string bonds() {
    return ok("get units,pods "
              "-o jsonpath={range.items[*]}{.metadata.name}={.metadata.labels}{\"\\n\"}{end}") +
           mysql().query(source(), "SELECT @@rpl_semi_sync_source_enabled, @@super_read_only");
  }

  static testing::AssertionResult is_held(const std::string& name, std::string_view by) {
    const auto wanted = fmt::format("belongs to MysqlReplication \"{}\": take it out", by);
    std::string said;
    const bool held = eventually(seconds(60), [&] {
      const boost::json::value object = cluster().kubectl().get({"mysqlreplication", name});
      said = oracle::text_at(object, "/status/conditions/0/reason") + ": " +
             oracle::text_at(object, "/status/conditions/0/message");
      return said.starts_with("MemberOfAnother: ") && said.find(wanted) != std::string::npos;
    });
    if (held) return testing::AssertionSuccess();
    return testing::AssertionFailure() << name << " says: " << said;
  }

  // Entries of the Secret, in one write.
  static void set_passwords(const std::map<std::string, std::string>& of_users) {
    const Secret key("0123456789abcdef0123456789abcdef");
    boost::json::object data;
    for (const auto& [user, password] : of_users) {
      const auto value = agent::encrypt_password(Secret(password), key, "an IV of 16 byte");
      ASSERT_TRUE(value);
      data[user] = agent::base64_encode(*value);
    }
    ok("patch secret mysql-cluster-secret --type=merge --patch-file=/dev/stdin",
       boost::json::serialize(boost::json::object{{"data", std::move(data)}}));
  }

  static bool may_log_in(const std::string& member, const std::string& user,
                         const std::string& password) {
    const auto answer = cluster().kubectl()(
        {"exec", "-i", member, "-c", "mysql", "--", "sh", "-c",
         "read -r MYSQL_PWD; export MYSQL_PWD; mysql -h127.0.0.1 -u" + user + " -NBe 'SELECT 1'"},
        seconds(30), password + "\n");
    return answer.out == "1\n";
  }

  static testing::AssertionResult everywhere(const std::string& user, const std::string& password,
                                             const std::string& instead_of) {
    for (const auto* member : {"mysql-cluster-0", "mysql-cluster-1", "mysql-cluster-2"}) {
      if (!eventually(seconds(60), [&] { return may_log_in(member, user, password); }))
        return testing::AssertionFailure() << member << " refuses the new password of " << user;
      if (may_log_in(member, user, instead_of))
        return testing::AssertionFailure() << member << " takes the old password of " << user;
    }
    return testing::AssertionSuccess();
  }

  // A replica that could not come back would be told so by its source now.
  static void reconnect_receivers() {
    for (const auto* member : {"mysql-cluster-0", "mysql-cluster-1", "mysql-cluster-2"})
      if (member != source())
        mysql().query(member, "STOP REPLICA IO_THREAD; START REPLICA IO_THREAD");
  }

  static std::string quorum(std::string_view field) {
    return ok(fmt::format("get mr {} -o jsonpath={{.status.quorum.{}[*]}}", kName, field));
  }
  static std::string waited_for() {
    return mysql().query(source(), "SELECT @@rpl_semi_sync_source_wait_for_replica_count");
  }

  // By name, the uids of the members' Pods that are there.
  static std::map<std::string, std::string> pods() {
    std::map<std::string, std::string> out;
    std::istringstream lines(
        ok("get pods -l unitset.name=mysql-cluster "
           "-o jsonpath={range.items[*]}{.metadata.name}={.metadata.uid}{\"\\n\"}{end}"));
    for (std::string line; std::getline(lines, line);)
      if (const auto at = line.find('='); at != std::string::npos)
        out[line.substr(0, at)] = line.substr(at + 1);
    return out;
  }

  static bool is_ready(const std::string& pod) {
    return ok(fmt::format("get pod {} -o "
                          "jsonpath={{.status.conditions[?(@.type==\"Ready\")].status}}",
                          pod)) == "True";
  }

  // How many events of that reason this operator has told.
  static std::ptrdiff_t told(const std::string& reason) {
    const auto log = support::file_text(cluster().directory() / "operator.log");
    const std::regex line("reason=" + reason + " ");
    return std::distance(std::sregex_iterator(log.begin(), log.end(), line),
                         std::sregex_iterator());
  }

  static void request_cpu(const std::string& amount) {
    ok(fmt::format(
        R"(patch us mysql-cluster --type=merge -p {{"spec":{{"resources":{{"requests":{{"cpu":"{}"}}}}}}}})",
        amount));
  }
};

TEST_F(MysqlRoles, SwappingSourceAndReplicaMovesTheWritesAndNeverLetsTwoWrite) {
  const auto before = source();
  const auto target = replica();
  const auto epoch_before = epoch();
  auto load = Load::to_each_member(mysql());
  ASSERT_TRUE(load.flows());
  order_by_edit(target);
  ASSERT_TRUE(settles(target));
  ASSERT_TRUE(load.flows());
  EXPECT_EQ(load.writers().handovers(), 1)
      << "the right to write moved once, from one to the other";
  EXPECT_EQ(epoch(), epoch_before + 1);
  EXPECT_EQ(selected_by("readwrite"), target);
  EXPECT_NE(selected_by("readonly").find(before), std::string::npos);
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlRoles, AnAnnotationOrdersASwitchoverAndGoesOnceItIsObeyed) {
  const auto target = replica();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ok(fmt::format("annotate mr {} troupe.dev/switchover-to={}", kName, target));
  ASSERT_TRUE(settles(target));
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(eventually(seconds(10), [&] {
    return ok(fmt::format("get mr {} -o jsonpath={{.metadata.annotations}}", kName))
               .find("switchover-to") == std::string::npos;
  }));
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlRoles, ASecondReplicationOfTheSameMembersIsHeldUntilTheFirstIsGone) {
  const auto first_source = source();
  const auto before = bonds();
  const auto epoch_before = epoch();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  make_replication("second", "rpl_async");
  EXPECT_TRUE(is_held("second", kName));
  ASSERT_TRUE(load.flows());
  ok("delete mr second");
  EXPECT_EQ(bonds(), before);
  EXPECT_EQ(epoch(), epoch_before);
  EXPECT_EQ(source(), first_source);
  ASSERT_TRUE(settles(first_source));
  EXPECT_TRUE(load.nothing_lost());

  make_replication("second", "rpl_semi_sync");
  EXPECT_TRUE(is_held("second", kName));
  const auto manifest = cluster().kubectl().get({"mysqlreplication", kName});
  ok(fmt::format("delete mr {}", kName));
  const oracle::MysqlCluster second(cluster().kubectl(), "default", "second");
  ASSERT_TRUE(eventually(seconds(60), [&] { return second.ready(); })) << second.state();
  EXPECT_EQ(second.source(), first_source) << "what is there is adopted";

  boost::json::object again{{"apiVersion", manifest.at("apiVersion")},
                            {"kind", manifest.at("kind")},
                            {"metadata", {{"name", kName}}},
                            {"spec", manifest.at("spec")}};
  if (const auto* labels = manifest.at("metadata").as_object().if_contains("labels"))
    again["metadata"].as_object()["labels"] = *labels;
  ok("apply -f -", boost::json::serialize(again));
  EXPECT_TRUE(is_held(kName, "second"));
  ok("delete mr second");
  ASSERT_TRUE(settles(first_source));
  EXPECT_GT(epoch(), epoch_before);
}

TEST_F(MysqlRoles, PasswordsChangedInTheSecretReachAllServersUnderLoad) {
  const auto before = source();
  const auto epoch_before = epoch();
  const auto secret = ok("get secret mysql-cluster-secret -o jsonpath={.data}");
  const auto probe_as = [](const std::string& user) {
    ok(fmt::format(R"(patch mr {} --type=merge -p {{"spec":{{"secret":{{"mysql":"{}"}}}}}})", kName,
                   user));
  };
  set_passwords({{"replication", "Replication-1"}, {"prober", "Prober-1"}});
  probe_as("prober");
  ASSERT_TRUE(everywhere("replication", "Replication-1", "Demo-replication-password-1"));
  ASSERT_TRUE(everywhere("prober", "Prober-1", "Replication-1"));
  ASSERT_TRUE(settles(before));

  auto load = Load::to_each_member(mysql());
  ASSERT_TRUE(load.flows());
  set_passwords({{"replication", "Replication-2"}});
  EXPECT_TRUE(everywhere("replication", "Replication-2", "Replication-1"));
  ASSERT_TRUE(settles(before));
  ASSERT_TRUE(load.flows());

  set_passwords({{"replication", "Replication-3"}, {"prober", "Prober-3"}});
  EXPECT_TRUE(everywhere("replication", "Replication-3", "Replication-2"));
  EXPECT_TRUE(everywhere("prober", "Prober-3", "Prober-1"));
  ASSERT_TRUE(settles(before));
  reconnect_receivers();
  ASSERT_TRUE(load.flows());
  ASSERT_TRUE(settles(before));
  EXPECT_EQ(epoch(), epoch_before) << "no role moved";
  EXPECT_TRUE(load.nothing_lost());

  probe_as("replication");
  ok("patch secret mysql-cluster-secret --type=merge --patch-file=/dev/stdin",
     fmt::format(R"({{"data": {}}})", secret));
  ASSERT_TRUE(settles(before));
}

// As the Secret, but it was somebody in the server who changed it.
TEST_F(MysqlRoles, AReplicaThatItsSourceRefusesComesBackByItself) {
  const auto before = source();
  const auto refused = replica();
  mysql().query(before,
                "SET sql_log_bin = 0; ALTER USER replication@'%' IDENTIFIED BY 'Somebody-1'");
  mysql().query(refused, "STOP REPLICA IO_THREAD; START REPLICA IO_THREAD");
  const auto receives = [&] {
    return mysql()
        .query(refused,
               "SELECT SERVICE_STATE FROM performance_schema.replication_connection_status")
        .starts_with("ON");
  };
  EXPECT_TRUE(oracle::eventually(seconds(60), receives));
  ASSERT_TRUE(settles(before));
}

TEST_F(MysqlRoles, A02AKilledServerProcessIsReplacedWithinSecondsAndComesBackAsAReplica) {
  const auto old_source = source();
  auto load = Load::to_each_member(mysql());
  ASSERT_TRUE(load.flows());
  send_signal(old_source, SIGKILL);
  ASSERT_TRUE(eventually(seconds(60), [&] { return source() != old_source; }));
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(old_source));
  ASSERT_TRUE(load.flows());
  EXPECT_EQ(load.writers().handovers(), 1);
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlRoles, A02AKilledPodIsReplacedAndComesBackAsAReplica) {
  const auto old_source = source();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ok(fmt::format("delete pod {} --force --grace-period=0 --wait=false", old_source));
  ASSERT_TRUE(eventually(seconds(60), [&] { return source() != old_source; }));
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(old_source));
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlRoles, A03APodOfTheSourceThatIsDeletedHandsItsRoleOverBeforeItEnds) {
  const auto old_source = source();
  const auto before = epoch();
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ok(fmt::format("delete pod {} --wait=false", old_source));
  ASSERT_TRUE(eventually(seconds(60), [&] { return source() != old_source; }));
  ASSERT_TRUE(settles());
  const auto last = ok("get mr mysql-cluster-replication -o jsonpath={.status.lastOperation}");
  EXPECT_NE(last.find("is being deleted"), std::string::npos) << last;
  EXPECT_EQ(epoch(), before + 1) << "a switchover, and no failover behind it";
  EXPECT_TRUE(mysql().is_replica(old_source));
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlRoles, ARollingChangeReplacesEveryPodOnceAndTheSourceLastAfterItsRoleHasMoved) {
  const auto old_source = source();
  const auto epoch_before = epoch();
  const auto failovers = told("FailoverStarted");
  std::map<std::string, std::set<std::string>> lives;
  std::vector<std::string> order;
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  const auto from = std::chrono::steady_clock::now();
  for (const auto& [pod, uid] : pods()) lives[pod].insert(uid);
  request_cpu("110m");
  ASSERT_TRUE(eventually(seconds(240), [&] {
    for (const auto& [pod, uid] : pods()) {
      if (!lives[pod].insert(uid).second) continue;
      order.push_back(pod);
      // maxUnavailable is 1.
      for (const auto& [other, ignored] : lives)
        EXPECT_TRUE(other == pod || is_ready(other)) << pod << " did not wait for " << other;
    }
    return order.size() >= 3;
  })) << fmt::format("only {} were replaced", fmt::join(order, ", "));
  ASSERT_TRUE(settles());
  ASSERT_TRUE(load.flows());
  const auto gap = load.writers().longest_gap(from, std::chrono::steady_clock::now());
  fmt::print("longest time without an acknowledged write: {} ms\n", gap.count());

  for (const auto& [pod, uid] : pods()) EXPECT_EQ(lives[pod].size(), 2U) << pod;
  EXPECT_EQ(order.back(), old_source) << fmt::format("{}", fmt::join(order, ", "));
  EXPECT_EQ(told("FailoverStarted"), failovers);
  EXPECT_EQ(epoch(), epoch_before + 1) << "one switchover";
  const auto last = ok(fmt::format("get mr {} -o jsonpath={{.status.lastOperation}}", kName));
  EXPECT_NE(last.find(old_source + " is to be replaced"), std::string::npos) << last;
  EXPECT_TRUE(mysql().is_replica(old_source));
  EXPECT_TRUE(load.nothing_lost());
  EXPECT_NE(source(), old_source) << "spec.source takes nothing back";
}

TEST_F(MysqlRoles, ASourceThatIsToBeStoppedHandsItsRoleOverBefore) {
  const auto old_source = source();
  const auto epoch_before = epoch();
  const auto startup = [&](bool on) {
    ok(fmt::format(R"(patch un {} --type=merge -p {{"spec":{{"startup":{}}}}})", old_source, on));
  };
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  startup(false);
  ASSERT_TRUE(eventually(seconds(60), [&] {
    return ok(fmt::format("get un {} -o jsonpath={{.status.processState}}", old_source)) ==
           "stopped";
  }));
  ASSERT_TRUE(load.flows());
  EXPECT_EQ(epoch(), epoch_before + 1) << "a switchover, and no failover behind it";
  startup(true);
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(old_source));
  EXPECT_EQ(ok(fmt::format("get pod {} -o jsonpath={{.metadata.annotations}}", old_source))
                .find("hand-over"),
            std::string::npos);
  EXPECT_TRUE(load.nothing_lost());
}

TEST_F(MysqlRoles, TheConsoleLeadsFromADeathToTheWritesOfThePromotion) {
  const auto old_source = source();
  send_signal(old_source, SIGKILL);
  ASSERT_TRUE(eventually(seconds(60), [&] { return source() != old_source; }));
  ASSERT_TRUE(settles());
  const auto browser = oracle::run(
      {"env", "OPERATOR_URL=" + cluster().operator_url(), "OLD_SOURCE=default/" + old_source,
       "NEW_SOURCE=default/" + source(), support::in_tree("tests/e2e/console/run"), "failover"},
      seconds(240));
  EXPECT_EQ(browser.status, 0) << browser.out << browser.err;
}

TEST_F(MysqlRoles, AFailoverThatWasRecordedIsDecidedTheSameOnceMore) {
  const auto file = cluster().directory() / "failover.ndjson";
  EXPECT_FALSE(cluster().save_journal(file)) << "nobody asked for a journal";
  ok(fmt::format("annotate mr {} troupe.dev/journal=true", kName));
  ASSERT_TRUE(eventually(seconds(30), [&] { return cluster().save_journal(file); }));
  const auto old_source = source();
  send_signal(old_source, SIGKILL);
  ASSERT_TRUE(eventually(seconds(60), [&] { return source() != old_source; }));
  ASSERT_TRUE(settles());
  ASSERT_TRUE(cluster().save_journal(file));
  ok(fmt::format("annotate mr {} troupe.dev/journal-", kName));

  const auto replayed =
      oracle::run({support::program("troupe-operator"), "replay", file}, seconds(60));
  EXPECT_EQ(replayed.status, 0) << replayed.out.substr(0, 4096) << replayed.err;
  EXPECT_NE(replayed.out.find("the same decisions"), std::string::npos) << replayed.out;
  const auto journal = support::file_text(file);
  for (const auto* said : {"StopReceivers", "OpenForWrites", R"("dying":true)"})
    EXPECT_NE(journal.find(said), std::string::npos) << said;
  const auto secrets = cluster().kubectl().get({"secrets"});
  for (const auto& secret : secrets.at("items").as_array())
    for (const auto& [key, value] : secret.at("data").as_object()) {
      const bool shown = !key.ends_with(".crt") && journal.find(value.as_string()) != journal.npos;
      EXPECT_FALSE(shown) << oracle::text_at(secret, "/metadata/name") << " " << key;
    }
}

// Each time killed while a change of members is half done; the second time the source dies as well,
// so that the next operator has nothing but the record to tell it on whom it may rely.
TEST_F(MysqlRoles, A40GrowsToFiveAndShrinksToThreeUnderLoadWhoeverDiesOnTheWay) {
  auto load = Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  ok("scale us/mysql-cluster --replicas=5");
  ok("wait --for=jsonpath={.status.phase}=Ready un/mysql-cluster-3 un/mysql-cluster-4 "
     "--timeout=180s");
  list_members(5);
  ASSERT_TRUE(eventually(seconds(120), [] { return mysql().counted() > 3; }));
  cluster().kill_operator();
  ASSERT_TRUE(load.flows()) << "a new member that was cut short keeps no commit waiting";
  cluster().start_operator();
  ASSERT_TRUE(
      eventually(seconds(120), [] { return mysql().counted() == 5 && mysql().relied_on() == 2; }));
  ASSERT_TRUE(settles());
  EXPECT_EQ(waited_for(), "2");
  ASSERT_TRUE(load.flows());

  const auto old_source = source();
  list_members(3);
  ASSERT_TRUE(eventually(seconds(60), [] { return !quorum("leaving").empty(); }));
  cluster().kill_operator();
  ok(fmt::format("delete pod {} --force --grace-period=0", old_source));
  cluster().start_operator();
  ASSERT_TRUE(eventually(seconds(60), [&] { return source() != old_source; }));
  ASSERT_TRUE(
      eventually(seconds(120), [] { return mysql().counted() == 3 && mysql().relied_on() == 1; }));
  ASSERT_TRUE(settles());
  EXPECT_EQ(waited_for(), "1");
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());

  ok("scale us/mysql-cluster --replicas=3");
  ok("wait --for=delete pod/mysql-cluster-3 pod/mysql-cluster-4 --timeout=180s");
  ok("delete pvc mysql-cluster-3-data mysql-cluster-4-data");
}

TEST_F(MysqlRoles, A49WithoutTheApiServerNobodyChangesRolesAndThenEverythingGoesOn) {
  auto config = support::file_text(cluster().directory() / "kubeconfig");
  std::smatch server;
  ASSERT_TRUE(std::regex_search(config, server, std::regex("https://127.0.0.1:([0-9]+)")));
  SeverableProxy proxy(static_cast<std::uint16_t>(std::stoi(server[1])));
  const auto detour = cluster().directory() / "kubeconfig.detour";
  config.replace(static_cast<std::size_t>(server.position(1)),
                 static_cast<std::size_t>(server.length(1)), std::to_string(proxy.port()));
  std::ofstream(detour) << config;
  cluster().kill_operator();
  cluster().start_operator({.kubeconfig = detour});
  ASSERT_TRUE(settles());
  const auto before = source();
  const auto epoch_before = epoch();
  auto load = Load::to_each_member(mysql());
  ASSERT_TRUE(load.flows());

  proxy.sever();
  ASSERT_TRUE(load.flows(2000)) << "clients do not notice";
  EXPECT_EQ(epoch(), epoch_before);
  send_signal(before, SIGKILL);  // a failover cannot be written down, so it does not begin
  const auto enough = cluster().decisions() + 10;
  ASSERT_TRUE(eventually(seconds(60), [&] { return cluster().decisions() >= enough; }));
  EXPECT_EQ(source(), before);
  EXPECT_EQ(load.writers().handovers(), 0);
  EXPECT_EQ(epoch(), epoch_before);

  proxy.restore();
  ASSERT_TRUE(settles());
  ASSERT_TRUE(load.flows());
  EXPECT_LE(load.writers().handovers(), epoch() - epoch_before);
  EXPECT_TRUE(load.nothing_lost());
  cluster().kill_operator();
  cluster().start_operator();
  ASSERT_TRUE(settles());
}

}  // namespace
}  // namespace troupe::e2e
