#include "tests/oracle/mysql_cluster.hpp"

#include <fmt/format.h>

#include <fstream>

namespace troupe::oracle {
namespace {

constexpr const char* kWriter = "writer";
constexpr const char* kWriterPassword = "Writer-password-1";

}  // namespace

MysqlCluster::MysqlCluster(const Kubectl& kubectl, std::string ns, std::string replication)
    : kubectl_(kubectl), ns_(std::move(ns)), replication_(std::move(replication)) {}

boost::json::object MysqlCluster::object() const {
  return kubectl_.get({"mysqlreplication", replication_, "-n", ns_});
}

bool MysqlCluster::ready() const {
  const boost::json::value o = object();
  return text_at(o, "/status/ready") == "true" &&
         text_at(o, "/status/observedGeneration") == text_at(o, "/metadata/generation");
}

std::string MysqlCluster::state() const {
  const boost::json::value o = object();
  std::string out;
  boost::system::error_code ec;
  const auto* conditions = o.find_pointer("/status/conditions", ec);
  if (!conditions || !conditions->is_array()) return "no status yet";
  for (const auto& c : conditions->as_array())
    if (text_at(c, "/status") != "True")
      out += (out.empty() ? "" : "; ") + text_at(c, "/reason") + ": " + text_at(c, "/message");
  return out;
}

std::string MysqlCluster::source() const { return text_at(object(), "/status/currentSource"); }

std::vector<std::string> MysqlCluster::members() const {
  const boost::json::value o = object();
  std::vector<std::string> out{text_at(o, "/spec/source/name")};
  boost::system::error_code ec;
  if (const auto* list = o.find_pointer("/spec/replica", ec); list && list->is_array())
    for (const auto& r : list->as_array()) out.push_back(text_at(r, "/name"));
  return out;
}

bool MysqlCluster::is_replica(const std::string& member) const {
  const boost::json::value o = object();
  return text_at(o, "/status/topology/" + member + "/role") == "Replica" &&
         text_at(o, "/status/topology/" + member + "/ready") == "true";
}

std::string MysqlCluster::mysql(const std::string& member, const std::string& sql,
                                std::string* error) const {
  // The password comes out of the sample's Secret on standard input, never on a command line.
  const auto ran = kubectl_({"exec", "-i", "-n", ns_, member, "-c", "mysql", "--", "sh", "-c",
                             "read -r MYSQL_PWD; export MYSQL_PWD; "
                             "mysql -uroot --socket=/DATA_MOUNT/mysqld.sock -N -B"},
                            std::chrono::seconds(30), "Demo-root-password-1\n" + sql + "\n");
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

std::string MysqlCluster::version() const {
  auto text = mysql(source(), "SELECT VERSION();", nullptr);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
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
