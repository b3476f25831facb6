#include "tests/e2e/mysql_acceptance.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe::e2e {
namespace {

constexpr auto kName = "mysql-cluster-replication";

std::string status(std::string_view field) {
  return fmt::format("get mr {} -o jsonpath={{.status.{}}}", kName, field);
}

}  // namespace

MysqlAcceptance::~MysqlAcceptance() {
  for (const auto& take_back : to_take_back_) take_back();
}

std::vector<std::string> MysqlAcceptance::replicas() {
  auto names = mysql().members();
  std::erase(names, source());
  return names;
}

void MysqlAcceptance::keep(std::optional<oracle::TakeBack> done, const std::string& what) {
  ASSERT_TRUE(done) << "cannot be done: " << what;
  to_take_back_.push_back(std::move(*done));
}

void MysqlAcceptance::part(const std::string& one, const std::string& other) {
  keep(oracle::part(mysql().pod(one), mysql().pod(other)), "to part " + one + " and " + other);
}

void MysqlAcceptance::lose_sight_of(const std::string& member) {
  keep(oracle::lose_sight_of(mysql().pod(member)), "to lose sight of " + member);
}

void MysqlAcceptance::fill_volume(const std::string& member, std::uint64_t bytes_left) {
  keep(oracle::fill_volume(mysql(), member, bytes_left), "to fill the volume of " + member);
}

void MysqlAcceptance::heal() {
  for (const auto& take_back : std::exchange(to_take_back_, {})) EXPECT_TRUE(take_back());
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
  const auto done = mysql().annotate(annotation);
  ASSERT_EQ(done.status, 0) << done.err;
}

std::string MysqlAcceptance::last_operation() { return ok(status("lastOperation")); }

std::string MysqlAcceptance::lost_transactions() { return ok(status("lostTransactions")); }

std::string MysqlAcceptance::label_of(const std::string& member) {
  return ok(fmt::format(
      "get pod {} -o jsonpath={{.metadata.labels.compose-operator/mysql-replication\\.readonly}}",
      member));
}

}  // namespace troupe::e2e
