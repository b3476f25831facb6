// What a person does with kubectl and meets on the way: the objects, their conditions, bad input.
#include <fmt/format.h>
#include <signal.h>

#include <map>
#include <regex>

#include "tests/e2e/cluster.hpp"
#include "tests/support/files.hpp"

namespace troupe::e2e {
namespace {

using oracle::eventually;
using std::chrono::seconds;
using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  return std::regex_replace(text, std::regex(what), with);
}

class MysqlObjects : public ClusterTest {
 protected:
  static AssertionResult contains(const std::string& text, const std::string& pattern) {
    if (std::regex_search(text, std::regex(pattern))) return AssertionSuccess();
    return AssertionFailure() << "no match of /" << pattern << "/ in:\n" << text;
  }

  // As a person in the database's container, who names no socket. The password goes through
  // standard input: no command line shows it.
  static oracle::Ran as_root(const std::string& unit, const std::string& password,
                             const std::string& statements) {
    return cluster().kubectl()(
        {"exec", "-i", unit, "-c", "mysql", "--", "sh", "-c",
         "read -r MYSQL_PWD; export MYSQL_PWD; mysql -uroot -NBe \"$0\"", statements},
        seconds(30), password + "\n");
  }

  static AssertionResult root_works(const std::string& unit, const std::string& password) {
    const auto answer = as_root(unit, password, "SELECT CURRENT_USER()");
    if (answer.out == "root@localhost\n") return AssertionSuccess();
    return AssertionFailure() << answer.out << answer.err;
  }

  // Every object's version but those of what is renewed for ever (Leases) or only tells (Events).
  static std::map<std::string, std::string> versions() {
    std::map<std::string, std::string> out;
    std::istringstream kinds(ok("api-resources --verbs=list -o name"));
    for (std::string kind; kinds >> kind;) {
      if (kind.starts_with("leases.") || kind.starts_with("events")) continue;
      std::istringstream lines(
          ok("get " + kind +
             " -A -o jsonpath={range.items[*]}{.metadata.namespace}/{.metadata.name}={.metadata."
             "resourceVersion}{\"\\n\"}{end}"));
      for (std::string line; std::getline(lines, line);)
        if (const auto at = line.find('='); at != std::string::npos)
          out[kind + " " + line.substr(0, at)] = line.substr(at + 1);
    }
    return out;
  }

  // What was under way has ended once nothing moved for a while.
  static std::map<std::string, std::string> versions_at_rest() {
    auto before = versions();
    EXPECT_TRUE(eventually(seconds(60), [&] {
      auto now = versions();
      return std::exchange(before, now) == now;
    }));
    return before;
  }

  // The sum of a metric's series, of those with `label` in them if it is given; -1: there is none.
  static double metric(const std::string& name, const std::string& label = {}) {
    const auto ran = oracle::run(
        {"curl", "-sS", "--max-time", "5", cluster().operator_url() + "/metrics"}, seconds(10));
    double sum = -1;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      const bool of_it = line.starts_with(name + " ") || line.starts_with(name + "{");
      if (of_it && line.find(label) != std::string::npos)
        sum = std::max(sum, 0.0) + std::stod(line.substr(line.rfind(' ')));
    }
    return sum;
  }

  // The HTTP status of a GET from this machine; the token on standard input, no command line has
  // it.
  static std::string status_of(const std::string& ip, const std::string& path,
                               const std::string& token = {}) {
    const auto header = token.empty() ? std::string() : "Authorization: Bearer " + token;
    return oracle::run({"curl", "-sS", "--max-time", "10", "-o", "/dev/null", "-w", "%{http_code}",
                        "-H", "@-", "http://" + ip + ":8080" + path},
                       seconds(15), header)
        .out;
  }

  static std::string condition(const std::string& object, const std::string& type,
                               const std::string& field) {
    return ok(fmt::format("get {} -o jsonpath={{.status.conditions[?(@.type==\"{}\")].{}}}", object,
                          type, field));
  }

