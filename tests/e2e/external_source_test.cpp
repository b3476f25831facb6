// Acceptance behaviours on real servers, named by their ids in docs/acceptance.md: a topology whose
// data come from a server outside, which here is a Unit that stands alone.
#include <fmt/format.h>
#include <signal.h>

#include <fstream>
#include <future>
#include <regex>

#include "tests/e2e/cluster.hpp"
#include "tests/e2e/fault_points.hpp"
#include "tests/oracle/judgement.hpp"
#include "tests/support/files.hpp"

namespace troupe::e2e {
namespace {

namespace fs = std::filesystem;
using oracle::eventually;
using oracle::Writers;
using std::chrono::seconds;

constexpr auto kName = "mysql-cluster-replication";
constexpr auto kDonor = "mysql-unit-0";

std::string replaced(const std::string& text, const char* what, const std::string& by) {
  return std::regex_replace(text, std::regex(what), by);
}

class ExternalSource : public ClusterTest {
 public:
  static void SetUpTestSuite() {
    std::string pattern = (fs::temp_directory_path() / "troupe-e2e-outside-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    samples_ = pattern;
    const auto text = support::file_text(sample("samples/standalone/unit.yaml"));
    ASSERT_FALSE(text.empty());
    // Of the other sample, by which mysql() logs in.
    std::ofstream(samples_ / "donor.yaml")
        << replaced(text, "root: Demo-root-password-2", "root: Demo-root-password-1");
    bring_up(samples_);
    if (!HasFailure()) fill_donor();
  }
  static void TearDownTestSuite() {
    ClusterTest::TearDownTestSuite();
    fs::remove_all(samples_);
  }

 protected:
  void SetUp() override {
    if (field("externalSource").empty()) make_topology();
    ASSERT_TRUE(settles()) << told();
  }

  // Data that only a clone gets at, and accounts: of who clones and follows, and of the writers.
  static void fill_donor() {
    const auto writer = mysql().member(kDonor);
    EXPECT_EQ(
        mysql().query(
            kDonor,
            fmt::format("CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY); "
                        "INSERT INTO shop.orders VALUES (1); "
                        "FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY; "
                        "CREATE USER outside@'%' IDENTIFIED BY 'Outside-password-1'; "
                        "GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO outside@'%'; "
                        "CREATE USER {0}@'%' IDENTIFIED BY '{1}'; "
                        "GRANT ALL ON troupe_demo.* TO {0}@'%'; SELECT 'made'",
                        writer.user, writer.password)),
        "made");
  }

  // Anew, with the annotation from the beginning.
  static void make_topology() {
    delete_topology();
    apply_topology();
  }
  static void apply_topology() {
    ok("apply -f -", fmt::format("apiVersion: v1\nkind: Secret\n"
                                 "metadata: {{name: outside, namespace: default}}\n"
                                 "stringData: {{HOST: {}, PORT: \"3306\", USER: outside, "
                                 "PASSWORD: Outside-password-1}}\n",
                                 mysql().member(kDonor).host));
    ok("apply -f -", replaced(support::file_text(sample("samples/mysql/cluster.yaml")),
                              fmt::format("name: {}\n", kName).c_str(),
                              fmt::format("name: {}\n  annotations: {{troupe.dev/external-source: "
                                          "outside}}\n",
                                          kName)));
  }

  // Empty where there is no such object.
  static std::string field(std::string_view path) {
    return kubectl(fmt::format("get mr {} -o jsonpath={{.status.{}}}", kName, path)).out;
  }
  static std::string told() {
    return fmt::format("{}; status: {}", mysql().state(), field("guards"));
  }
  static std::string says(const std::string& server, const std::string& expression) {
    return mysql().query(server, "SELECT " + expression);
  }

  // The host that it follows, while both of its threads run.
  static std::string follows(const std::string& member) {
    return says(member,
                "c.HOST FROM performance_schema.replication_connection_configuration c "
                "JOIN performance_schema.replication_connection_status s USING (CHANNEL_NAME) "
                "JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME) "
                "WHERE s.SERVICE_STATE = 'ON' AND a.SERVICE_STATE = 'ON'");
  }
  static bool is_cloned_from_donor(const std::string& member) {
    return says(member, "SOURCE FROM performance_schema.clone_status")
        .starts_with(mysql().member(kDonor).host);
  }
  // One member follows the donor and the others follow it; none takes writes, or acknowledges.
  static testing::AssertionResult is_fed() {
    const auto first = source();
    for (const auto& member : mysql().members()) {
      const auto from = member == first ? mysql().member(kDonor).host
                                        : first + ".mysql-cluster-headless-svc.default";
      if (const auto now = follows(member); now != from)
        return testing::AssertionFailure() << member << " follows '" << now << "', not " << from;
      const auto flags = says(member,
                              "CONCAT_WS(' ', @@super_read_only, @@rpl_semi_sync_source_enabled, "
                              "@@rpl_semi_sync_replica_enabled, @@offline_mode)");
      if (flags != "1 0 0 0") return testing::AssertionFailure() << member << " has " << flags;
    }
    return testing::AssertionSuccess();
  }
  static testing::AssertionResult comes_to_be_fed() {
    auto fed = testing::AssertionFailure();
    if (eventually(seconds(60), [&] { return bool(fed = is_fed()); })) return fed;
    return fed << "; " << told();
  }

  static inline fs::path samples_;
};

// Applications that try to write to every member and through the Service all the time.
class Applications {
 public:
  explicit Applications(const oracle::MysqlCluster& cluster)
      : cluster_(cluster),
        to_members_(members_of(cluster), options(100)),
        to_service_({cluster.read_write()}, options(200)) {
    to_members_.start();
    to_service_.start();
  }
  std::uint64_t acknowledged() const {
    return to_members_.acknowledged() + to_service_.acknowledged();
  }
  std::uint64_t acknowledged_by_service() const { return to_service_.acknowledged(); }
  // How often another member was the one that acknowledged.
  int handovers() const { return to_members_.handovers(); }
  testing::AssertionResult nothing_lost() {
    to_members_.stop();
    to_service_.stop();
    const auto verdict = oracle::judge_members(cluster_, {&to_members_, &to_service_});
    if (verdict.good()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << verdict.lost << " rows are lost, " << verdict.doubled
                                       << " doubled " << verdict.problem;
  }

 private:
  // Who is refused, most of the time.
  static oracle::WriterOptions options(std::size_t first_id) {
    return {
        .retry_after = std::chrono::milliseconds(50), .rows_a_second = 50, .first_id = first_id};
  }
  static std::vector<oracle::Address> members_of(const oracle::MysqlCluster& cluster) {
    std::vector<oracle::Address> out;
    for (const auto& name : cluster.members()) out.push_back(cluster.member(name));
    return out;
  }

  const oracle::MysqlCluster& cluster_;
  Writers to_members_;
  Writers to_service_;
};

TEST_F(ExternalSource, A31ANewTopologyIsClonedFromItFollowsItClosedAndPassesItsWritesOn) {
  if (!is_cloned_from_donor(source())) {  // but from another member, before roles moved
    make_topology();
    ASSERT_TRUE(settles()) << told();
  }
  const Applications applications(mysql());
  EXPECT_EQ(field("externalSource"), "outside");
  EXPECT_TRUE(is_cloned_from_donor(source()));
  ASSERT_TRUE(comes_to_be_fed());
  for (const auto& member : mysql().members())
    EXPECT_EQ(says(member, "id FROM shop.orders"), "1") << member;

  auto load = Load::to_outside(mysql(), kDonor);
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
  const auto refused = Writers::prepare(mysql().read_write());
  ASSERT_TRUE(refused) << "the Service leads to a server that takes writes";
  EXPECT_NE(refused->find("read-only"), std::string::npos) << *refused;
  EXPECT_EQ(applications.acknowledged(), 0u);
}

TEST_F(ExternalSource, A32ItRestartsAndIsFollowedAgain) {
  const auto first = source();
  const auto before = epoch();
  const Applications applications(mysql());
  auto load = Load::to_outside(mysql(), kDonor);
  ASSERT_TRUE(load.flows());
  send_signal(kDonor, SIGKILL);
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
  ASSERT_TRUE(comes_to_be_fed());
  ASSERT_TRUE(settles(first)) << told();
  EXPECT_EQ(epoch(), before) << "nobody here has a part in it";
  EXPECT_EQ(applications.acknowledged(), 0u);
}

TEST_F(ExternalSource, A32TheSourceIsKilledAndAReplicaFollowsOn) {
  const auto old = source();
  const auto before = epoch();
  const Applications applications(mysql());
  auto load = Load::to_outside(mysql(), kDonor);
  ASSERT_TRUE(load.flows());
  send_signal(old, SIGKILL);
  ASSERT_TRUE(eventually(seconds(60), [&] { return source() != old; })) << told();
  ASSERT_TRUE(settles()) << told();
  EXPECT_EQ(field("lastOperation.type"), "Failover");
  EXPECT_EQ(epoch(), before + 1);
  ASSERT_TRUE(comes_to_be_fed()) << "the old one too";
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
  EXPECT_EQ(applications.acknowledged(), 0u);
}

TEST_F(ExternalSource, A33ItIsLeftWithAllThatWasReceivedAndTheSourceIsOpenedOnce) {
  const auto first = source();
  const auto before = epoch();
  auto load = Load::to_outside(mysql(), kDonor);
  ASSERT_TRUE(load.flows());
  Applications applications(mysql());

  // What it has received cannot be applied for as long as this has its lock.
  auto reader = std::async(std::launch::async, [first] {
    return mysql().query(first, "LOCK TABLES troupe_demo.acknowledged READ; SELECT SLEEP(100)");
  });
  std::string session;
  ASSERT_TRUE(eventually(seconds(10), [&] {
    session = says(first,
                   "PROCESSLIST_ID FROM performance_schema.threads WHERE "
                   "PROCESSLIST_INFO LIKE 'SELECT SLEEP%'");
    return !session.empty();
  }));
  const auto of_receiver = [&](const std::string& expression) {
    return says(first, expression + " FROM performance_schema.replication_connection_status");
  };
  ASSERT_TRUE(eventually(seconds(10), [&] {
    return of_receiver("GTID_SUBSET(RECEIVED_TRANSACTION_SET, @@gtid_executed)") == "0";
  }));
  ok(fmt::format("annotate mr {} troupe.dev/external-source-", kName));
  ASSERT_TRUE(eventually(seconds(30), [&] { return follows(first).empty(); })) << told();
  const auto all = of_receiver("CONCAT(RECEIVED_TRANSACTION_SET, ',', @@gtid_executed)");
  EXPECT_FALSE(eventually(seconds(2), [&] { return applications.acknowledged() > 0; }))
      << "it is opened before it has applied all";
  EXPECT_EQ(field("operation.type"), "Detach") << told();
  ASSERT_TRUE(load.flows());  // outside
  const auto late = says(kDonor, fmt::format("GTID_SUBTRACT(@@gtid_executed, '{}')", all));
  EXPECT_NE(late, "");

  mysql().query(first, "KILL " + session);
  reader.wait();
  ASSERT_TRUE(eventually(seconds(60), [&] { return applications.acknowledged_by_service() >= 20; }))
      << told();
  ASSERT_TRUE(settles(first)) << told();
  EXPECT_EQ(field("lastOperation.type"), "Detach");
  EXPECT_EQ(field("externalSource"), "");
  EXPECT_EQ(epoch(), before + 1);
  EXPECT_EQ(says(first,
                 "CONCAT_WS(' ', @@super_read_only, @@rpl_semi_sync_source_enabled, "
                 "@@rpl_semi_sync_source_wait_for_replica_count)"),
            "0 1 1");
  EXPECT_EQ(applications.handovers(), 0) << "more than one was open";
  EXPECT_TRUE(applications.nothing_lost());
  load.writers().stop();
  for (const auto& member : mysql().members()) {
    EXPECT_EQ(says(member, fmt::format("GTID_SUBSET('{}', @@gtid_executed)", all)), "1") << member;
    EXPECT_EQ(says(member, fmt::format("GTID_SUBTRACT('{0}', @@gtid_executed) = '{0}'", late)), "1")
        << member << " has what was written outside later";
  }
}

// --- the operator dies on the way

const std::vector<Course> kOperations{
    {"Attach",
     9,
     {
         "record",  // all members are there
         "step * Close *", "step * InspectSource *",
         "record#2",  // it has to be cloned
         "step * Clone *",
         "record#3",  // it is
         "step * Follow * @outside *",
         "record#4",  // it is over
     }},
    {"Detach",
     7,
     {
         "record",  // the annotation is gone
         "step * StopReceiver *", "step * Drain *",
         "record#2",  // all that came from outside is applied
         "step * Promote *", "step * Open *",
         "record#3",  // it is over
     }},
};

class ExternalFaultPoints : public ExternalSource, public testing::WithParamInterface<FaultPoint> {
 protected:
  static bool attaches() { return GetParam().operation == "Attach"; }
  void SetUp() override {
    if (!attaches()) return ExternalSource::SetUp();
    delete_topology();
  }
};

TEST_P(ExternalFaultPoints, A06TheNextOperatorBringsItToTheSameEnd) {
  const auto leave = [] { ok(fmt::format("annotate mr {} troupe.dev/external-source-", kName)); };
  ASSERT_TRUE(attaches() ? dies_at(GetParam().at, [] { apply_topology(); })
                         : dies_at(GetParam().at, leave));
  const std::string outside = attaches() ? "outside" : "";
  ASSERT_TRUE(eventually(seconds(120), [&] { return field("externalSource") == outside; }))
      << told();
  ASSERT_TRUE(settles()) << told();
  if (attaches()) {
    ASSERT_TRUE(comes_to_be_fed());
  }
  auto load = attaches() ? Load::to_outside(mysql(), kDonor) : Load::through_service(mysql());
  ASSERT_TRUE(load.flows());
  EXPECT_TRUE(load.nothing_lost());
}
INSTANTIATE_TEST_SUITE_P(Dies, ExternalFaultPoints, testing::ValuesIn(tried(kOperations)), name_of);

}  // namespace
}  // namespace troupe::e2e
