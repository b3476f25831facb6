#include "k8s/client/http_connection.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <charconv>
#include <cstring>

namespace troupe::k8s::internal {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;

// One read takes up to this much: 25 events of 2.5 KB.
constexpr std::size_t kReceiveBuffer = std::size_t{64} << 10;
// A peer that vanished is noticed by the kernel: first probe after 15 s of silence, then 3 more.
constexpr int kKeepAliveIdleSeconds = 15;
constexpr int kKeepAliveIntervalSeconds = 5;
constexpr int kKeepAliveProbes = 3;
// Sent bytes that nobody acknowledges break the connection.
constexpr int kUserTimeoutMillis = 30'000;
// A server asks for seconds; more than this is a misunderstanding.
constexpr std::int64_t kMaxRetryAfterSeconds = 600;

template <class Fields>
ResponseHead head_of(const http::response_header<Fields>& header) {
  const auto retry_after = header[http::field::retry_after];
  return {static_cast<int>(header.result_int()),
          parse_retry_after({retry_after.data(), retry_after.size()})};
}

// The Beast body type that hands each fragment to the sink where it lies.
struct SinkBody {
  struct value_type {
    ResponseSink* sink = nullptr;
    bool head_delivered = false;

    void deliver_head(const http::response_header<>& header) {
      if (!std::exchange(head_delivered, true)) sink->on_head(head_of(header));
    }
  };

  class reader {
   public:
    // Made before the header is parsed. Beast wants every reader to take requests too.
    template <bool kIsRequest, class Fields>
    reader(http::header<kIsRequest, Fields>& header, value_type& target) : target_(target) {
      if constexpr (!kIsRequest) header_ = &header;
    }

    // Called with the first bytes of a body, so not for a response without one.
    void init(const boost::optional<std::uint64_t>&, error_code& ec) {
      ec = {};
      target_.deliver_head(*header_);
    }

    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& ec) {
      ec = {};
      std::size_t taken = 0;
      for (auto it = asio::buffer_sequence_begin(buffers); it != asio::buffer_sequence_end(buffers);
           ++it) {
        const asio::const_buffer fragment = *it;
        if (!target_.sink->on_body({static_cast<const char*>(fragment.data()), fragment.size()})) {
          ec = http::error::body_limit;
          return taken;
        }
        taken += fragment.size();
      }
      return taken;
    }

    void finish(error_code& ec) { ec = {}; }

   private:
    const http::response_header<>* header_ = nullptr;
    value_type& target_;
  };
};

http::verb verb_of(Method method) {
  switch (method) {
    case Method::Get:
      return http::verb::get;
    case Method::Post:
      return http::verb::post;
    case Method::Put:
      return http::verb::put;
    case Method::Patch:
      return http::verb::patch;
    case Method::Delete:
      return http::verb::delete_;
  }
  return http::verb::get;
}

void tune(tcp::socket& socket) {
  const auto set = [fd = socket.native_handle()](int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof(value));  // best effort
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMillis);
}

// The socket below a stream, plain or TLS.
tcp::socket& socket_of(tcp::socket& stream) { return stream; }
tcp::socket& socket_of(TlsStream& stream) { return stream.next_layer(); }