  static AssertionResult comes_to_say(const std::string& object, const std::string& pattern) {
    std::string all;
    if (eventually(seconds(60), [&] {
          all = ok("get " + object + " -o jsonpath={.status.conditions}");
          return std::regex_search(all, std::regex(pattern));
        }))
      return AssertionSuccess();
    return AssertionFailure() << object << " never said /" << pattern << "/ but " << all;
  }

  // A live object as a manifest: without its version, because the operator goes on writing to it.
  static std::string manifest_of(std::string_view object) {
    return replaced(ok(fmt::format("get {} -o yaml", object)), R"(\n *resourceVersion: "\d+")", "");
  }

  static AssertionResult refused(const std::string& manifest, const std::string& pattern) {
    const auto ran =
        kubectl("apply --server-side --force-conflicts --dry-run=server -f -", manifest);
    if (ran.status == 0) return AssertionFailure() << "accepted:\n" << manifest;
    return contains(ran.err, pattern);
  }
};

TEST_F(MysqlObjects, KubectlListsWhatRuns) {
  const auto own = ok("get us,un,mr -A");
  EXPECT_TRUE(contains(own, R"(unitset\S*/mysql-cluster +3 +3 +3 )"));
  EXPECT_TRUE(contains(own, R"(unit\S*/mysql-cluster-2 +Ready +running +node-\d +True)"));
  EXPECT_TRUE(contains(own, R"(mysqlreplication\S*/mysql-cluster-replication +true)"));
  const auto core = ok("get pods,svc,pvc,endpointslices -o wide");
  EXPECT_TRUE(contains(core, R"(pod/mysql-cluster-0 +2/2 +Running +\d+ .* 10\.244\.)"));
  EXPECT_TRUE(
      contains(core, R"(service/mysql-cluster-replication-readwrite +NodePort .*3306:\d+/TCP)"));
  EXPECT_TRUE(contains(core, R"(persistentvolumeclaim/mysql-cluster-0-data +Bound .* 2Gi )"));
  EXPECT_TRUE(
      contains(core, R"(mysql-cluster-replication-readonly\S* +IPv4 +3306 +[\d.]+,[\d.]+ )"));
}

TEST_F(MysqlObjects, KubectlDescribesExplainsLogsAndExecutes) {
  const auto described = ok("describe mr mysql-cluster-replication");
  EXPECT_TRUE(contains(described, R"(Current Source: +mysql-cluster-\d)"));
  EXPECT_TRUE(contains(described, R"(Normal +Form +\S+ +troupe-operator)"));
  EXPECT_TRUE(contains(ok("explain unitset.spec.storages"), R"(mountPath\s+<string> -required-)"));
  EXPECT_TRUE(contains(ok("logs mysql-cluster-0 -c mysql"), "ready for connections"));
  EXPECT_TRUE(contains(ok("exec mysql-cluster-0 -c mysql -- mysql --version"), R"(Ver 9\.7)"));
}

TEST_F(MysqlObjects, ApplyingWhatIsThereChangesNothing) {
  const auto folder = sample("samples/mysql").string();
  const auto before = versions();
  EXPECT_EQ(kubectl("diff -f " + folder).status, 0) << "diff shows a difference";
  ok("apply -f " + folder);
  EXPECT_EQ(kubectl("apply --server-side -f " + folder).status, 0);
  EXPECT_EQ(ok("wait --for=condition=Ready us/mysql-cluster --timeout=30s"),
            "unitset.upm.syntropycloud.io/mysql-cluster condition met\n");
  auto after = versions();
  for (const auto& [object, version] : before) {
    // Who applied is noted in managedFields; nothing that an actor makes may have moved.
    const auto made = {"pods ", "services ", "units.", "persistentvolumeclaims "};
    if (std::any_of(made.begin(), made.end(),
                    [&](auto kind) { return object.starts_with(kind); })) {
      EXPECT_EQ(after[object], version) << object;
    }
  }
}

