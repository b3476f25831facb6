#include "tests/e2e/cluster.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/oracle/judgement.hpp"
#include "tests/support/tree.hpp"

namespace troupe::e2e {
namespace {

namespace fs = std::filesystem;
using oracle::eventually;
using std::chrono::seconds;

std::string first_line_of(const fs::path& file) {
  std::ifstream in(file);
  std::string text;
  std::getline(in, text);
  return text;
}

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  return {std::istream_iterator<std::string>(in), {}};
}

fs::path new_directory(const std::string& name) {
  std::string pattern = (fs::temp_directory_path() / ("troupe-e2e-" + name + "-XXXXXX")).string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  return pattern;
}

}  // namespace

Cluster::Cluster(const std::string& name, const fs::path& samples,
                 const std::string& default_fstype)
    : directory_(new_directory(name)), kubectl_(directory_ / "kubeconfig"), mysql_(kubectl_) {
  std::vector<std::string> arguments{"up"};
  if (!samples.empty()) arguments.insert(arguments.end(), {"--samples", samples});
  if (!default_fstype.empty())
    arguments.insert(arguments.end(), {"--default-fstype", default_fstype});
  const auto up = tool(arguments);
  EXPECT_EQ(up.status, 0) << up.err;
}

Cluster::~Cluster() {
  const bool failed = testing::UnitTest::GetInstance()->Failed();
  const auto down = failed ? tool({"down", "--keep"}) : tool({"down"});
  EXPECT_EQ(down.status, 0) << down.err;
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);)
    EXPECT_EQ(line.find(directory_.string()), std::string::npos) << "left mounted: " << line;
  if (failed) {
    fmt::print("logs of the failed run: {}\n", directory_.string());
    return;
  }
  EXPECT_FALSE(fs::exists(directory_ / "state")) << "down removes the volumes";
  fs::remove_all(directory_);
}

oracle::Ran Cluster::tool(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(),
                   {"env", "TROUPE_BIN=" + support::program(), support::in_tree("tools/cluster")});
  arguments.insert(arguments.end(), {"--dir", directory_});
  return oracle::run(arguments, seconds(330));
}

std::string Cluster::operator_url() const { return first_line_of(directory_ / "operator.url"); }

std::string Cluster::replication_actor(std::string_view field) const {
  const auto ran = oracle::run({"curl", "-sS", "--max-time", "5",
                                operator_url() + "/api/actors?kind=MysqlReplication&limit=1"},
                               seconds(10));
  boost::system::error_code ec;
  const auto answer = boost::json::parse(ran.out, ec);
  return ec ? std::string() : oracle::text_at(answer, fmt::format("/actors/0/{}", field));
}

std::int64_t Cluster::decisions() const {
  const auto runs = replication_actor("runs");
  return runs.empty() ? 0 : std::stoll(runs);
}

bool Cluster::save_journal(const std::filesystem::path& file) const {
  return oracle::run(
             {"curl", "-sSf", "--max-time", "10", "-o", file,
              fmt::format("{}/api/actors/{}/journal", operator_url(), replication_actor("id"))},
             seconds(15))
             .status == 0;
}

pid_t Cluster::operator_process(const std::string& replica) const {
  return std::stoi(first_line_of(directory_ / (replica + ".pid")));
}

void Cluster::signal_operator(const std::string& replica, int number) const {
  ASSERT_EQ(::kill(operator_process(replica), number), 0);
}

void Cluster::kill_operator(const std::string& replica) {
  signal_operator(replica, SIGKILL);
  ASSERT_TRUE(operator_ends(seconds(10), replica));
}

void Cluster::stop_operator(const std::string& replica) {
  signal_operator(replica, SIGTERM);
  ASSERT_TRUE(operator_ends(seconds(20), replica));
}

bool Cluster::operator_pauses(seconds deadline, const std::string& replica) const {
  const auto pid = operator_process(replica);
  return eventually(deadline, [pid] { return support::is_stopped(pid); });
}

