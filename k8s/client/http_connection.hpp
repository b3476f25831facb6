// One HTTP/1.1 connection to an API server, plain or TLS, one exchange at a time.
//
// Private to HttpTransport. Everything runs on the context's one thread. A connection lives as long
// as somebody holds it or a socket operation is pending; close() ends both quietly.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "k8s/client/transport.hpp"

namespace troupe::k8s::internal {

struct Endpoint {
  std::string host;
  std::uint16_t port = 443;
  std::string server_name;  // the name that the certificate must bear
};

struct HttpExchange {
  Method method = Method::Get;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct ResponseHead {
  int status = 0;
  std::optional<Duration> retry_after;
};

// Receives one response. Body fragments are views into the connection's receive buffer, valid until
// on_read returns, with kJsonPadding readable bytes behind the buffer.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  virtual void on_head(const ResponseHead& head) = 0;
  // False: the response is too large; the exchange fails.
  virtual bool on_body(std::string_view fragment) = 0;
  // All that one read of the socket brought has been handed over.
  virtual void on_read(std::size_t bytes) = 0;
  // `failure` is empty when the response is complete; then the connection may be used again if
  // reusable() says so.
  virtual void on_done(std::optional<Failure> failure) = 0;
};

class Connection {
 public:
  using Connected = std::function<void(std::optional<Error>)>;

  // `tls` null: plain HTTP. It must demand verification; the name is checked here.
  static std::shared_ptr<Connection> make(boost::asio::io_context& io,
                                          std::shared_ptr<boost::asio::ssl::context> tls,
                                          Endpoint endpoint);
  virtual ~Connection() = default;

  virtual void connect(Connected done) = 0;
  virtual void exchange(HttpExchange request, std::shared_ptr<ResponseSink> sink) = 0;
  virtual bool reusable() const = 0;
  // While it lies idle: `closed` runs when the server closes it.
  virtual void await_close(std::function<void()> closed) = 0;
  // Nothing is called back any more.
  virtual void close() = 0;
};

// "3" (seconds), as API servers send it; anything else is nothing.
std::optional<Duration> parse_retry_after(std::string_view value);

}  // namespace troupe::k8s::internal
