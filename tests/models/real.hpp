// Real servers with real agents, on loopback (tests/db/agent_unit.hpp).
#pragma once

#include <future>
#include <memory>

#include "tests/db/agent_unit.hpp"
#include "tests/models/servers.hpp"

namespace troupe::models {

class Real final : public Servers {
 public:
  // `expected` are the lines of the same scenario on the models: nothing announces that real
  // servers are at rest, so they are looked at until they show what is expected, or for half a
  // minute.
  explicit Real(std::vector<std::string> expected);
  ~Real() override;

  void write(int member) override;
  void kill(int member) override;
  void pause(int member, bool paused) override;
  void hold_applier(int member, bool held) override;

 private:
  struct Member {
    std::unique_ptr<agent::testing::Unit> unit;
    std::unique_ptr<mysql::testing::Client> holder;  // of a lock that the applier waits for
    pid_t stopped = 0;
  };
  std::string answer(int member, const Command& command) override;
  std::string picture() override;
  void make_table(int member) override;
  agent::Action action_of(const Command& command);
  mysql::Login login(int member) const;
  // By the operator's own probe.
  std::optional<mysql::MemberObservation> see(int member);
  int member_at(const mysql::ReplicaStatus& replica) const override;
  std::string try_to_look();

  const std::vector<std::string> expected_;
  std::vector<Member> members_;
  std::vector<std::future<bool>> writes_;
  std::size_t told_ = 0;
  int rows_ = 0;
};

}  // namespace troupe::models
