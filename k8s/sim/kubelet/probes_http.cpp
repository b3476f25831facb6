#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "k8s/sim/kubelet/probes.hpp"

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

// The body is only read to be dropped.
constexpr std::uint64_t kMaxBody = 64 * 1024;

asio::ssl::context& unverified_tls() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    made.set_verify_mode(asio::ssl::verify_none);
    return made;
  }();
  return context;
}

class HttpRun : public std::enable_shared_from_this<HttpRun> {
 public:
  HttpRun(asio::io_context& io, const HttpHandler& http, HandlerCallback callback)
      : tls_(http.tls), stream_(io, unverified_tls()), callback_(std::move(callback)) {
    request_.method(http::verb::get);
    request_.version(11);
    request_.target(http.path);
    request_.set(http::field::user_agent, "kube-probe/1.36");
    request_.set(http::field::accept, "*/*");
    request_.set(http::field::connection, "close");
    for (const auto& [name, value] : http.headers) request_.set(name, value);
    response_.body_limit(kMaxBody);
  }

  void start(const std::string& host, std::uint16_t port, std::chrono::milliseconds deadline) {
    if (request_.find(http::field::host) == request_.end()) {
      request_.set(http::field::host, fmt::format("{}:{}", host, port));
    }
    beast::get_lowest_layer(stream_).expires_after(deadline);
    error_code bad;
    const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, bad);
    beast::get_lowest_layer(stream_).async_connect(
        asio::ip::tcp::endpoint(address, port), [self = shared_from_this()](const error_code& e) {
          if (e) return self->fail(e);
          if (!self->tls_) return self->exchange(self->stream_.next_layer());
          self->stream_.async_handshake(asio::ssl::stream_base::client,
                                        [self](const error_code& refused) {
                                          if (refused) return self->fail(refused);
                                          self->exchange(self->stream_);
                                        });
        });
  }

  void cancel() {
    callback_ = nullptr;
    beast::get_lowest_layer(stream_).close();
  }

 private:
  template <class Stream>
  void exchange(Stream& stream) {
    http::async_write(stream, request_,
                      [self = shared_from_this(), &stream](const error_code& e, std::size_t) {
                        if (e) return self->fail(e);
                        http::async_read_header(stream, self->buffer_, self->response_,
                                                [self](const error_code& failed, std::size_t) {
                                                  if (failed) return self->fail(failed);
                                                  self->judge();
                                                });
                      });
  }

  void judge() {
    const unsigned status = response_.get().result_int();
    if (status >= 200 && status < 400) return finish({});
    finish(error(Code::Retry, fmt::format("HTTP probe failed with statuscode: {}", status)));
  }

  void fail(const error_code& e) {
    finish(error(Code::Retry, fmt::format("Get \"{}\": {}", std::string(request_.target()),
                                          e == beast::error::timeout ? "timed out" : e.message())));
  }

  void finish(Result<void> outcome) {
    if (callback_ == nullptr) return;
    const HandlerCallback callback = std::move(callback_);
    cancel();
    callback(std::move(outcome));
  }

  const bool tls_;
  beast::ssl_stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> response_;
  HandlerCallback callback_;
};

class HttpRunHandle final : public HandlerRun {
 public:
  explicit HttpRunHandle(std::shared_ptr<HttpRun> run) : run_(std::move(run)) {}
  ~HttpRunHandle() override { run_->cancel(); }

 private:
  std::shared_ptr<HttpRun> run_;
};

}  // namespace

std::unique_ptr<HandlerRun> run_http_handler(asio::io_context& io, const HttpHandler& handler,
                                             const std::string& pod_ip,
                                             std::chrono::milliseconds deadline,
                                             HandlerCallback callback) {
  auto run = std::make_shared<HttpRun>(io, handler, std::move(callback));
  run->start(handler.host.empty() ? pod_ip : handler.host, handler.port, deadline);
  return std::make_unique<HttpRunHandle>(std::move(run));
}

}  // namespace troupe::sim