TEST_F(MysqlObjects, DiffShowsWhatAnEditWouldChange) {
  auto manifest = ok("get us mysql-cluster -o yaml");
  manifest = replaced(manifest, "units: 3", "units: 5");
  const auto ran = kubectl("diff -f -", manifest);
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(contains(ran.out, R"(\+  units: 5)"));
}

TEST_F(MysqlObjects, ScalingAddsAndRemovesAUnitAndKeepsItsData) {
  ok("scale us/mysql-cluster --replicas=4");
  ok("wait --for=jsonpath={.status.phase}=Ready un/mysql-cluster-3 --timeout=120s");
  ok("scale us/mysql-cluster --replicas=3");
  ok("wait --for=delete un/mysql-cluster-3 --timeout=60s");
  ok("wait --for=delete pod/mysql-cluster-3 --timeout=60s");
  EXPECT_TRUE(contains(ok("get pvc mysql-cluster-3-data"), "Bound"));
}

TEST_F(MysqlObjects, AReplicasPodDeletedByForceComesBack) {
  const auto name = replica();
  const auto uid = ok("get pod " + name + " -o jsonpath={.metadata.uid}");
  ok("delete --force --grace-period=0 pod " + name);
  ASSERT_TRUE(eventually(seconds(60), [&] {
    const auto now = kubectl("get pod " + name + " -o jsonpath={.metadata.uid}");
    return now.status == 0 && now.out != uid;
  }));
  ASSERT_TRUE(settles());
  EXPECT_TRUE(mysql().is_replica(name));
}

TEST_F(MysqlObjects, TheMetricsShowTheFleetAndMoveWithIt) {
  EXPECT_EQ(metric("troupe_actors", "controller=\"Unit\""), 3);
  EXPECT_EQ(metric("troupe_agent_connected"), 3);
  EXPECT_EQ(metric("troupe_mysql_connected"), 3);
  EXPECT_EQ(metric("troupe_watch_synced"), metric("troupe_watch_streams"));
  EXPECT_EQ(metric("troupe_capacity_refused_total"), 0);
  const std::vector<std::pair<std::string, std::string>> moving{
      {"controller_runtime_reconcile_total", "controller=\"Unit\""},
      {"controller_runtime_reconcile_time_seconds_count", "controller=\"Unit\""},
      {"workqueue_queue_duration_seconds_count", "name=\"Unit\""},
      {"rest_client_requests_total", "method=\"PATCH\""},
      {"troupe_watch_events_total", "kind=\"Unit."},
      {"troupe_api_calls_total", "result=\"done\""},
      {"troupe_effects_total", "effect=\"apply\""},
      {"troupe_mysql_probes_total", "result=\"ok\""}};
  std::vector<double> before;
  for (const auto& [name, label] : moving) before.push_back(metric(name, label));
  const auto unit = replica();
  ok("delete --force --grace-period=0 pod " + unit);
  for (std::size_t i = 0; i < moving.size(); ++i)
    EXPECT_TRUE(eventually(seconds(60),
                           [&] { return metric(moving[i].first, moving[i].second) > before[i]; }))
        << moving[i].first << " stays at " << before[i];
  ASSERT_TRUE(settles());
}

TEST_F(MysqlObjects, ASpecThatBreaksARuleIsRefusedWithWhatToDo) {
  const auto set = manifest_of("us mysql-cluster");
  EXPECT_TRUE(refused(replaced(set, "edition: community", "edition: enterprise"),
                      "the edition cannot change"));
  EXPECT_TRUE(refused(replaced(set, "size: 2Gi", "size: 1Gi"), "cannot shrink"));
  EXPECT_TRUE(refused(replaced(set, "units: 3", "units: 0"), "units.*greater than or equal to 1"));
  const auto replication = manifest_of("mr mysql-cluster-replication");
  EXPECT_TRUE(refused(replaced(replication, "mode: rpl_semi_sync", "mode: rpl_magic"),
                      "Unsupported value.*rpl_magic"));
  EXPECT_TRUE(refused(replaced(replication, "name: mysql-cluster-1\n", "name: mysql-cluster-0\n"),
                      "also listed as a replica"));
}