template <class Stream>
class StreamConnection final : public Connection,
                               public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  // `tls` is what the stream was made with and must outlive it.
  StreamConnection(Stream stream, std::shared_ptr<asio::ssl::context> tls, Endpoint endpoint)
      : tls_(std::move(tls)),
        stream_(std::move(stream)),
        resolver_(stream_.get_executor()),
        endpoint_(std::move(endpoint)) {}

  void connect(Connected done) override {
    resolver_.async_resolve(
        endpoint_.host, std::to_string(endpoint_.port),
        [self = this->shared_from_this(), done = std::move(done)](
            error_code ec, const tcp::resolver::results_type& addresses) mutable {
          if (self->closed_) return;
          if (ec) return done(self->connect_error("cannot resolve its name", ec));
          self->connect_to(addresses, std::move(done));
        });
  }

  void exchange(HttpExchange request, std::shared_ptr<ResponseSink> sink) override {
    ++exchanges_;
    reusable_ = false;
    socket_of(stream_).cancel();  // await_close
    sink_ = std::move(sink);
    request_.emplace(verb_of(request.method), request.target, 11, std::move(request.body));
    for (const auto& [name, value] : request.headers) request_->set(name, value);
    request_->prepare_payload();
    parser_.emplace();
    parser_->get().body() = {sink_.get(), false};
    parser_->eager(true);
    parser_->body_limit(boost::none);  // the sinks have bounds of their own
    http::async_write(stream_, *request_,
                      [self = this->shared_from_this()](error_code ec, std::size_t) {
                        if (self->closed_) return;
                        // Whatever was written may have arrived, so a failed write is as good as a
                        // sent one.
                        if (ec) return self->fail(ec);
                        self->request_.reset();
                        self->read();
                      });
  }

  bool reusable() const override { return reusable_; }

  void await_close(std::function<void()> closed) override {
    socket_of(stream_).async_wait(tcp::socket::wait_read,
                                  [self = this->shared_from_this(), closed = std::move(closed),
                                   exchange = exchanges_](error_code ec) {
                                    // Readable while idle: the server closed it, or speaks out of
                                    // turn.
                                    if (!ec && !self->closed_ && self->exchanges_ == exchange)
                                      closed();
                                  });
  }

  void close() override {
    closed_ = true;
    reusable_ = false;
    sink_.reset();
    resolver_.cancel();
    error_code ignored;
    socket_of(stream_).close(ignored);
  }

 private:
  Error connect_error(std::string_view what, error_code ec) const {
    return error(Code::Retry, fmt::format("API server {}:{}: {}: {}", endpoint_.host,
                                          endpoint_.port, what, ec.message()));
  }

  void connect_to(const tcp::resolver::results_type& addresses, Connected done) {
    asio::async_connect(socket_of(stream_), addresses,
                        [self = this->shared_from_this(), done = std::move(done)](
                            error_code ec, const tcp::endpoint&) mutable {
                          if (self->closed_) return;
                          if (ec) return done(self->connect_error("cannot connect", ec));
                          tune(socket_of(self->stream_));
                          self->handshake(std::move(done));
                        });
  }

  void handshake(Connected done) {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      const auto& name = endpoint_.server_name;
      error_code not_an_address;
      asio::ip::make_address(name, not_an_address);
      // RFC 6066 knows no addresses in SNI.
      if (not_an_address) SSL_set_tlsext_host_name(stream_.native_handle(), name.c_str());
      stream_.set_verify_callback(asio::ssl::host_name_verification(name));
      stream_.async_handshake(
          asio::ssl::stream_base::client,
          [self = this->shared_from_this(), done = std::move(done)](error_code ec) {
            if (self->closed_) return;
            if (ec) return done(self->handshake_error(ec));
            done(std::nullopt);
          });
    } else {
      done(std::nullopt);
    }
  }

  Error handshake_error(error_code ec) const {
    std::string detail = ec.message();
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      auto* ssl = const_cast<TlsStream&>(stream_).native_handle();
      if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK) {
        detail = fmt::format("its certificate was refused for \"{}\": {}", endpoint_.server_name,
                             X509_verify_cert_error_string(verdict));
      }
    }
    return error(Code::Retry, fmt::format("API server {}:{}: TLS handshake: {}", endpoint_.host,
                                          endpoint_.port, detail));
  }

  void read() {
    if (!buffer_) buffer_ = std::make_unique<char[]>(kReceiveBuffer + kJsonPadding);
    if (filled_ == kReceiveBuffer) return fail(http::error::header_limit);
    stream_.async_read_some(asio::buffer(buffer_.get() + filled_, kReceiveBuffer - filled_),
                            [self = this->shared_from_this()](error_code ec, std::size_t bytes) {
                              if (self->closed_) return;
                              if (ec) return self->on_read_error(ec);
                              self->on_read(bytes);
                            });
  }

  void on_read(std::size_t bytes) {
    filled_ += bytes;
    const auto sink = sink_;  // it may close this connection
    std::size_t used = 0;
    error_code ec;
    while (used < filled_ && !parser_->is_done()) {
      used += parser_->put(asio::buffer(buffer_.get() + used, filled_ - used), ec);
      if (ec) break;
    }
    if (ec && ec != http::error::need_more) return fail(ec);
    if (parser_->is_header_done()) {
      parser_->get().body().deliver_head(parser_->get().base());
      sink->on_read(bytes);
    }
    if (closed_) return;
    // What is left is the beginning of a head or of a chunk's header: a few bytes.
    filled_ -= used;
    if (filled_ != 0) std::memmove(buffer_.get(), buffer_.get() + used, filled_);
    if (parser_->is_done()) return finish();
    read();
  }

  void on_read_error(error_code ec) {
    const bool at_end = ec == asio::error::eof || ec == asio::ssl::error::stream_truncated;
    if (at_end && parser_->got_some()) {
      error_code incomplete;
      parser_->put_eof(incomplete);
      if (!incomplete && parser_->is_done()) return finish();
    }
    fail(ec);
  }

  void finish() {
    reusable_ = parser_->keep_alive() && filled_ == 0;
    const auto sink = std::exchange(sink_, nullptr);
    parser_.reset();
    sink->on_done(std::nullopt);
  }

  void fail(error_code ec) {
    reusable_ = false;
    auto sink = std::exchange(sink_, nullptr);
    error_code ignored;
    socket_of(stream_).close(ignored);
    closed_ = true;
    sink->on_done(
        Failure{error(Code::Retry, fmt::format("API server {}:{}: connection broke: {}",
                                               endpoint_.host, endpoint_.port, ec.message())),
                true});
  }

  std::shared_ptr<asio::ssl::context> tls_;
  Stream stream_;
  tcp::resolver resolver_;
  Endpoint endpoint_;
  std::optional<http::request<http::string_body>> request_;
  std::optional<http::response_parser<SinkBody>> parser_;
  std::shared_ptr<ResponseSink> sink_;
  std::unique_ptr<char[]> buffer_;
  std::size_t filled_ = 0;
  std::uint64_t exchanges_ = 0;
  bool reusable_ = false;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<Connection> Connection::make(asio::io_context& io,
                                             std::shared_ptr<asio::ssl::context> tls,
                                             Endpoint endpoint) {
  if (!tls) {
    return std::make_shared<StreamConnection<tcp::socket>>(tcp::socket(io), nullptr,
                                                           std::move(endpoint));
  }
  TlsStream stream(io, *tls);
  return std::make_shared<StreamConnection<TlsStream>>(std::move(stream), std::move(tls),
                                                       std::move(endpoint));
}

std::optional<Duration> parse_retry_after(std::string_view value) {
  std::int64_t seconds = 0;
  const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (ec != std::errc() || end != value.data() + value.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, kMaxRetryAfterSeconds));
}

}  // namespace troupe::k8s::internal
