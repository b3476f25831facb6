#include "tests/e2e/mysql_acceptance.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <regex>

namespace troupe::e2e {
namespace {

constexpr auto kName = "mysql-cluster-replication";

std::string status(std::string_view field) {
  return fmt::format("get mr {} -o jsonpath={{.status.{}}}", kName, field);
}

}  // namespace

oracle::Ran MysqlAcceptance::Network::run(std::vector<std::string> command) const {
  command.insert(command.begin(), {"nsenter", "--net=" + file});
  return oracle::run(command, seconds(10));
}

oracle::Ran MysqlAcceptance::Network::route(const std::string& verb,
                                            const std::string& address) const {
  return run({"ip", "route", verb, "blackhole", address + "/32"});
}

std::string MysqlAcceptance::Network::gateway() const {
  const auto routes = run({"ip", "route", "show", "default"}).out;
  std::smatch found;
  return std::regex_search(routes, found, std::regex("via ([0-9.]+)")) ? found[1].str() : "";
}

// By process 1 of the database's container, which outlives the database.
MysqlAcceptance::Network MysqlAcceptance::network_of(const std::string& member) {
  const auto database = mysql().database_process(member);
  const auto status = database ? read_file(fmt::format("/proc/{}/status", *database)) : "";
  std::smatch parent;
  if (!std::regex_search(status, parent, std::regex("PPid:\\s+([0-9]+)"))) return {};
  return {fmt::format("/proc/{}/ns/net", parent[1].str())};
}

MysqlAcceptance::~MysqlAcceptance() {
  for (const auto& [network, address] : cut_) network.route("del", address);
}

std::vector<std::string> MysqlAcceptance::replicas() {
  auto names = mysql().members();
  std::erase(names, source());
  return names;
}

void MysqlAcceptance::cut(const std::string& member, const std::string& address) {
  const auto network = network_of(member);
  ASSERT_EQ(network.route("add", address).status, 0) << member;
  cut_.push_back({network, address});
}

void MysqlAcceptance::part(const std::string& one, const std::string& other) {
  cut(one, mysql().member(other).host);
}

void MysqlAcceptance::lose_sight_of(const std::string& member) {
  cut(member, network_of(member).gateway());
}

void MysqlAcceptance::heal() {
  for (const auto& [network, address] : cut_) EXPECT_EQ(network.route("del", address).status, 0);
  cut_.clear();
}

void MysqlAcceptance::lose_volume(const std::string& member) {
  ok(fmt::format("delete pvc {}-data --wait=false", member));
  ok(fmt::format("delete pod {} --force --grace-period=0", member));
}

bool MysqlAcceptance::commits_at(const std::string& member) {
  static int number = 0;
  const auto row = ++number;
  return mysql().query(member, fmt::format("CREATE DATABASE IF NOT EXISTS inside; "
                                           "CREATE TABLE IF NOT EXISTS inside.t (i INT PRIMARY "
                                           "KEY); INSERT INTO inside.t VALUES ({}); "
                                           "SELECT 'told OK'",
                                           row)) == "told OK";
}

testing::AssertionResult MysqlAcceptance::says(const std::string& text) {
  std::string said;
  if (eventually(seconds(30),
                 [&] { return (said = ok(status("guards"))).find(text) != said.npos; }))
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << "no \"" << text << "\" in " << said;
}

testing::AssertionResult MysqlAcceptance::stays(std::int64_t before, seconds lasting) {
  if (!eventually(lasting, [&] { return epoch() != before; })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "roles have changed: " << mysql().state();
}

testing::AssertionResult MysqlAcceptance::is_replaced(const std::string& old, seconds within) {
  if (eventually(within, [&] { return source() != old; })) return testing::AssertionSuccess();
  return testing::AssertionFailure() << old << " is the source still: " << mysql().state();
}

void MysqlAcceptance::annotate(const std::string& annotation) {
  ok(fmt::format("annotate --overwrite mr {} {}", kName, annotation));
}

std::string MysqlAcceptance::last_operation() { return ok(status("lastOperation")); }

std::string MysqlAcceptance::lost_transactions() { return ok(status("lostTransactions")); }

std::string MysqlAcceptance::label_of(const std::string& member) {
  return ok(fmt::format(
      "get pod {} -o jsonpath={{.metadata.labels.compose-operator/mysql-replication\\.readonly}}",
      member));
}

}  // namespace troupe::e2e