// Everything that the set names is missing at first; it says so, makes nothing of it, and goes on
// by itself when it appears.
TEST_F(MysqlObjects, MissingObjectsAreNamedAndRecoveredFrom) {
  const std::string set = R"(
apiVersion: upm.syntropycloud.io/v1alpha2
kind: UnitSet
metadata: {name: late, namespace: default}
spec:
  type: mysql
  version: "9.7.4"
  edition: community
  units: 1
  sharedConfigName: late-config
  storages: [{name: data, mountPath: /DATA_MOUNT, size: 1Gi, storageClassName: late-class}]
  secret: {mountPath: /SECRET_MOUNT, name: late-secret}
)";
  ok("apply -f -", set);
  EXPECT_TRUE(comes_to_say("us/late", "late-config"));
  EXPECT_EQ(kubectl("get configmap late-config").status, 1) << "what is missing is never made";
  EXPECT_TRUE(eventually(seconds(30), [&] {
    return ok("get events --field-selector involvedObject.name=late").find("late-config") !=
           std::string::npos;
  })) << "what stands for some seconds is told";

  ok("apply -f -", replaced(ok("get configmap mysql-cluster-config -o yaml"),
                            "name: mysql-cluster-config", "name: late-config"));
  EXPECT_TRUE(eventually(seconds(60), [&] {
    const auto said = ok("get us,un -o jsonpath={.items[*].status.conditions}");
    return said.find("late-secret") != std::string::npos ||
           said.find("late-class") != std::string::npos;
  })) << "the Secret or the StorageClass is what it waits for next";
  ok("apply -f -", replaced(ok("get secret mysql-cluster-secret -o yaml"),
                            "name: mysql-cluster-secret", "name: late-secret"));
  ok("apply -f -",
     replaced(ok("get storageclass standard -o yaml"), "name: standard", "name: late-class"));
  EXPECT_EQ(kubectl("wait --for=condition=Ready us/late --timeout=120s").status, 0)
      << ok("get us,un -o jsonpath={.items[*].status.conditions}");
  EXPECT_TRUE(eventually(seconds(20), [&] { return root_works("late-0", "Demo-root-password-1"); }))
      << "an entry root of the Secret is the administrator, without anybody saying so";
  ok("delete us late --wait=true");
  ok("delete pvc late-0-data --wait=false");
}

