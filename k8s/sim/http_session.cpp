#include "k8s/sim/http_session.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace troupe::sim {
namespace {

constexpr std::uint32_t kMaxHeaderBytes = 64 * 1024;
// A connection that sends nothing for so long is dropped; clients keep theirs for minutes.
constexpr auto kIdleLimit = std::chrono::minutes(10);
constexpr auto kHandshakeLimit = std::chrono::seconds(10);

Request to_request(HttpRequest& from) {
  const auto field = [&](http::field name) {
    const auto value = from[name];
    return std::string(value.data(), value.size());
  };
  return {.method = std::string(from.method_string()),
          .target = std::string(from.target()),
          .accept = field(http::field::accept),
          .content_type = field(http::field::content_type),
          .authorization = field(http::field::authorization),
          .user_agent = field(http::field::user_agent),
          .body = std::move(from.body())};
}

// Closes the socket unless disarmed in time; whatever waits on it then fails.
class Deadline {
 public:
  Deadline(const std::shared_ptr<Transport>& transport, std::chrono::steady_clock::duration limit)
      : timer_(transport->get_executor(), limit) {
    timer_.async_wait([weak = std::weak_ptr(transport)](boost::system::error_code cancelled) {
      const auto alive = weak.lock();
      if (!cancelled && alive) alive->close();
    });
  }

 private:
  asio::steady_timer timer_;  // destroyed: cancelled
};

Task<bool> shake_hands(const std::shared_ptr<Transport>& transport) {
  if (transport->tls() == nullptr) co_return true;
  const Deadline deadline(transport, kHandshakeLimit);
  boost::system::error_code failed;
  co_await transport->tls()->async_handshake(asio::ssl::stream_base::server,
                                             asio::redirect_error(asio::use_awaitable, failed));
  co_return !failed;
}

ApiError not_served(bool has_node) {
  return {.code = 501,
          .reason = "NotImplemented",
          .message = has_node ? "only WebSocket streams are served here"
                              : "no kubelet serves this cluster's pods"};
}

Task<> serve_node(std::shared_ptr<Transport> transport, std::shared_ptr<ServerContext> context,
                  const HttpRequest& http_request, const Request& request) {
  auto call = context->api.node_call(request, context->clock.wall());
  if (auto* refusal = std::get_if<Response>(&call)) {
    co_await write_response(*transport, http_request, std::move(*refusal), false);
    co_return;
  }
  const auto& accepted = std::get<NodeCall>(call);
  const bool stream = accepted.kind != NodeCall::Kind::Logs;
  const bool upgrade = beast::websocket::is_upgrade(http_request);
  if (context->node == nullptr || (stream && !upgrade)) {
    const auto error = not_served(context->node != nullptr);
    co_await refuse(*transport, http_request, error);
    co_return;
  }
  if (accepted.kind == NodeCall::Kind::PortForward) {
    co_await serve_port_forward(transport, context, http_request, accepted);
  } else if (stream) {
    co_await serve_exec(transport, context, http_request, accepted);
  } else {
    co_await serve_logs(transport, context, http_request, accepted);
  }
}

// One request; false when the connection is over.
Task<bool> serve_one(const std::shared_ptr<Transport>& transport,
                     const std::shared_ptr<ServerContext>& context, beast::flat_buffer& buffer) {
  http::request_parser<http::string_body> parser;
  parser.body_limit(kMaxBodyBytes);
  parser.header_limit(kMaxHeaderBytes);
  boost::system::error_code failed;
  {
    const Deadline deadline(transport, kIdleLimit);
    co_await http::async_read(*transport, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, failed));
  }
  auto& http_request = parser.get();
  if (failed == http::error::body_limit) {
    const auto error = request_too_large();
    co_await refuse(*transport, http_request, error);
    co_return false;
  }
  if (failed) co_return false;
  const auto request = to_request(http_request);
  switch (context->api.classify(request)) {
    case RequestKind::Watch:
      co_await serve_watch(transport, context, http_request, request);
      co_return false;
    case RequestKind::Node:
      co_await serve_node(transport, context, http_request, request);
      co_return false;
    case RequestKind::Plain:
      break;
  }
  auto response = context->api.handle(request, context->clock.wall());
  if (response.delay > Duration::zero()) {
    asio::steady_timer timer(transport->get_executor(), response.delay);
    co_await timer.async_wait(asio::use_awaitable);
  }
  const bool keep_alive = http_request.keep_alive();
  co_await write_response(*transport, http_request, std::move(response), keep_alive);
  co_return keep_alive;
}

}  // namespace

Task<> Signal::wait() {
  boost::system::error_code ignored;
  if (!raised_) {
    timer_.expires_at(asio::steady_timer::time_point::max());
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  raised_ = false;
}

Task<> write_response(Transport& transport, const HttpRequest& request, Response response,
                      bool keep_alive) {
  http::response<http::string_body> message(static_cast<http::status>(response.status), 11);
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-cache, private");
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  message.keep_alive(keep_alive);
  if (request.method() != http::verb::head) message.body() = std::move(response.body);
  message.prepare_payload();
  co_await http::async_write(transport, message, asio::use_awaitable);
}

Task<> refuse(Transport& transport, const HttpRequest& request, const ApiError& error) {
  auto response = error_response(error);
  co_await write_response(transport, request, std::move(response), false);
}

Task<> write_stream_header(Transport& transport, std::string_view content_type) {
  const auto header = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nCache-Control: no-cache, private\r\n"
      "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
      content_type);
  co_await asio::async_write(transport, asio::buffer(header), asio::use_awaitable);
}

Task<> write_chunk(Transport& transport, std::string_view bytes) {
  const auto head = fmt::format("{:x}\r\n", bytes.size());
  const std::array<asio::const_buffer, 3> parts{asio::buffer(head), asio::buffer(bytes),
                                                asio::buffer("\r\n", 2)};
  co_await asio::async_write(transport, parts, asio::use_awaitable);
}

Task<> write_last_chunk(Transport& transport) {
  constexpr std::string_view kLast = "0\r\n\r\n";
  co_await asio::async_write(transport, asio::buffer(kLast), asio::use_awaitable);
}

Task<> wait_for_close(Transport& transport) {
  char byte = 0;
  boost::system::error_code ignored;
  co_await transport.async_read_some(asio::buffer(&byte, 1),
                                     asio::redirect_error(asio::use_awaitable, ignored));
}

Task<> serve_connection(std::shared_ptr<Transport> transport,
                        std::shared_ptr<ServerContext> context) {
  try {
    if (!co_await shake_hands(transport)) co_return;
    beast::flat_buffer buffer;
    while (co_await serve_one(transport, context, buffer)) {
    }
  } catch (const boost::system::system_error&) {
    // The client went away: nothing is owed to it.
  }
  transport->close();
}

}  // namespace troupe::sim
