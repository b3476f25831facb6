// An HTTP server for tests of the client: each request runs a script, on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "k8s/client/config.hpp"

namespace troupe::k8s::test {

struct ServerRequest {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;
  std::string body;
  std::size_t connection = 0;  // the how manieth connection it came on, from 0
};

// What the script may do with a request. Blocking.
class ServerExchange {
 public:
  virtual ~ServerExchange() = default;
  using Headers = std::map<std::string, std::string>;
  virtual void respond(int status, std::string_view body, const Headers& headers = {}) = 0;
  // A chunked response; false once the client has gone.
  virtual void begin_stream() = 0;
  virtual bool write(std::string_view chunk) = 0;
  virtual void end_stream() = 0;
  // Until the client closes the connection, or the server stops.
  virtual void await_client_close() = 0;
  // Breaks the connection without an answer.
  virtual void reset() = 0;
};

using Script = std::function<void(const ServerRequest&, ServerExchange&)>;

// A certificate made at run time, for `name` (a DNS name or an address), with its authority.
struct TlsIdentity {
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
};
TlsIdentity make_identity(const std::string& name);

class ScriptedServer {
 public:
  explicit ScriptedServer(Script script);
  ScriptedServer(Script script, const TlsIdentity& identity);
  ~ScriptedServer();

  std::uint16_t port() const;
  // How to reach it.
  ClientConfig config() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::k8s::test
