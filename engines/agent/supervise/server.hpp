// troupe-supervise's main loop: process 1 of the database's container and the database's only
// parent.
//
// One thread, one poll loop: the socket that the agent talks to, signals, the database, at most one
// other command at a time (mysqld --initialize). Orphans are reaped. While a database runs its
// /proc/PID/stat is read every 4 ms, and a change is pushed to every peer at once.
//
// On SIGTERM it reports that the container ends and waits for the agent's Release, which says
// whether the database may end gracefully; without one it kills the database when only `reserve` of
// the grace period is left, because a graceful end would let waiting commits be acknowledged.
//
// Peers: root and this process's own user (SO_PEERCRED); the socket's directory belongs to this
// user and is closed to others.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engines/agent/supervise/database.hpp"

namespace troupe::agent::supervise {

struct ServerOptions {
  std::string socket_path;
  // The Pod's terminationGracePeriodSeconds, and what of it is kept for the database's own end.
  std::chrono::milliseconds grace{30'000};
  std::chrono::milliseconds reserve{10'000};
  std::function<void(const std::string&)> log;
};

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();

  // Serves until the container has to end and the database has ended. The process's exit status.
  int run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::agent::supervise
