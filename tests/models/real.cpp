#include "tests/models/real.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace troupe::models {
namespace {

using mysql::testing::Client;
using std::chrono::seconds;

constexpr seconds kComesToRest{60};
constexpr seconds kProbeDeadline{2};
constexpr auto kHost = "127.0.0.1";
constexpr auto kAdmin = "watcher";
constexpr auto kOutsideUser = "outside";
constexpr std::uint32_t kOutsideId = 77;
constexpr auto kGroup = "0b2e9c4a-7d51-4a53-8a5f-3f1f0c6f3c11";

agent::EnsureAccounts accounts() {
  using agent::GrantSet;
  const auto account = [](const char* user, std::vector<GrantSet> grants) {
    return agent::Account{
        .user = user, .password = Secret(agent::testing::kPassword), .grants = std::move(grants)};
  };
  return {
      {account(agent::testing::kReplicationUser, {GrantSet::Replication, GrantSet::GroupMember}),
       account(agent::testing::kDonorUser, {GrantSet::CloneDonor}),
       account(agent::testing::kAppUser, {GrantSet::Provision}),
       account(kAdmin, {GrantSet::Admin})}};
}

// Nothing is seen of one that takes too long.
std::nullopt_t silence(const mysql::ServerError& failed) {
  if (failed.reachability != mysql::Reachability::Timeout) throw std::runtime_error(failed.message);
  return std::nullopt;
}

}  // namespace

Real::Real(std::vector<std::string> expected)
    : Servers(kGroup),
      expected_(std::move(expected)),
      authority_(*agent::make_authority("troupe", SystemClock().wall())) {
  std::map<std::string, Member> by_uuid;
  for (int i = 0; i < kMembers; ++i) {
    auto unit = std::make_unique<agent::testing::Unit>(
        "db-" + std::to_string(i), authority_,
        std::vector<std::string>{fmt::format("TROUPE_REPORT_HOST={}", kHost)});
    unit->bring_up();
    unit->must<agent::AccountsEnsured>({}, accounts());
    const auto uuid = Client(unit->login(kAdmin)).value("SELECT @@server_uuid");
    by_uuid[uuid] = {.unit = std::move(unit), .holder = nullptr};
  }
  // A group elects by their order.
  for (auto& [uuid, member] : by_uuid) members_.push_back(std::move(member));
}

// The servers go first: writes that wait for an acknowledgement end then.
Real::~Real() {
  outside_.reset();
  for (auto& m : members_) {
    if (m.stopped != 0) ::kill(m.stopped, SIGCONT);
    m.holder.reset();
    m.unit.reset();
  }
}

void Real::add_outside() {
  outside_.emplace(kOutsideId, std::vector<std::string>{"--plugin-load-add=mysql_clone.so"});
  Client client(outside_->admin());
  client.run("SET sql_log_bin = 0");
  client.run(fmt::format("CREATE USER {}@'%' IDENTIFIED BY '{}'", kOutsideUser,
                         agent::testing::kPassword));
  client.run(fmt::format("GRANT REPLICATION SLAVE, BACKUP_ADMIN ON *.* TO {}@'%'", kOutsideUser));
}

mysql::Login Real::login(int server) const {
  return server == kOutside ? outside_->admin()
                            : members_[static_cast<std::size_t>(server)].unit->login(kAdmin);
}

mysql::Login Real::client_login(int server) const {
  return server == kOutside ? outside_->admin()
                            : members_[static_cast<std::size_t>(server)].unit->login();
}

void Real::make_table(int server) {
  Client client(client_login(server));
  client.run("CREATE DATABASE app");
  client.run("CREATE TABLE app.t (i INT PRIMARY KEY)");
  if (server != kOutside) told_ += 2;
}

void Real::write(int server) {
  const auto insert = fmt::format("INSERT INTO app.t VALUES ({})", ++rows_);
  if (server == kOutside) {
    Client(outside_->admin()).run(insert);
    return;
  }
  writes_.push_back(std::async(std::launch::async, [insert, as = client_login(server)] {
    try {
      return Client(as)
          .execute({mysql::testing::sql(insert)}, std::chrono::minutes(10))
          .has_value();
    } catch (const std::exception&) {
      return false;  // it could not connect
    }
  }));
}

void Real::kill(int server) {
  if (server != kOutside) return members_[static_cast<std::size_t>(server)].unit->kill_database();
  outside_->kill();
  outside_->restart();
}

void Real::pause(int server, bool paused) {
  if (server == kOutside) {
    outside_->signal(paused ? SIGSTOP : SIGCONT);
    outside_is_paused_ = paused;
    return;
  }
  auto& m = members_[static_cast<std::size_t>(server)];
  if (paused) m.stopped = static_cast<pid_t>(m.unit->seen()->process.pid);
  ::kill(m.stopped, paused ? SIGSTOP : SIGCONT);
  if (!paused) m.stopped = 0;
}

void Real::purge(int server) {
  Client client(login(server));
  client.run("FLUSH BINARY LOGS");
  // A file that is still being sent to a replica stays, with a warning.
  const auto purged = support::eventually(kComesToRest, [&] {
    client.run(fmt::format("PURGE BINARY LOGS TO '{}'", client.value("SHOW BINARY LOG STATUS")));
    return client.value("SELECT GTID_SUBTRACT(@@gtid_executed, @@gtid_purged)").empty();
  });
  if (!purged) throw std::runtime_error(name_of(server) + " does not purge its binary logs");
}

