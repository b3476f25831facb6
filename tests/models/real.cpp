#include "tests/models/real.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <stdexcept>

#include "engines/mysql/model/probe.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::models {
namespace {

using mysql::testing::Client;
using std::chrono::seconds;

constexpr seconds kPatience{5};
constexpr seconds kRest{30};
constexpr auto kAdmin = "admin";

}  // namespace

Real::Real(std::vector<std::string> expected) : expected_(std::move(expected)) {
  for (int i = 0; i < kMembers; ++i) {
    auto unit = std::make_unique<agent::testing::Unit>("db-" + std::to_string(i));
    unit->bring_up();
    unit->must<agent::AccountsEnsured>(
        {}, agent::EnsureAccounts{{{.user = kAdmin,
                                    .password = Secret(agent::testing::kPassword),
                                    .grants = {agent::GrantSet::Admin}}}});
    members_.push_back({.unit = std::move(unit), .holder = nullptr});
  }
}

// The servers go first: writes that wait for an acknowledgement end then.
Real::~Real() {
  for (auto& m : members_) {
    if (m.stopped != 0) ::kill(m.stopped, SIGCONT);
    m.holder.reset();
    m.unit.reset();
  }
}

mysql::Login Real::login(int member) const {
  return members_[static_cast<std::size_t>(member)].unit->login(kAdmin);
}

void Real::make_table(int member) {
  Client client(members_[static_cast<std::size_t>(member)].unit->login());
  client.run("CREATE DATABASE app");
  client.run("CREATE TABLE app.t (i INT PRIMARY KEY)");
  told_ += 2;
}

void Real::write(int member) {
  const auto insert = fmt::format("INSERT INTO app.t VALUES ({})", ++rows_);
  const auto as = members_[static_cast<std::size_t>(member)].unit->login();
  writes_.push_back(std::async(std::launch::async, [insert, as] {
    try {
      return Client(as)
          .execute({mysql::testing::sql(insert)}, std::chrono::minutes(10))
          .has_value();
    } catch (const std::exception&) {
      return false;  // it could not connect
    }
  }));
}

void Real::kill(int member) { members_[static_cast<std::size_t>(member)].unit->kill_database(); }

void Real::pause(int member, bool paused) {
  auto& m = members_[static_cast<std::size_t>(member)];
  if (paused) m.stopped = static_cast<pid_t>(m.unit->seen()->process.pid);
  ::kill(m.stopped, paused ? SIGSTOP : SIGCONT);
  if (!paused) m.stopped = 0;
}

void Real::hold_applier(int member, bool held) {
  auto& m = members_[static_cast<std::size_t>(member)];
  if (!held) return m.holder.reset();
  m.holder = std::make_unique<Client>(login(member));
  m.holder->run("LOCK TABLES app.t READ");
}

agent::Action Real::action_of(const Command& c) {
  const auto peer = [&]() -> agent::testing::Unit& {
    return *members_[static_cast<std::size_t>(c.peer.at(0) - 'a')].unit;
  };
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
      return agent::Follow{.source = peer().as_source(), .semi_sync = c.semi_sync};
    case Verb::Close:
      return agent::Close{.kill_if_blocked = c.kill_if_blocked, .grace = seconds(1)};
    case Verb::Clone:
      return agent::Clone{.donor_host = "127.0.0.1",
                          .donor_port = peer().port(),
                          .donor_user = agent::testing::kDonorUser,
                          .donor_password = Secret(agent::testing::kPassword),
                          .replace_data = true};
    default:
      throw std::logic_error("no scenario has this order");
  }
}

std::string Real::answer(int member, const Command& command) {
  // A clone takes as long as it takes.
  const auto limit = command.verb == Verb::Clone ? seconds(120) : kPatience;
  const auto reply = members_[static_cast<std::size_t>(member)].unit->order(
      command.epoch, action_of(command), limit);
  return reply ? "done" : std::string(to_string(reply.error().code));
}

std::optional<mysql::MemberObservation> Real::see(int member) {
  const auto& m = members_[static_cast<std::size_t>(member)];
  if (m.stopped != 0) return std::nullopt;
  Client client(login(member));
  const auto hello = mysql::decode_hello(client.run(mysql::hello_statement())).value();
  const auto asked = mysql::probe_statements(hello.shape);
  const auto answers = client.execute({asked.begin(), asked.end()}).value();
  return mysql::decode_probe({name_of(member)}, hello.shape, answers).value().observation;
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
    for (int i = 0; i < kMembers; ++i) all.push_back(see(i));
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

std::string Real::picture() {
  const auto expected = lines().size() < expected_.size() ? expected_[lines().size()] : "";
  std::string last;
  support::eventually(kRest, [&] { return (last = try_to_look()) == expected; });
  return last;
}

}  // namespace troupe::models
