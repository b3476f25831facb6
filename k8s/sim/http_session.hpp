// One client's connection: its requests in order, until it closes or turns into a stream. Private
// to the server's sources.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>

#include "k8s/sim/api/api_server.hpp"
#include "k8s/sim/node_api.hpp"
#include "k8s/sim/transport.hpp"

namespace troupe::sim {

namespace beast = boost::beast;
namespace http = beast::http;

using HttpRequest = http::request<http::string_body>;
template <class T = void>
using Task = asio::awaitable<T>;

struct ServerContext {
  ApiServer& api;
  const Clock& clock;
  NodeApi* node = nullptr;
};

// Answers requests until the connection ends. Never throws.
Task<> serve_connection(std::shared_ptr<Transport> transport,
                        std::shared_ptr<ServerContext> context);

Task<> write_response(Transport& transport, const HttpRequest& request, Response response,
                      bool keep_alive);

// Answers with an error, and the connection is over. (An error is made before the co_await: GCC 12
// miscompiles aggregates that are made within one.)
Task<> refuse(Transport& transport, const HttpRequest& request, const ApiError& error);

// A 200 without a length, for watches and logs; bodies follow in chunks.
Task<> write_stream_header(Transport& transport, std::string_view content_type);
Task<> write_chunk(Transport& transport, std::string_view bytes);
Task<> write_last_chunk(Transport& transport);

// Becomes ready when the client closes (or sends what nobody asked for).
Task<> wait_for_close(Transport& transport);

// Each serves one request and then the connection is over.
Task<> serve_watch(std::shared_ptr<Transport> transport, std::shared_ptr<ServerContext> context,
                   const HttpRequest& http_request, const Request& request);
Task<> serve_logs(std::shared_ptr<Transport> transport, std::shared_ptr<ServerContext> context,
                  const HttpRequest& http_request, const NodeCall& call);
Task<> serve_exec(std::shared_ptr<Transport> transport, std::shared_ptr<ServerContext> context,
                  const HttpRequest& http_request, const NodeCall& call);
Task<> serve_port_forward(std::shared_ptr<Transport> transport,
                          std::shared_ptr<ServerContext> context, const HttpRequest& http_request,
                          const NodeCall& call);

// A wait that another task ends: a timer that is cancelled.
class Signal {
 public:
  explicit Signal(const asio::any_io_executor& executor)
      : timer_(executor, asio::steady_timer::time_point::max()) {}
  void raise() {
    raised_ = true;
    timer_.cancel();
  }
  Task<> wait();

 private:
  asio::steady_timer timer_;
  bool raised_ = false;
};

}  // namespace troupe::sim