void Real::hold_applier(int member, bool held) {
  auto& m = members_[static_cast<std::size_t>(member)];
  if (!held) return m.holder.reset();
  m.holder = std::make_unique<Client>(login(member));
  m.holder->run("LOCK TABLES app.t READ");
}

agent::ReplicationSource Real::source_called(const std::string& name) const {
  if (name != name_of(kOutside))
    return members_[static_cast<std::size_t>(name.at(0) - 'a')].unit->as_source();
  return {.host = kHost,
          .port = outside_->port(),
          .user = kOutsideUser,
          .password = Secret(agent::testing::kPassword),
          .tls = true};
}

agent::StartGroup Real::start_group(int member, bool bootstrap) const {
  const auto address = [](const Member& m) { return fmt::format("{}:{}", kHost, m.unit->port()); };
  agent::StartGroup out{.group_name = group(),
                        .local_address = address(members_[static_cast<std::size_t>(member)]),
                        .members = {},
                        .user = agent::testing::kReplicationUser,
                        .password = Secret(agent::testing::kPassword),
                        .own_authorities = true,
                        .bootstrap = bootstrap};
  for (const auto& m : members_) out.members.push_back(address(m));
  return out;
}

agent::Action Real::action_of(int member, const Command& c) const {
  switch (c.verb) {
    case Verb::StopReceiver:
      return agent::StopReceiver{};
    case Verb::Drain:
      return agent::Drain{c.gtids.to_string()};
    case Verb::Promote:
      return agent::Promote{.acks = c.acks, .semi_sync = c.semi_sync};
    case Verb::Open:
      return agent::OpenForWrites{.acks = c.acks, .semi_sync = c.semi_sync};
    case Verb::Follow:
      return agent::Follow{.source = source_called(c.peer), .semi_sync = c.semi_sync};
    case Verb::Close:
      return agent::Close{.kill_if_blocked = c.kill_if_blocked, .grace = seconds(1)};
    case Verb::Clone:
      return agent::Clone{
          .donor_host = kHost,
          .donor_port = source_called(c.peer).port,
          .donor_user = c.peer == name_of(kOutside) ? kOutsideUser : agent::testing::kDonorUser,
          .donor_password = Secret(agent::testing::kPassword),
          .replace_data = true};
    case Verb::StartGroup:
      return start_group(member, c.bootstrap);
    case Verb::StopGroup:
      return agent::StopGroup{};
    case Verb::SetGroupPrimary:
      return agent::SetGroupPrimary{};
    case Verb::EnsureAccounts:
      return accounts();
    case Verb::InspectSource:
      return agent::InspectSource{source_called(c.peer)};
    case Verb::SaveTransactions:
      break;
  }
  throw std::logic_error("no scenario has this order");
}

std::string_view Real::expected() const {
  return lines().size() < expected_.size() ? std::string_view(expected_[lines().size()]) : "";
}

// An agent asks for another try as long as it knows no server, or that of another life only.
std::string Real::answer(int member, const Command& command) {
  auto& unit = *members_[static_cast<std::size_t>(member)].unit;
  const auto again = to_string(Code::Retry);
  std::string ended;
  support::eventually(kComesToRest, [&] {
    const auto reply =
        unit.order(command.epoch, action_of(member, command), patience(command.verb));
    ended = reply ? "done" : to_string(reply.error().code);
    return ended != again || expected().ends_with(again);
  });
  return ended;
}

std::optional<mysql::MemberObservation> Real::see(int server) {
  if (server == kOutside ? outside_is_paused_
                         : members_[static_cast<std::size_t>(server)].stopped != 0)
    return std::nullopt;
  auto& [client, shape] = watches_[static_cast<std::size_t>(server)];
  const auto ask = [&](std::vector<mysql::Statement> statements) {
    auto answers = client->execute(std::move(statements), kProbeDeadline);
    if (!answers) client.reset();
    return answers;
  };
  if (!client) {
    client = std::make_unique<Client>(login(server));
    const auto hello = ask({mysql::hello_statement()});
    if (!hello) return silence(hello.error());
    shape = mysql::decode_hello(hello->front()).value().shape;
  }
  const auto asked = mysql::probe_statements(shape);
  const auto answers = ask({asked.begin(), asked.end()});
  if (!answers) return silence(answers.error());
  auto probed = mysql::decode_probe({name_of(server)}, shape, *answers).value();
  shape = probed.shape;
  return std::move(probed.observation);
}

int Real::member_at(const mysql::ReplicaStatus& replica) const {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) {
    return m.unit->port() == replica.source_port;
  });
  return static_cast<int>(found - members_.begin());
}

std::string Real::try_to_look() {
  try {
    Seen all;
    for (int i = 0; i < size(); ++i) all.push_back(see(i));
    std::erase_if(writes_, [this](auto& write) {
      if (write.wait_for(seconds(0)) != std::future_status::ready) return false;
      told_ += write.get() ? 1 : 0;
      return true;
    });
    return draw(all, told_);
  } catch (const std::exception& e) {
    return std::string("cannot be looked at: ") + e.what();  // a server that starts
  }
}

std::string Real::picture(Duration) {
  std::string last;
  support::eventually(kComesToRest, [&] { return (last = try_to_look()) == expected(); });
  return last;
}

}  // namespace troupe::models
