// A TCP proxy on a loopback port that can be cut: how a test takes the API server away from one
// client only. Threads of its own; errors of a connection end that connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <thread>

namespace troupe::e2e {

class SeverableProxy {
 public:
  explicit SeverableProxy(std::uint16_t target_port);
  ~SeverableProxy();
  SeverableProxy(const SeverableProxy&) = delete;
  SeverableProxy& operator=(const SeverableProxy&) = delete;

  std::uint16_t port() const { return port_; }
  // Ends all connections, and new ones as soon as they are made.
  void sever();
  void restore() { severed_ = false; }

 private:
  void accept_all();
  void carry(int client);

  const std::uint16_t target_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> severed_{false};
  std::mutex mutex_;
  std::list<int> open_;  // client sockets
  std::list<std::thread> carriers_;
  std::thread acceptor_;
};

}  // namespace troupe::e2e
