// The simulated API server on a socket: HTTP/1.1 with keep-alive, TLS, chunked watches, and the
// WebSocket streams of exec, attach and port-forward.
//
// Runs on one io_context that one thread runs; the ApiServer is called on it. Everything a client
// can make grow has a bound: body and header sizes, buffers of watches and streams, connections.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/certificate.hpp"
#include "k8s/sim/node_api.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  // Without it the server speaks plain HTTP.
  const ServingCertificate* certificate = nullptr;
};

class Server {
 public:
  // `api`, `clock` and the io_context must outlive the server.
  Server(boost::asio::io_context& io, ApiServer& api, const Clock& clock);
  ~Server();

  // Who serves logs, exec and port-forward; null, as before, makes them answer 501.
  void set_node_api(NodeApi* node);

  // Binds and begins to accept. Errors: Code::Fatal, with the address and what to do.
  Result<void> listen(const ServerOptions& options);
  std::uint16_t port() const;
  // Closes the listening socket and every connection.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
