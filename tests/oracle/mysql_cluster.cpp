#include "tests/oracle/mysql_cluster.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/oracle/managed.hpp"

namespace troupe::oracle {
namespace {

constexpr const char* kWriter = "writer";
constexpr const char* kWriterPassword = "Writer-password-1";

// None for what is no MysqlReplication.
std::vector<std::string> members_of(const boost::json::value& replication) {
  std::vector<std::string> out;
  if (auto source = text_at(replication, "/spec/source/name"); !source.empty())
    out.push_back(std::move(source));
  for (const auto& r : items_at(replication, "/spec/replica")) out.push_back(text_at(r, "/name"));
  return out;
}

Address as_writer(std::string host) {
  return {.host = std::move(host), .port = 3306, .user = kWriter, .password = kWriterPassword};
}

MemberPod as_pod(const boost::json::value& pod) {
  MemberPod out{.name = text_at(pod, "/metadata/name"),
                .host = text_at(pod, "/status/podIP"),
                .interface = text_at(pod, "/metadata/annotations/sim.troupe.dev~1interface"),
                .container = {}};
  const auto pids = text_at(pod, "/metadata/annotations/sim.troupe.dev~1pids");
  boost::system::error_code ec;
  const auto map = boost::json::parse(pids, ec);
  const auto one = ec ? std::string() : text_at(map, "/mysql");
  if (!one.empty()) out.container = std::stoi(one);
  return out;
}

std::string without_line_end(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

MysqlCluster::MysqlCluster(const Kubectl& kubectl, std::string ns, std::string replication)
    : kubectl_(kubectl), ns_(std::move(ns)), replication_(std::move(replication)) {}

boost::json::object MysqlCluster::object() const {
  return kubectl_.get({"mysqlreplication", replication_, "-n", ns_});
}

boost::json::array MysqlCluster::objects() const {
  const boost::json::value list = kubectl_.get({kManagedKinds, "-n", ns_});
  std::set<std::string> wanted{"MysqlReplication/" + replication_};
  boost::json::array out;
  // In the order they are asked for: each says which of the next belong to it.
  for (const auto& o : items_at(list, "/items")) {
    if (!wanted.contains(text_at(o, "/kind") + "/" + text_at(o, "/metadata/name"))) continue;
    for (const auto& member : members_of(o)) wanted.insert("Unit/" + member);
    wanted.insert("UnitSet/" + text_at(o, "/metadata/ownerReferences/0/name"));
    out.push_back(o);
  }
  return out;
}

bool MysqlCluster::ready() const {
  const auto all = objects();
  return !all.empty() && std::all_of(all.begin(), all.end(), is_ready);
}

bool MysqlCluster::is_whole() const {
  const auto primary = source();
  if (primary.empty() || !ready()) return false;
  const auto all = members();
  return std::all_of(all.begin(), all.end(), [&](const std::string& member) {
    return member == primary || is_replica(member);
  });
}

std::string MysqlCluster::state() const { return state_of(objects()); }

std::string MysqlCluster::source() const { return text_at(object(), "/status/currentSource"); }

std::int64_t MysqlCluster::epoch() const {
  const auto text = text_at(object(), "/status/epoch");
  return text.empty() ? 0 : std::stoll(text);
}

std::vector<std::string> MysqlCluster::members() const { return members_of(object()); }

bool MysqlCluster::is_replica(const std::string& member) const {
  const boost::json::value o = object();
  return text_at(o, "/status/topology/" + member + "/role") == "Replica" &&
         text_at(o, "/status/topology/" + member + "/ready") == "true";
}

std::string MysqlCluster::wanted_source() const { return text_at(object(), "/spec/source/name"); }

Ran MysqlCluster::list_members(const std::vector<std::string>& names,
                               const std::string& isolated) const {
  boost::json::object source;
  boost::json::array replicas;
  for (const auto& name : names) {
    boost::json::object member{
        {"name", name}, {"host", name + ".mysql-cluster-headless-svc." + ns_}, {"port", 3306}};
    if (name == isolated) member["isolated"] = true;
    if (source.empty())
      source = std::move(member);
    else
      replicas.push_back(std::move(member));
  }
  return kubectl_(
      {"patch", "mysqlreplication", "-n", ns_, replication_, "--type=merge",
       "--patch-file=/dev/stdin"},
      std::chrono::seconds(30),
      boost::json::serialize(boost::json::object{
          {"spec", {{"source", std::move(source)}, {"replica", std::move(replicas)}}}}));
}

std::size_t MysqlCluster::counted() const {
  return items_at(object(), "/status/quorum/members").size();
}

int MysqlCluster::relied_on() const {
  const auto text = text_at(object(), "/status/quorum/acks");
  return text.empty() ? 0 : std::stoi(text);
}

Ran MysqlCluster::annotate(const std::string& annotation) const {
  return kubectl_(
      {"annotate", "--overwrite", "mysqlreplication", "-n", ns_, replication_, annotation});
}

Ran MysqlCluster::run_in_container(const std::string& member, const std::string& command,
                                   const std::string& input) const {
  return kubectl_({"exec", "-i", "-n", ns_, member, "-c", "mysql", "--", "sh", "-c", command},
                  std::chrono::seconds(30), input);
}

std::string MysqlCluster::mysql(const std::string& member, const std::string& sql,
                                std::string* error, const Account& as) const {
  // The password comes out of the sample's Secret on standard input, never on a command line.
  const auto ran =
      run_in_container(member, "read -r MYSQL_PWD; export MYSQL_PWD; mysql -N -B " + as.options,
                       as.password + "\n" + sql + "\n");
  if (ran.status != 0 && error) *error = ran.err;
  return ran.out;
}

std::optional<std::string> MysqlCluster::make_writer_account() const {
  std::string error;
  mysql(source(),
        fmt::format("CREATE USER IF NOT EXISTS '{}'@'%' IDENTIFIED BY '{}'; "
                    "GRANT ALL ON troupe_demo.* TO '{}'@'%';",
                    kWriter, kWriterPassword, kWriter),
        &error);
  if (error.empty()) return std::nullopt;
  return error;
}

std::optional<std::string> MysqlCluster::prepare_writers() const {
  if (auto problem = make_writer_account()) return problem;
  const auto address = read_write();
  std::optional<std::string> problem;
  eventually(std::chrono::seconds(20), [&] { return !(problem = Writers::prepare(address)); });
  return problem;
}

Address MysqlCluster::read_write() const { return service("readwrite"); }

Address MysqlCluster::read_only() const { return service("readonly"); }

Address MysqlCluster::service(const std::string& suffix) const {
  const auto service = kubectl_.get({"service", replication_ + "-" + suffix, "-n", ns_});
  return as_writer(text_at(service, "/spec/clusterIP"));
}

Address MysqlCluster::member(const std::string& name) const { return address_of(pod(name)); }

Address MysqlCluster::address_of(const MemberPod& pod) { return as_writer(pod.host); }

std::string MysqlCluster::version() const { return query(source(), "SELECT VERSION()"); }

std::string MysqlCluster::query(const std::string& member, const std::string& statement) const {
  return without_line_end(mysql(member, statement + ";", nullptr));
}

std::string MysqlCluster::query_as_administrator(const std::string& member,
                                                 const std::string& statement) const {
  const auto options = fmt::format("-ureplication -h {} -P 33062", this->member(member).host);
  return without_line_end(
      mysql(member, statement + ";", nullptr, {options, "Demo-replication-password-1"}));
}

MemberPod MysqlCluster::pod(const std::string& name) const {
  return as_pod(kubectl_.get({"pod", name, "-n", ns_}));
}

MysqlCluster::Situation MysqlCluster::situation() const {
  const boost::json::value list = kubectl_.get({"mysqlreplication,pods", "-n", ns_});
  Situation out;
  for (const auto& o : items_at(list, "/items")) {
    const auto name = text_at(o, "/metadata/name");
    if (text_at(o, "/kind") == "Pod") out.pods.emplace(name, as_pod(o));
    if (name == replication_) out.source = text_at(o, "/status/currentSource");
  }
  return out;
}

std::optional<pid_t> MemberPod::database() const {
  if (!container) return std::nullopt;
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", *container));
  pid_t pid = 0;
  if (!(children >> pid)) return std::nullopt;
  return pid;
}

}  // namespace troupe::oracle
