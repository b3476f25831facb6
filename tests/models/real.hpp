// Real servers with real agents, on loopback (tests/db/agent_unit.hpp).
#pragma once

#include <array>
#include <future>
#include <memory>

#include "engines/mysql/model/probe.hpp"
#include "tests/db/agent_unit.hpp"
#include "tests/models/servers.hpp"

namespace troupe::models {

class Real final : public Servers {
 public:
  // `expected` are the lines of the same scenario on the models: nothing announces that real
  // servers are at rest, so they are looked at until they show what is expected, or for a minute.
  explicit Real(std::vector<std::string> expected);
  ~Real() override;

  void write(int server) override;
  void kill(int server) override;
  void pause(int server, bool paused) override;
  void purge(int server) override;
  void hold_applier(int member, bool held) override;

 private:
  struct Member {
    std::unique_ptr<agent::testing::Unit> unit;
    std::unique_ptr<mysql::testing::Client> holder;  // of a lock that the applier waits for
    pid_t stopped = 0;
  };
  // As the operator's monitor: a session that stays, and what the text of its probe depends on.
  struct Watch {
    std::unique_ptr<mysql::testing::Client> client;
    mysql::ProbeShape shape;
  };
  std::string answer(int member, const Command& command) override;
  std::string picture(Duration after) override;
  void make_table(int server) override;
  void add_outside() override;
  // What the next line should be; empty: none.
  std::string_view expected() const;
  agent::Action action_of(int member, const Command& command) const;
  agent::StartGroup start_group(int member, bool bootstrap) const;
  agent::ReplicationSource source_called(const std::string& name) const;
  mysql::Login login(int server) const;         // of who may see and do everything
  mysql::Login client_login(int server) const;  // as an application
  // By the operator's own probe.
  std::optional<mysql::MemberObservation> see(int server);
  int member_at(const mysql::ReplicaStatus& replica) const override;
  std::string try_to_look();

  const std::vector<std::string> expected_;
  const agent::CertifiedKey authority_;
  std::vector<Member> members_;
  std::optional<mysql::testing::Mysqld> outside_;
  std::array<Watch, kMembers + 1> watches_;
  bool outside_is_paused_ = false;
  std::vector<std::future<bool>> writes_;
  std::size_t told_ = 0;
  int rows_ = 0;
};

}  // namespace troupe::models
