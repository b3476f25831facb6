// port-forward: SPDY streams in the messages of a WebSocket, two a connection (data and errors).
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket.hpp>
#include <charconv>
#include <deque>
#include <map>

#include "k8s/sim/http_session.hpp"
#include "k8s/sim/spdy.hpp"

namespace troupe::sim {
namespace {

namespace websocket = beast::websocket;

constexpr auto kProtocol = "SPDY/3.1+portforward.k8s.io";
constexpr std::size_t kHighWater = 1 << 20;
constexpr std::size_t kLowWater = kHighWater / 4;
constexpr std::size_t kMaxQueued = 16 << 20;
constexpr std::size_t kMaxMessage = 4 << 20;
constexpr std::size_t kMaxConnections = 1'024;  // through one port-forward

// One kubectl port-forward: its WebSocket and the connections through it.
class Tunnel : public std::enable_shared_from_this<Tunnel> {
 public:
  Tunnel(std::shared_ptr<Transport> transport, NodeApi& node, ContainerRef pod)
      : transport_(std::move(transport)),
        socket_(*transport_),
        node_(node),
        pod_(std::move(pod)),
        signal_(transport_->get_executor()) {}

  Task<> serve(const HttpRequest& request) {
    socket_.read_message_max(kMaxMessage);
    socket_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::sec_websocket_protocol, kProtocol);
    }));
    socket_.binary(true);
    boost::system::error_code failed;
    co_await socket_.async_accept(request, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return;
    asio::co_spawn(transport_->get_executor(), read(shared_from_this()), asio::detached);
    try {
      co_await write();
    } catch (const boost::system::system_error&) {
      // The client went away.
    }
    closed_ = true;
    connections_.clear();
  }

 private:
  // A connection to the pod's port; bytes towards it wait until it took the last ones.
  struct Connection {
    std::uint32_t error_stream = 0;
    std::unique_ptr<PortSession> session;
    std::deque<std::string> waiting;
    std::size_t waiting_bytes = 0;
    bool writing = false;
    bool ended = false;  // the client sent its last bytes
    bool full = false;
  };

  class Sink : public PortSink {
   public:
    Sink(std::weak_ptr<Tunnel> tunnel, std::uint32_t stream)
        : tunnel_(std::move(tunnel)), stream_(stream) {}
    bool write(std::string_view bytes) override {
      const auto tunnel = tunnel_.lock();
      return tunnel != nullptr && tunnel->from_pod(stream_, bytes);
    }
    void finished(Result<void> outcome) override {
      if (const auto tunnel = tunnel_.lock()) tunnel->finish(stream_, std::move(outcome));
    }

   private:
    std::weak_ptr<Tunnel> tunnel_;
    std::uint32_t stream_;
  };

  static Task<> read(std::shared_ptr<Tunnel> self) {
    spdy::Decoder decoder;
    boost::system::error_code failed;
    while (!self->closed_) {
      beast::flat_buffer buffer;
      co_await self->socket_.async_read(buffer, asio::redirect_error(asio::use_awaitable, failed));
      if (failed) break;
      const auto frames = decoder.feed(beast::buffers_to_string(buffer.data()));
      if (!frames) break;
      for (const auto& frame : *frames) self->handle(frame);
    }
    self->closed_ = true;
    self->signal_.raise();
  }

  Task<> write() {
    while (!closed_) {
      if (out_.empty()) {
        co_await signal_.wait();
        continue;
      }
      const auto message = std::move(out_.front());
      out_.pop_front();
      queued_ -= message.size();
      co_await socket_.async_write(asio::buffer(message), asio::use_awaitable);
      if (queued_ < kLowWater) resume_all();
    }
  }

  void send(std::string bytes) {
    queued_ += bytes.size();
    if (queued_ > kMaxQueued) closed_ = true;
    out_.push_back(std::move(bytes));
    signal_.raise();
  }

  void handle(const spdy::Frame& frame) {
    switch (frame.type) {
      case spdy::FrameType::SynStream:
        open_stream(frame);
        break;
      case spdy::FrameType::Data:
        to_pod(frame);
        break;
      case spdy::FrameType::RstStream:
        connections_.erase(frame.stream);
        break;
      case spdy::FrameType::Ping:
        send(spdy::Encoder::ping(frame.data));
        break;
      default:
        break;
    }
  }

  static std::string_view header(const spdy::Frame& frame, std::string_view name) {
    const auto found = frame.headers.find(name);
    return found == frame.headers.end() ? std::string_view{} : std::string_view(found->second);
  }

  // The error stream of a connection comes first, its data stream second, with the same request id.
  void open_stream(const spdy::Frame& frame) {
    send(encoder_.syn_reply(frame.stream));
    const std::string request(header(frame, "requestid"));
    if (header(frame, "streamtype") == "error") {
      if (error_streams_.size() < kMaxConnections) error_streams_[request] = frame.stream;
      return;
    }
    const auto port_text = header(frame, "port");
    std::uint16_t port = 0;
    std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    const auto error_stream = error_streams_.find(request);
    if (port == 0 || error_stream == error_streams_.end() ||
        connections_.size() >= kMaxConnections) {
      send(spdy::Encoder::reset(frame.stream));
      return;
    }
    auto& connection = connections_[frame.stream];
    connection.error_stream = error_stream->second;
    error_streams_.erase(error_stream);
    auto session =
        node_.port_forward(pod_, port, std::make_shared<Sink>(weak_from_this(), frame.stream));
    if (!session) {
      finish(frame.stream, session.error());
      return;
    }
    const auto still = connections_.find(frame.stream);
    if (still != connections_.end()) still->second.session = std::move(*session);
  }

  void to_pod(const spdy::Frame& frame) {
    const auto found = connections_.find(frame.stream);
    if (found == connections_.end()) return;
    auto& connection = found->second;
    connection.ended |= frame.fin;
    if (!frame.data.empty()) {
      connection.waiting_bytes += frame.data.size();
      connection.waiting.push_back(frame.data);
    }
    if (connection.waiting_bytes > kMaxQueued) {
      connections_.erase(found);
      send(spdy::Encoder::reset(frame.stream));
      return;
    }
    push(frame.stream, connection);
  }

  void push(std::uint32_t stream, Connection& connection) {
    if (connection.writing || connection.session == nullptr) return;
    if (connection.waiting.empty()) {
      if (connection.ended) connection.session->close_write();
      return;
    }
    auto bytes = std::move(connection.waiting.front());
    connection.waiting.pop_front();
    connection.waiting_bytes -= bytes.size();
    connection.writing = true;
    connection.session->write(std::move(bytes), [weak = weak_from_this(), stream] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      const auto found = self->connections_.find(stream);
      if (found == self->connections_.end()) return;
      found->second.writing = false;
      self->push(stream, found->second);
    });
  }

  bool from_pod(std::uint32_t stream, std::string_view bytes) {
    send(spdy::Encoder::data(stream, bytes, false));
    const auto found = connections_.find(stream);
    if (queued_ < kHighWater || found == connections_.end()) return true;
    found->second.full = true;
    return false;
  }

  void resume_all() {
    for (auto& [stream, connection] : connections_) {
      if (std::exchange(connection.full, false) && connection.session) connection.session->resume();
    }
  }

  void finish(std::uint32_t stream, Result<void> outcome) {
    const auto found = connections_.find(stream);
    if (found == connections_.end()) return;
    const auto error_stream = found->second.error_stream;
    const auto text = outcome ? std::string() : outcome.error().message;
    // Its session must not be destroyed from within its own call.
    asio::post(transport_->get_executor(),
               [session = std::shared_ptr<PortSession>(std::move(found->second.session))] {});
    connections_.erase(found);
    send(spdy::Encoder::data(error_stream, text, true));
    send(spdy::Encoder::data(stream, {}, true));
  }

  std::shared_ptr<Transport> transport_;
  websocket::stream<Transport&> socket_;
  NodeApi& node_;
  ContainerRef pod_;
  spdy::Encoder encoder_;
  std::map<std::string, std::uint32_t>
      error_streams_;                                // by request id, until the data stream comes
  std::map<std::uint32_t, Connection> connections_;  // by data stream
  std::deque<std::string> out_;
  std::size_t queued_ = 0;
  Signal signal_;
  bool closed_ = false;
};

}  // namespace

Task<> serve_port_forward(std::shared_ptr<Transport> transport,
                          std::shared_ptr<ServerContext> context, const HttpRequest& http_request,
                          const NodeCall& call) {
  const std::string_view offered = http_request[http::field::sec_websocket_protocol];
  if (offered.find(kProtocol) == std::string_view::npos) {
    const auto error = bad_request(fmt::format("port-forward needs the subprotocol {}", kProtocol));
    co_await refuse(*transport, http_request, error);
    co_return;
  }
  const auto tunnel = std::make_shared<Tunnel>(transport, *context->node, call.container);
  co_await tunnel->serve(http_request);
}

}  // namespace troupe::sim