bool Cluster::operator_ends(seconds deadline, const std::string& replica) const {
  const auto pid = operator_process(replica);
  return eventually(deadline, [pid] { return support::has_ended(pid); });
}

void Cluster::start_operator(const OperatorAs& how) {
  std::vector<std::string> arguments{"operator"};
  if (!how.kubeconfig.empty()) arguments.insert(arguments.end(), {"--kubeconfig", how.kubeconfig});
  if (!how.fault_point.empty())
    arguments.insert(arguments.end(), {"--fault-point", how.fault_point});
  if (how.elected) arguments.push_back("--leader-elect");
  arguments.insert(arguments.end(), {"--replica", how.replica});
  const auto started = tool(arguments);
  ASSERT_EQ(started.status, 0) << started.err;
}

void ClusterTest::bring_up(const fs::path& samples, const std::string& default_fstype) {
  std::string name = testing::UnitTest::GetInstance()->current_test_suite()->name();
  std::replace(name.begin(), name.end(), '/', '-');  // of a suite with parameters
  cluster_ = std::make_unique<Cluster>(name, samples, default_fstype);
  if (!HasFailure() && !source().empty()) {
    const auto problem = cluster_->mysql().make_writer_account();
    EXPECT_FALSE(problem) << *problem;
  }
}

void ClusterTest::TearDownTestSuite() { cluster_.reset(); }

void ClusterTest::SetUp() { ASSERT_TRUE(settles()) << "the cluster is not as a test expects it"; }

oracle::Ran ClusterTest::kubectl(std::string_view arguments, const std::string& input) {
  return cluster_->kubectl()(words_of(arguments), seconds(150), input);
}

std::string ClusterTest::ok(std::string_view arguments, const std::string& input) {
  const auto ran = kubectl(arguments, input);
  EXPECT_EQ(ran.status, 0) << "kubectl " << arguments << ": " << ran.err;
  return ran.out;
}

fs::path ClusterTest::sample(std::string_view name) {
  return fs::path(support::in_tree("config")) / name;
}

std::string ClusterTest::replica() {
  const auto primary = source();
  for (const auto& name : mysql().members())
    if (name != primary) return name;
  return {};
}

void ClusterTest::send_signal(const std::string& member, int number) {
  const auto process = mysql().database_process(member);
  ASSERT_TRUE(process) << "no database process of " << member;
  ASSERT_EQ(::kill(*process, number), 0) << member;
}

void ClusterTest::delete_topology() {
  ok("delete mr mysql-cluster-replication --ignore-not-found --wait=true");
  ok("delete us mysql-cluster --ignore-not-found --wait=true");
  ok("delete pvc --ignore-not-found mysql-cluster-0-data mysql-cluster-1-data "
     "mysql-cluster-2-data");
}

void ClusterTest::list_members(const std::vector<std::string>& names, const std::string& isolated) {
  const auto listed = mysql().list_members(names, isolated);
  EXPECT_EQ(listed.status, 0) << listed.err;
}

void ClusterTest::list_members(int count) {
  std::vector<std::string> names{mysql().wanted_source()};
  for (int i = 0; i < count; ++i)
    if (auto name = fmt::format("mysql-cluster-{}", i); name != names.front())
      names.push_back(std::move(name));
  list_members(names);
}

// From what begins an operation to a moment of it.
constexpr seconds kToReach(60);

std::string ClusterTest::leader() {
  return ok(
      "get lease troupe-operator -n troupe-system --ignore-not-found -o "
      "jsonpath={.spec.holderIdentity}");
}

ClusterTest::Operation ClusterTest::switchover() {
  const auto target = replica();
  return {[target] { EXPECT_EQ(mysql().annotate("troupe.dev/switchover-to=" + target).status, 0); },
          [target] { return source() == target; }};
}

