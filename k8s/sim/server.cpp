#include "k8s/sim/server.hpp"

#include <fmt/format.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>

#include "k8s/sim/http_session.hpp"
#include "runtime/logging.hpp"

namespace troupe::sim {
namespace {

// How often time passes for the API server: bookmarks, ends of watches, what the collector left.
constexpr auto kTick = std::chrono::milliseconds(100);
// Connections at once; watches hold one each. Above it new ones are closed at once.
constexpr std::size_t kMaxConnections = 16'384;

void use_certificate(asio::ssl::context& context, const ServingCertificate& certificate) {
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1);
  context.use_certificate_chain(asio::buffer(certificate.certificate_pem));
  const auto key = certificate.key_pem.reveal();
  context.use_private_key(asio::buffer(key.data(), key.size()), asio::ssl::context::pem);
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, ApiServer& api, const Clock& clock)
      : io_(io),
        acceptor_(io),
        ticker_(io),
        context_(std::make_shared<ServerContext>(ServerContext{api, clock})) {}

  Result<void> listen(const ServerOptions& options) {
    boost::system::error_code failed;
    const auto address = asio::ip::make_address(options.address, failed);
    const auto cannot = [&](std::string_view step) {
      return error(Code::Fatal, fmt::format("cannot {} {}:{}: {}", step, options.address,
                                            options.port, failed.message()));
    };
    if (failed) return cannot("use the address");
    if (options.certificate != nullptr) {
      tls_.emplace(asio::ssl::context::tls_server);
      use_certificate(*tls_, *options.certificate);
    }
    const tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), failed);
    if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor_.bind(endpoint, failed);
    if (failed) return cannot("bind to");
    acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return cannot("listen on");
    asio::co_spawn(io_, accept(shared_from_this()), asio::detached);
    asio::co_spawn(io_, tick(shared_from_this()), asio::detached);
    return {};
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void set_node_api(NodeApi* node) { context_->node = node; }

  void stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    ticker_.cancel();
    for (const auto& connection : std::set(connections_)) connection->close();
  }

 private:
  static Task<> accept(std::shared_ptr<Impl> self) {
    while (!self->stopped_) {
      boost::system::error_code failed;
      auto socket =
          co_await self->acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
      if (self->stopped_) co_return;
      if (failed) {
        log::warn("accept failed", {{"error", failed.message()}});
        // Out of descriptors: wait for some to be closed.
        self->ticker_pause_.expires_after(kTick);
        co_await self->ticker_pause_.async_wait(asio::redirect_error(asio::use_awaitable, failed));
        continue;
      }
      if (self->connections_.size() >= kMaxConnections) continue;
      socket.set_option(tcp::no_delay(true), failed);
      auto transport = self->tls_ ? std::make_shared<Transport>(std::move(socket), *self->tls_)
                                  : std::make_shared<Transport>(std::move(socket));
      self->connections_.insert(transport);
      asio::co_spawn(
          self->io_, serve_connection(transport, self->context_),
          [self, transport](const std::exception_ptr&) { self->connections_.erase(transport); });
    }
  }

  static Task<> tick(std::shared_ptr<Impl> self) {
    while (!self->stopped_) {
      const auto wait = self->context_->api.has_work() ? std::chrono::milliseconds(0) : kTick;
      self->ticker_.expires_after(wait);
      boost::system::error_code cancelled;
      co_await self->ticker_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
      if (!self->stopped_) self->context_->api.tick(self->context_->clock.wall());
    }
  }

  asio::io_context& io_;
  tcp::acceptor acceptor_;
  asio::steady_timer ticker_;
  asio::steady_timer ticker_pause_{io_};
  std::optional<asio::ssl::context> tls_;
  std::shared_ptr<ServerContext> context_;
  std::set<std::shared_ptr<Transport>> connections_;
  bool stopped_ = false;
};

Server::Server(asio::io_context& io, ApiServer& api, const Clock& clock)
    : impl_(std::make_shared<Impl>(io, api, clock)) {}
Server::~Server() { stop(); }

void Server::set_node_api(NodeApi* node) { impl_->set_node_api(node); }
Result<void> Server::listen(const ServerOptions& options) { return impl_->listen(options); }
std::uint16_t Server::port() const { return impl_->port(); }
void Server::stop() { impl_->stop(); }

}  // namespace troupe::sim