// Pods whose requests exceed their limits are refused, on whoever makes them.
TEST_F(MysqlObjects, WhatTheApiServerRefusesIsNamedAndRecoveredFrom) {
  ok("apply -f -", R"(
apiVersion: upm.syntropycloud.io/v1alpha2
kind: UnitSet
metadata: {name: greedy, namespace: default}
spec:
  type: mysql
  version: "9.7.4"
  edition: community
  units: 1
  sharedConfigName: mysql-cluster-config
  resources: {limits: {cpu: "1", memory: 1Gi}, requests: {cpu: "2", memory: 512Mi}}
  storages: [{name: data, mountPath: /DATA_MOUNT, size: 1Gi, storageClassName: standard}]
  secret: {mountPath: /SECRET_MOUNT, name: mysql-cluster-secret}
  env: [{name: ADM_USER, value: root}]
)");
  for (const auto* object : {"un/greedy-0", "us/greedy"})
    EXPECT_TRUE(comes_to_say(object, "refused: apply Pod default/greedy-0: .*resources.requests"));
  EXPECT_EQ(condition("us/greedy", "Reconciled", "reason"), "WriteRefused");
  const auto events = [](const std::string& type) {
    return ok(
        "get events --field-selector involvedObject.name=greedy-0,involvedObject.kind=Unit,"
        "type=" +
        type);
  };
  EXPECT_TRUE(eventually(seconds(10), [&] {
    return events("Warning").find("resources.requests") != std::string::npos;
  })) << events("Warning");

  // It is tried again and again, and nothing else is written.
  const auto before = versions_at_rest();
  EXPECT_FALSE(eventually(seconds(5), [&] { return versions() != before; }));

  ok("patch us greedy --type=merge -p {\"spec\":{\"resources\":{\"requests\":{\"cpu\":\"1\"}}}}");
  EXPECT_EQ(kubectl("wait --for=condition=Ready us/greedy --timeout=120s").status, 0)
      << ok("get us,un -o jsonpath={.items[*].status.conditions}");
  EXPECT_TRUE(comes_to_say("us/greedy", "AllApplied"));
  EXPECT_TRUE(eventually(seconds(10), [&] {
    return events("Normal").find("WriteRefused is over") != std::string::npos;
  })) << events("Normal");
  ok("delete us greedy --wait=true");
  ok("delete pvc greedy-0-data --wait=false");
}

TEST_F(MysqlObjects, AWrongAesKeyIsACleanConditionAndChangesNoRole) {
  const auto before = source();
  const auto epoch_before = epoch();
  const auto right = ok("get secret aes-secret-key -o jsonpath={.data.AES_SECRET_KEY}");
  const auto put = [&](const std::string& key) {
    ok("patch secret aes-secret-key --type=merge -p {\"data\":{\"AES_SECRET_KEY\":\"" + key +
       "\"}}");
  };
  put("d3Jvbmd3cm9uZ3dyb25nd3Jvbmd3cm9uZ3dyb25nISE=");
  EXPECT_TRUE(comes_to_say("mr/mysql-cluster-replication", "encrypted with another key"));
  EXPECT_EQ(source(), before);
  EXPECT_EQ(epoch(), epoch_before);
  const auto log = support::file_text(cluster().directory() / "operator.log");
  EXPECT_EQ(log.find("wrongwrong"), std::string::npos) << "a secret in the log";
  put(right);
  ASSERT_TRUE(settles(before));
  EXPECT_EQ(epoch(), epoch_before);
}

TEST_F(MysqlObjects, AStandaloneUnitOfAStockImageWorks) {
  const auto folder = sample("samples/standalone").string();
  ok("apply -f " + folder);
  ok("wait --for=jsonpath={.status.phase}=Ready un/mysql-unit-0 --timeout=120s");
  EXPECT_TRUE(root_works("mysql-unit-0", "Demo-root-password-2"));
  // Nobody else opens it: neither at first, nor when its server has started again.
  EXPECT_EQ(as_root("mysql-unit-0", "Demo-root-password-2",
                    "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY); "
                    "INSERT INTO shop.orders VALUES (1); SELECT @@offline_mode")
                .out,
            "0\n");
  send_signal("mysql-unit-0", SIGKILL);
  oracle::Ran inserted;
  EXPECT_TRUE(eventually(seconds(60), [&] {
    inserted = as_root("mysql-unit-0", "Demo-root-password-2",
                       "INSERT INTO shop.orders VALUES (2); SELECT COUNT(*) FROM shop.orders");
    return inserted.status == 0;
  })) << inserted.err;
  EXPECT_EQ(inserted.out, "2\n");
  EXPECT_EQ(kubectl("wait --for=condition=Ready un/mysql-unit-0 --timeout=30s").status, 0)
      << condition("un/mysql-unit-0", "Ready", "message");
  ok("delete -f " + folder + " --wait=true");
  EXPECT_EQ(kubectl("get pod mysql-unit-0").status, 1);
}

