// The operator's HTTP/1.1 endpoint, on one thread of its own.
//
// Bounded in every direction: connections, header, body, streams, the time a client may take for a
// request and a handler for its answer. Handlers run on the server's thread and answer through a
// Responder, then or later. Responses carry security headers; nothing here allows other origins.
// No TLS: metrics and probes are scraped inside the cluster, and the console is guarded (see
// http_access.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/http_access.hpp"
#include "runtime/http_router.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::http {

// Runs `task` on the server's thread after a delay; thread-safe; does nothing once the server has
// stopped.
using Schedule = std::function<void(Duration delay, std::function<void()> task)>;

struct ServerOptions {
  std::string listen = "127.0.0.1:8080";  // ":8080" is every address of both families
  Authorizer authorizer;                  // without one, only trusted loopback peers get in
  Duration reply_deadline = std::chrono::seconds(10);    // of a handler, then 504
  Duration request_deadline = std::chrono::seconds(30);  // of a client, idle keep-alive included
  Duration write_deadline = std::chrono::seconds(10);
  Duration heartbeat = std::chrono::seconds(15);  // of an event stream: finds dead clients
  std::size_t max_connections = 256;              // beyond, 503
  std::size_t max_streams = 64;                   // part of the connections; beyond, 503
};

struct ServerTotals {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;  // answered 5xx
  std::uint64_t refused_connections = 0;
  std::uint64_t refused_streams = 0;
  std::uint64_t connections = 0;  // now, as the next
  std::uint64_t streams = 0;
  std::uint64_t max_connections = 0;
  std::uint64_t max_streams = 0;
};

class Server {
 public:
  explicit Server(ServerOptions options);
  // Waits for the handler that runs, then closes everything. Later answers are dropped.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // To be filled before start().
  Router& router();
  // Binds, then serves on its own thread. Error: the address cannot be used.
  Result<void> start();

  std::uint16_t port() const;  // where it listens, once started
  ServerTotals totals() const;
  Schedule schedule() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;  // Responders hold it weakly
};

}  // namespace troupe::http
