// Accounts of this member: made here, not replicated, so that a new member's GTID set stays empty.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "engines/agent/server/mysql_member.hpp"

namespace troupe::agent {
namespace {

using mysql::AccountPurpose;
using mysql::Statement;
using mysql::StatementBuilder;

constexpr std::size_t kMaxAccounts = 64;

constexpr std::array<std::string_view, 3> kMonitor{"PROCESS", "REPLICATION CLIENT", "SELECT"};
// Stays connected while a server is offline, and takes over its peers' connections.
constexpr std::array<std::string_view, 4> kGroupMember{
    "BACKUP_ADMIN", "CONNECTION_ADMIN", "GROUP_REPLICATION_STREAM", "REPLICATION SLAVE"};
constexpr std::array<std::string_view, 9> kBackup{
    "BACKUP_ADMIN", "EVENT",     "RELOAD",  "REPLICATION CLIENT",      "REPLICATION SLAVE",
    "SELECT",       "SHOW VIEW", "TRIGGER", "SERVICE_CONNECTION_ADMIN"};
constexpr std::array<std::string_view, 25> kProvision{"ALTER",
                                                      "ALTER ROUTINE",
                                                      "CREATE",
                                                      "CREATE ROLE",
                                                      "CREATE ROUTINE",
                                                      "CREATE TEMPORARY TABLES",
                                                      "CREATE USER",
                                                      "CREATE VIEW",
                                                      "DELETE",
                                                      "DROP",
                                                      "DROP ROLE",
                                                      "EVENT",
                                                      "EXECUTE",
                                                      "INDEX",
                                                      "INSERT",
                                                      "LOCK TABLES",
                                                      "PROCESS",
                                                      "REFERENCES",
                                                      "REPLICATION CLIENT",
                                                      "REPLICATION SLAVE",
                                                      "SELECT",
                                                      "SHOW DATABASES",
                                                      "SHOW VIEW",
                                                      "TRIGGER",
                                                      "UPDATE"};

std::vector<std::string_view> privileges_of(GrantSet set) {
  const auto purpose = [](AccountPurpose one) { return mysql::privileges_of(std::array{one}); };
  switch (set) {
    case GrantSet::Probe:
      return purpose(AccountPurpose::Probe);
    case GrantSet::Replication:
      return purpose(AccountPurpose::Replication);
    case GrantSet::CloneDonor:
      return purpose(AccountPurpose::CloneDonor);
    case GrantSet::Monitor:
      return {kMonitor.begin(), kMonitor.end()};
    case GrantSet::Backup:
      return {kBackup.begin(), kBackup.end()};
    case GrantSet::Provision:
      return {kProvision.begin(), kProvision.end()};
    case GrantSet::GroupMember:
      return {kGroupMember.begin(), kGroupMember.end()};
    case GrantSet::Admin:
      break;
  }
  return {};
}

bool has(const Account& account, GrantSet set) {
  return std::find(account.grants.begin(), account.grants.end(), set) != account.grants.end();
}

bool may_pass_on(const Account& account) {
  return has(account, GrantSet::Admin) || has(account, GrantSet::Provision);
}

std::set<std::string_view> needed(const Account& account) {
  std::set<std::string_view> all;
  for (const auto set : account.grants) {
    const auto some = privileges_of(set);
    all.insert(some.begin(), some.end());
  }
  return all;
}

Statement grant_statement(const Account& account) {
  if (has(account, GrantSet::Admin)) return mysql::grant_all(account.user, account.host);
  const auto privileges = needed(account);
  return StatementBuilder()
      .sql(fmt::format("GRANT {} ON *.* TO ", privileges.empty()
                                                  ? "USAGE"
                                                  : fmt::format("{}", fmt::join(privileges, ", "))))
      .account(account.user, account.host)
      .sql(may_pass_on(account) ? " WITH GRANT OPTION" : "")
      .build();
}

}  // namespace

Result<Reply> MysqlMember::run(const EnsureAccounts& command, Work& work) {
  if (command.accounts.size() > kMaxAccounts) {
    return error(Code::Invalid, fmt::format("more than {} accounts", kMaxAccounts));
  }
  AccountsEnsured ensured;
  for (const auto& account : command.accounts) {
    if (account.user.empty() || account.password.empty() || account.user == kLocalUser) {
      return error(Code::Invalid, fmt::format("the account \"{}\" needs a name of its own and a "
                                              "password",
                                              account.user));
    }
    const auto right = is_right(account, work);
    if (!right) return right.error();
    if (*right) continue;
    if (auto mended = mend_account(account, work); !mended) return mended.error();
    ensured.changed.push_back(account.user + "@" + account.host);
  }
  auto message = ensured.changed.empty()
                     ? std::string("all accounts were right")
                     : fmt::format("changed {}", fmt::join(ensured.changed, ", "));
  return Reply{std::move(ensured), std::move(message)};
}

Result<bool> MysqlMember::is_right(const Account& account, Work& work) {
  const auto rows = database_.query(StatementBuilder()
                                        .sql("SELECT PRIVILEGE_TYPE AS privilege, IS_GRANTABLE AS "
                                             "grantable FROM information_schema.USER_PRIVILEGES "
                                             "WHERE GRANTEE = ")
                                        .literal("'" + account.user + "'@'" + account.host + "'")
                                        .build(),
                                    work);
  if (!rows) return rows.error();
  std::set<std::string, std::less<>> held;
  bool grantable = false;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    held.insert((*rows)[i].text("privilege"));
    grantable = grantable || (*rows)[i].flag("grantable").value_or(false);
  }
  const auto wanted = needed(account);
  const bool granted =
      (!has(account, GrantSet::Admin) || held.contains("SUPER")) &&
      std::all_of(wanted.begin(), wanted.end(), [&](auto one) { return held.contains(one); }) &&
      (!may_pass_on(account) || grantable);
  if (held.empty() || !granted) return false;
  return database_.password_works(account.user, account.password, work);
}

// A member that is a replica is closed even to administrators: it is opened to them, and to nobody
// else, for these statements.
Result<void> MysqlMember::mend_account(const Account& account, Work& work) {
  const auto before = identity(work);
  if (!before) return before.error();
  std::vector<Statement> statements;
  if (before->super_read_only)
    statements.push_back(mysql::set_global({{"super_read_only", false}}));
  statements.push_back(mysql::set_session_binlog(false));
  statements.push_back(mysql::create_user(account.user, account.host, account.password));
  statements.push_back(mysql::alter_user_password(account.user, account.host, account.password));
  statements.push_back(StatementBuilder()
                           .sql("ALTER USER ")
                           .account(account.user, account.host)
                           .sql(" ACCOUNT UNLOCK")
                           .build());
  statements.push_back(grant_statement(account));
  statements.push_back(mysql::set_session_binlog(true));
  const auto done = database_.execute(std::move(statements), work, std::chrono::seconds(10));
  if (before->super_read_only) {
    Work last_word(std::chrono::seconds(10));
    auto closed = run_statement(mysql::set_super_read_only(true), last_word);
    if (!closed) return closed;
  }
  if (!done) return to_error(done.error());
  return {};
}

}  // namespace troupe::agent
