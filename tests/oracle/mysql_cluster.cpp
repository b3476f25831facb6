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

std::vector<std::string> MysqlCluster::members() const { return members_of(object()); }

bool MysqlCluster::is_replica(const std::string& member) const {
  const boost::json::value o = object();
  return text_at(o, "/status/topology/" + member + "/role") == "Replica" &&
         text_at(o, "/status/topology/" + member + "/ready") == "true";
}

std::string MysqlCluster::mysql(const std::string& member, const std::string& sql,
                                std::string* error, const Account& as) const {
  // The password comes out of the sample's Secret on standard input, never on a command line.
  const auto ran = kubectl_({"exec", "-i", "-n", ns_, member, "-c", "mysql", "--", "sh", "-c",
                             "read -r MYSQL_PWD; export MYSQL_PWD; mysql -N -B " + as.options},
                            std::chrono::seconds(30), as.password + "\n" + sql + "\n");
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

Address MysqlCluster::read_write() const {
  const auto service = kubectl_.get({"service", replication_ + "-readwrite", "-n", ns_});
  return {.host = text_at(service, "/spec/clusterIP"),
          .port = 3306,
          .user = kWriter,
          .password = kWriterPassword};
}

Address MysqlCluster::member(const std::string& name) const {
  const auto pod = kubectl_.get({"pod", name, "-n", ns_});
  return {.host = text_at(pod, "/status/podIP"),
          .port = 3306,
          .user = kWriter,
          .password = kWriterPassword};
}

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

std::string MysqlCluster::network_interface(const std::string& member) const {
  const auto pod = kubectl_.get({"pod", member, "-n", ns_});
  return text_at(pod, "/metadata/annotations/sim.troupe.dev~1interface");
}

std::optional<pid_t> MysqlCluster::database_process(const std::string& name) const {
  const auto pod = kubectl_.get({"pod", name, "-n", ns_});
  const auto pids = text_at(pod, "/metadata/annotations/sim.troupe.dev~1pids");
  boost::system::error_code ec;
  const auto map = boost::json::parse(pids, ec);
  if (ec) return std::nullopt;
  const auto one = text_at(map, "/mysql");
  if (one.empty()) return std::nullopt;
  std::ifstream children(fmt::format("/proc/{}/task/{}/children", one, one));
  pid_t pid = 0;
  if (!(children >> pid)) return std::nullopt;
  return pid;
}

}  // namespace troupe::oracle