testing::AssertionResult ClusterTest::pauses_at(const std::string& point,
                                                const Operation& operation) {
  constexpr seconds kToLead(30), kToTakeOver(150), kToLook(5);
  const auto failed = [](const std::string& why) {
    return testing::AssertionFailure() << why << ": " << mysql().state();
  };
  cluster().kill_operator();
  const auto dead = leader();
  cluster().start_operator({.fault_point = "pause " + point, .elected = true});
  if (!eventually(kToLead, [&] { return !leader().empty() && leader() != dead; }))
    return failed("nobody acts");
  cluster().start_operator({.elected = true, .replica = kSecondOperator});
  operation.begin();
  if (!cluster().operator_pauses(kToReach)) return failed("it never came to \"" + point + '"');
  if (!eventually(kToTakeOver, [&] { return operation.has_ended() && mysql().is_whole(); }))
    return failed("nobody brought it to its end");
  const auto done = epoch();
  cluster().signal_operator(kFirstOperator, SIGCONT);
  if (eventually(kToLook, [&] { return epoch() != done || !mysql().is_whole(); }))
    return failed("the one that woke up did something");
  cluster().stop_operator(kSecondOperator);
  cluster().stop_operator();
  cluster().start_operator();
  return testing::AssertionSuccess();
}

testing::AssertionResult ClusterTest::dies_at(const std::string& point,
                                              const std::function<void()>& begin) {
  cluster().kill_operator();
  cluster().start_operator({.fault_point = "die " + point});
  begin();
  if (!cluster().operator_ends(kToReach))
    return testing::AssertionFailure() << "it never came to \"" << point << '"';
  cluster().start_operator();
  return testing::AssertionSuccess();
}

testing::AssertionResult ClusterTest::settles(const std::string& source, seconds deadline) {
  const bool settled = eventually(
      deadline, [&] { return mysql().ready() && (source.empty() || mysql().source() == source); });
  if (settled) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "after " << deadline.count() << " s the source is '"
                                     << mysql().source() << "': " << mysql().state();
}

// Each second: enough to catch every moment, and no test in another cluster has to wait for it.
constexpr int kRowsOfAWriter = 100;

Load::Load(const oracle::MysqlCluster& cluster, const oracle::Address& first,
           std::vector<oracle::Address> addresses)
    : cluster_(cluster),
      writers_(std::make_unique<oracle::Writers>(
          std::move(addresses), oracle::WriterOptions{.rows_a_second = kRowsOfAWriter})) {
  std::optional<std::string> problem;
  EXPECT_TRUE(eventually(seconds(20), [&] {
    problem = oracle::Writers::prepare(first);
    return !problem;
  })) << *problem;
  writers_->start();
}

Load Load::through_service(const oracle::MysqlCluster& cluster) {
  const auto service = cluster.read_write();
  return {cluster, service, std::vector<oracle::Address>(4, service)};
}

Load Load::to_each_member(const oracle::MysqlCluster& cluster) {
  std::vector<oracle::Address> addresses;
  for (const auto& name : cluster.members()) addresses.push_back(cluster.member(name));
  return {cluster, cluster.read_write(), std::move(addresses)};
}

Load Load::to_outside(const oracle::MysqlCluster& cluster, const std::string& server) {
  const auto address = cluster.member(server);
  return {cluster, address, std::vector<oracle::Address>(4, address)};
}

testing::AssertionResult Load::flows(std::uint64_t more) {
  const auto before = writers_->acknowledged();
  if (writers_->flow(more)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "only " << writers_->acknowledged() - before << " of "
                                     << more << " rows were acknowledged within 60 s";
}

testing::AssertionResult Load::nothing_lost() {
  writers_->stop();
  const auto verdict = oracle::judge_members(cluster_, {writers_.get()});
  if (verdict.good()) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "of " << writers_->acknowledged() << " acknowledged rows " << verdict.lost
         << " are lost, " << verdict.doubled << " doubled " << verdict.problem;
}

}  // namespace troupe::e2e
