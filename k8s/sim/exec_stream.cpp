// exec and attach over WebSocket, subprotocols v5.channel.k8s.io and v4.channel.k8s.io: each
// message begins with a byte that says which stream it belongs to.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>

#include "k8s/sim/api/object.hpp"
#include "k8s/sim/http_session.hpp"

namespace troupe::sim {
namespace {

namespace websocket = beast::websocket;

enum Channel : char { kStdin = 0, kStdout = 1, kStderr = 2, kStatus = 3, kResize = 4 };
constexpr char kCloseChannel = static_cast<char>(0xff);  // v5: the next byte names the stream
constexpr std::string_view kProtocols[] = {"v5.channel.k8s.io", "v4.channel.k8s.io"};

constexpr std::size_t kHighWater = 1 << 20;
constexpr std::size_t kLowWater = kHighWater / 4;
constexpr std::size_t kMaxQueued = 16 << 20;
constexpr std::size_t kMaxMessage = 4 << 20;

// The first protocol of the client's list that is spoken here.
std::string choose_protocol(std::string_view offered) {
  for (const auto ours : kProtocols) {
    if (offered.find(ours) != std::string_view::npos) return std::string(ours);
  }
  return {};
}

std::string status_text(const Result<int>& outcome) {
  json::object status{{"metadata", json::object()}};
  if (outcome && *outcome == 0) {
    status["status"] = "Success";
  } else if (outcome) {
    status["status"] = "Failure";
    status["message"] = "command terminated with non-zero exit code: " + std::to_string(*outcome);
    status["reason"] = "NonZeroExitCode";
    status["details"] = json::object{
        {"causes",
         json::array{json::object{{"reason", "ExitCode"}, {"message", std::to_string(*outcome)}}}}};
  } else {
    status["status"] = "Failure";
    status["message"] = outcome.error().message;
    status["reason"] = "InternalError";
    status["code"] = 500;
  }
  return json::serialize(status);
}

// What the process writes, as messages on their way to the client.
class MessageQueue : public ExecSink {
 public:
  explicit MessageQueue(const asio::any_io_executor& executor) : signal(executor) {}

  bool write_stdout(std::string_view bytes) override { return push(kStdout, bytes); }
  bool write_stderr(std::string_view bytes) override { return push(kStderr, bytes); }
  void finished(Result<int> exit_status) override {
    push(kStatus, status_text(exit_status));
    over = true;
    signal.raise();
  }

  bool push(char channel, std::string_view bytes) {
    std::string message(1, channel);
    message.append(bytes);
    queued += message.size();
    messages.push_back(std::move(message));
    closed |= queued > kMaxQueued;
    full = queued >= kHighWater;
    signal.raise();
    return !full;
  }

  std::deque<std::string> messages;
  std::size_t queued = 0;
  bool full = false;
  bool over = false;    // the process ended
  bool closed = false;  // the client left
  Signal signal;
};

struct Stream {
  explicit Stream(std::shared_ptr<Transport> t)
      : transport(std::move(t)),
        socket(*transport),
        out(std::make_shared<MessageQueue>(transport->get_executor())) {}
  std::shared_ptr<Transport> transport;
  websocket::stream<Transport&> socket;
  std::shared_ptr<MessageQueue> out;
  std::unique_ptr<ExecSession> session;
};

void resize(ExecSession& session, std::string_view text) {
  boost::system::error_code failed;
  const auto size = json::parse(text, failed);
  if (failed) return;
  session.resize_terminal(static_cast<std::uint16_t>(int_at(size, "Width").value_or(0)),
                          static_cast<std::uint16_t>(int_at(size, "Height").value_or(0)));
}

// What the client sends, until it leaves. Reads on only when the process has taken the last bytes.
Task<> read_messages(std::shared_ptr<Stream> stream) {
  boost::system::error_code failed;
  const auto consumed = std::make_shared<Signal>(stream->transport->get_executor());
  while (!stream->out->closed) {
    beast::flat_buffer buffer;
    co_await stream->socket.async_read(buffer, asio::redirect_error(asio::use_awaitable, failed));
    if (failed || stream->session == nullptr) break;
    const auto message = beast::buffers_to_string(buffer.data());
    if (message.empty()) continue;
    if (message[0] == kStdin && message.size() > 1) {
      stream->session->write_stdin(message.substr(1), [consumed] { consumed->raise(); });
      co_await consumed->wait();
    } else if (message[0] == kResize) {
      resize(*stream->session, std::string_view(message).substr(1));
    } else if (message[0] == kCloseChannel && message.size() > 1 && message[1] == kStdin) {
      stream->session->close_stdin();
    }
  }
  stream->out->closed = true;
  stream->out->signal.raise();
}

Task<> write_messages(Stream& stream) {
  auto& out = *stream.out;
  stream.socket.binary(true);
  while (!out.closed && !(out.over && out.messages.empty())) {
    if (out.messages.empty()) {
      co_await out.signal.wait();
      continue;
    }
    const auto message = std::move(out.messages.front());
    out.messages.pop_front();
    out.queued -= message.size();
    co_await stream.socket.async_write(asio::buffer(message), asio::use_awaitable);
    if (out.full && out.queued < kLowWater) {
      out.full = false;
      stream.session->resume();
    }
  }
}

}  // namespace

Task<> serve_exec(std::shared_ptr<Transport> transport, std::shared_ptr<ServerContext> context,
                  const HttpRequest& http_request, const NodeCall& call) {
  const auto protocol = choose_protocol(http_request[http::field::sec_websocket_protocol]);
  if (protocol.empty()) {
    const auto error =
        bad_request("the stream needs the subprotocol v5.channel.k8s.io or v4.channel.k8s.io");
    co_await refuse(*transport, http_request, error);
    co_return;
  }
  const auto stream = std::make_shared<Stream>(transport);
  auto session = context->node->exec(call.container, call.exec, stream->out);
  if (session) {
    stream->session = std::move(*session);
  } else {
    // Told in the stream: kubectl takes a refused upgrade for a server that wants SPDY.
    stream->out->finished(session.error());
  }
  stream->socket.read_message_max(kMaxMessage);
  stream->socket.set_option(
      websocket::stream_base::decorator([&](websocket::response_type& response) {
        response.set(http::field::sec_websocket_protocol, protocol);
      }));
  boost::system::error_code failed;
  co_await stream->socket.async_accept(http_request,
                                       asio::redirect_error(asio::use_awaitable, failed));
  if (failed) co_return;
  if (stream->session) {
    asio::co_spawn(transport->get_executor(), read_messages(stream), asio::detached);
  }
  try {
    co_await write_messages(*stream);
  } catch (const boost::system::system_error&) {
    stream->out->closed = true;
  }
  stream->session.reset();
  if (!stream->out->closed) {
    co_await stream->socket.async_close(websocket::close_code::normal,
                                        asio::redirect_error(asio::use_awaitable, failed));
  }
}

}  // namespace troupe::sim
