// The unit agent: takes commands one after another and keeps its board up to date.
//
// One fenced command runs at a time. A command with a higher epoch, and a Close of the same, cuts
// the running one short and waits for its end; before the next begins, whatever statement it left
// in the server is killed (LocalMysql::settle). KillProcess and StopProcess cut short whatever
// runs.
//
// By itself it does two things to the database: it closes a member that nobody directs and that
// cannot commit (model/self_fence.hpp), and it closes it before the container ends.
//
// Threads: `execute` blocks its caller and may be called from several threads at once; the agent
// owns one I/O thread for the supervisor's socket and the local sessions, one housekeeper, and one
// that watches the lease.
#pragma once

#include <memory>

#include "engines/agent/model/command.hpp"
#include "engines/agent/server/board.hpp"
#include "engines/agent/server/settings.hpp"
#include "engines/agent/server/work.hpp"

namespace troupe::agent {

class Agent {
 public:
  // Takes the data volume (a lock file on it): a second agent on the same volume is refused.
  static Result<std::unique_ptr<Agent>> start(AgentSettings settings);
  ~Agent();

  Result<Reply> execute(const Command& command, Work& work);
  Board& board();
  const AgentSettings& settings() const;

  // Whether an operator's stream is open: someone who may order a hand-over when the Pod ends.
  void operator_connected(bool connected);
  // By an operator that leads (model/self_fence.hpp).
  void renew_lease();

 private:
  class Impl;
  explicit Agent(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::agent