// A second cluster, in a namespace of its own; the operator dies while it forms.
TEST_F(MysqlObjects, AnOperatorKilledDuringFormationFormsOneClusterAllTheSame) {
  auto manifest = support::file_text(sample("samples/mysql/cluster.yaml"));
  manifest = replaced(manifest, "namespace: default", "namespace: second");
  manifest = replaced(manifest, R"(svc\.default)", "svc.second");
  ok("apply -f -", "apiVersion: v1\nkind: Namespace\nmetadata: {name: second}\n---\n" + manifest);
  const oracle::MysqlCluster second(cluster().kubectl(), "second");
  for (const auto* moment : {"Pod", "PVC", "record"}) {
    const auto until = cluster().decisions() + 10;
    SCOPED_TRACE(moment);
    ASSERT_TRUE(
        eventually(seconds(60), [&] { return second.ready() || cluster().decisions() >= until; }));
    cluster().kill_operator();
    cluster().start_operator();
  }
  ASSERT_TRUE(eventually(seconds(180), [&] { return second.ready(); })) << second.state();
  EXPECT_EQ(second.source(), "mysql-cluster-0");
  EXPECT_EQ(ok("get mr mysql-cluster-replication -n second -o jsonpath={.status.epoch}"), "1")
      << "formed once";
  ok("delete namespace second --wait=true");
  EXPECT_EQ(ok("get pods -n second -o name"), "");
}

TEST_F(MysqlObjects, TheOperatorAlsoRunsAsAPodOfTheCluster) {
  cluster().kill_operator();
  const auto manifest = sample("operator.yaml").string();
  ok("apply -f " + sample("rbac").string());
  ok("apply -f " + manifest);
  ok("rollout status deployment/troupe-operator -n troupe-system --timeout=120s");
  const auto target = replica();
  ASSERT_EQ(mysql().annotate("troupe.dev/switchover-to=" + target).status, 0);
  EXPECT_TRUE(settles(target));
  // From this machine the Pod is elsewhere: no loopback, so tokens decide.
  const auto pod =
      ok("get pods -n troupe-system -l app.kubernetes.io/name=troupe-operator "
         "-o jsonpath={.items[0].status.podIP}");
  EXPECT_EQ(status_of(pod, "/metrics"), "200");
  EXPECT_EQ(status_of(pod, "/api/actors"), "401");
  EXPECT_EQ(status_of(pod, "/api/actors", "wrong"), "401");
  // `kubectl create token` sends protobuf only.
  const auto token = oracle::text_at(
      boost::json::parse(ok("create --raw "
                            "/api/v1/namespaces/troupe-system/serviceaccounts/troupe-operator/token"
                            " -f -",
                            R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest"})")),
      "/status/token");
  EXPECT_FALSE(token.empty());
  EXPECT_EQ(status_of(pod, "/api/actors", token), "200");
  EXPECT_EQ(status_of(pod, "/console/", token), "200");
  const auto log = ok("logs -n troupe-system deployment/troupe-operator");
  EXPECT_EQ(log.find(token), std::string::npos) << "a token in the log";
  // Not its namespace: the CA of all Units lives there.
  ok("delete deployment troupe-operator -n troupe-system --wait=true");
  ok("wait --for=delete pod -l app.kubernetes.io/name=troupe-operator -n troupe-system");
  cluster().start_operator();
  ASSERT_TRUE(settles(target));
}

TEST_F(MysqlObjects, AnIdleFleetWritesNothing) {
  auto before = versions_at_rest();
  // What clients wrote last is shown up to 15 s later.
  if (eventually(seconds(16), [&] { return versions() != before; })) before = versions_at_rest();
  const bool moved = eventually(seconds(20), [&] { return versions() != before; });
  if (!moved) return;
  for (const auto& [object, version] : versions())
    EXPECT_EQ(before[object], version) << object << " was written";
}

}  // namespace
}  // namespace troupe::e2e
