#include "k8s/sim/kubelet/service_forwarder.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <set>
#include <utility>

#include "k8s/sim/kubelet/process.hpp"

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// As much as the kernel's default pipe holds: a slow reader holds back the writer beyond it.
constexpr std::size_t kSpliceBytes = 64 * 1024;
// A backend that does not answer at all (cut off, its pod gone) is given up after this.
constexpr std::chrono::seconds kConnectDeadline{5};
// Connections of one cluster that are open at once; further ones are refused.
constexpr std::size_t kMaxConnections = 20'000;

// One direction of a connection: from a socket into a pipe, and out of it.
class Direction {
 public:
  Direction(tcp::socket& from, tcp::socket& to) : from_(from), to_(to) {}

  bool open() {
    auto pipe = make_pipe();
    if (!pipe) return false;
    pipe_ = std::move(*pipe);
    return true;
  }

  enum class Wait { Readable, Writable, Over, Failed };

  // Moves what can be moved now, and says what must happen before more can be.
  Wait pump() {
    constexpr unsigned kFlags = SPLICE_F_NONBLOCK | SPLICE_F_MOVE;
    while (true) {
      if (held_ == 0) {
        const ssize_t n = splice(from_.native_handle(), nullptr, pipe_.write.get(), nullptr,
                                 kSpliceBytes, kFlags);
        if (n == 0) return Wait::Over;
        if (n < 0) return errno == EAGAIN ? Wait::Readable : Wait::Failed;
        held_ = static_cast<std::size_t>(n);
      }
      const ssize_t n =
          splice(pipe_.read.get(), nullptr, to_.native_handle(), nullptr, held_, kFlags);
      if (n < 0) return errno == EAGAIN ? Wait::Writable : Wait::Failed;
      held_ -= static_cast<std::size_t>(n);
    }
  }

  tcp::socket& from() { return from_; }
  tcp::socket& to() { return to_; }
  bool over = false;

 private:
  tcp::socket& from_;
  tcp::socket& to_;
  Pipe pipe_;
  std::size_t held_ = 0;
};

}  // namespace

struct ServiceForwarder::Impl : std::enable_shared_from_this<ServiceForwarder::Impl> {
  class Connection;

  struct Listener {
    explicit Listener(asio::io_context& io) : acceptor(io) {}
    tcp::acceptor acceptor;
    std::size_t next_backend = 0;
  };

  Impl(asio::io_context& io_context, bool cut_connections) : io(io_context), cut(cut_connections) {}

  void apply(std::shared_ptr<const ForwardTable> fresh);
  void listen(const Frontend& frontend);
  void accept(const Frontend& frontend, std::shared_ptr<Listener> listener);
  void cut_departed();
  void close();
  std::vector<Backend> choose(const Frontend& frontend, const asio::ip::address& client);

  asio::io_context& io;
  const bool cut;
  std::shared_ptr<const ForwardTable> table = std::make_shared<ForwardTable>();
  std::map<Frontend, std::shared_ptr<Listener>> listeners;
  std::set<std::shared_ptr<Connection>> connections;
};

class ServiceForwarder::Impl::Connection
    : public std::enable_shared_from_this<ServiceForwarder::Impl::Connection> {
 public:
  Connection(std::weak_ptr<Impl> owner, asio::io_context& io, tcp::socket client, Frontend frontend,
             std::vector<Backend> backends)
      : owner_(std::move(owner)),
        client_(std::move(client)),
        server_(io),
        deadline_(io),
        frontend_(std::move(frontend)),
        backends_(std::move(backends)) {}

  void connect() {
    if (next_ == backends_.size()) return reset();
    backend_ = backends_[next_++];
    error_code bad;
    const auto address = asio::ip::make_address(backend_.address, bad);
    if (bad) return connect();
    server_ = tcp::socket(server_.get_executor());
    deadline_.expires_after(kConnectDeadline);
    deadline_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled) self->server_.close();
    });
    server_.async_connect({address, backend_.port},
                          [self = shared_from_this()](const error_code& failed) {
                            self->deadline_.cancel();
                            if (self->closed_) return;
                            if (failed) return self->connect();
                            self->join();
                          });
  }

  const Frontend& frontend() const { return frontend_; }
  const Backend& backend() const { return backend_; }

  // Both sides see a reset, which no client takes for a clean end.
  void reset() {
    for (tcp::socket* socket : {&client_, &server_}) {
      error_code ignored;
      socket->set_option(asio::socket_base::linger(true, 0), ignored);
    }
    close();
  }

  void close() {
    if (std::exchange(closed_, true)) return;
    error_code ignored;
    client_.close(ignored);
    server_.close(ignored);
    deadline_.cancel();
    if (const auto owner = owner_.lock()) owner->connections.erase(shared_from_this());
  }

 private:
  void join() {
    error_code failed;
    for (tcp::socket* socket : {&client_, &server_}) {
      socket->set_option(tcp::no_delay(true), failed);
      if (!failed) socket->native_non_blocking(true, failed);
      if (failed) return reset();
    }
    if (!there_.open() || !back_.open()) return reset();
    pump(there_);
    pump(back_);
  }

  void pump(Direction& direction) {
    if (closed_) return;
    const auto again = [self = shared_from_this(), &direction](const error_code& failed) {
      if (!failed) self->pump(direction);
    };
    switch (direction.pump()) {
      case Direction::Wait::Readable:
        return direction.from().async_wait(tcp::socket::wait_read, again);
      case Direction::Wait::Writable:
        return direction.to().async_wait(tcp::socket::wait_write, again);
      case Direction::Wait::Failed:
        return reset();
      case Direction::Wait::Over:
        return finish(direction);
    }
  }

  // A half-closed connection stays open the other way.
  void finish(Direction& direction) {
    direction.over = true;
    error_code ignored;
    direction.to().shutdown(tcp::socket::shutdown_send, ignored);
    if (there_.over && back_.over) close();
  }

  std::weak_ptr<Impl> owner_;
  tcp::socket client_, server_;
  asio::steady_timer deadline_;
  const Frontend frontend_;
  const std::vector<Backend> backends_;
  std::size_t next_ = 0;
  Backend backend_;
  Direction there_{client_, server_};
  Direction back_{server_, client_};
  bool closed_ = false;
};

void ServiceForwarder::Impl::apply(std::shared_ptr<const ForwardTable> fresh) {
  table = std::move(fresh);
  for (auto at = listeners.begin(); at != listeners.end();) {
    const auto found = table->find(at->first);
    const bool wanted = found != table->end() && !found->second.backends.empty();
    if (!wanted) at->second->acceptor.close();
    at = wanted ? std::next(at) : listeners.erase(at);
  }
  for (const auto& [frontend, target] : *table) {
    if (!target.backends.empty() && !listeners.contains(frontend)) listen(frontend);
  }
  if (cut) cut_departed();
}

void ServiceForwarder::Impl::listen(const Frontend& frontend) {
  error_code failed;
  const auto address = asio::ip::make_address(frontend.address, failed);
  const tcp::endpoint endpoint(address, frontend.port);
  auto listener = std::make_shared<Listener>(io);
  tcp::acceptor& acceptor = listener->acceptor;
  if (!failed) acceptor.open(endpoint.protocol(), failed);
  if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor.bind(endpoint, failed);
  if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) {
    spdlog::warn("Service {}: cannot listen on {}:{}: {}", table->at(frontend).service,
                 frontend.address, frontend.port, failed.message());
    return;
  }
  listeners.emplace(frontend, listener);
  accept(frontend, std::move(listener));
}

void ServiceForwarder::Impl::accept(const Frontend& frontend, std::shared_ptr<Listener> listener) {
  listener->acceptor.async_accept([self = shared_from_this(), frontend, listener](
                                      const error_code& failed, tcp::socket client) {
    if (!listener->acceptor.is_open()) return;
    error_code gone;
    const auto peer = client.remote_endpoint(gone);
    if (!failed && !gone && self->connections.size() < kMaxConnections) {
      auto connection = std::make_shared<Connection>(self, self->io, std::move(client), frontend,
                                                     self->choose(frontend, peer.address()));
      self->connections.insert(connection);
      connection->connect();
    }
    self->accept(frontend, listener);
  });
}

// All backends, beginning with the one whose turn it is: the others are for when it refuses.
std::vector<Backend> ServiceForwarder::Impl::choose(const Frontend& frontend,
                                                    const asio::ip::address& client) {
  const auto found = table->find(frontend);
  if (found == table->end() || found->second.backends.empty()) return {};
  std::vector<Backend> backends = found->second.backends;
  std::size_t& turn = listeners.at(frontend)->next_backend;
  const std::size_t first =
      found->second.same_client_same_backend && client.is_v4() ? client.to_v4().to_uint() : turn++;
  std::rotate(backends.begin(),
              backends.begin() + static_cast<std::ptrdiff_t>(first % backends.size()),
              backends.end());
  return backends;
}

void ServiceForwarder::Impl::cut_departed() {
  std::vector<std::shared_ptr<Connection>> departed;
  for (const auto& connection : connections) {
    const auto found = table->find(connection->frontend());
    const bool stays = found != table->end() &&
                       std::binary_search(found->second.backends.begin(),
                                          found->second.backends.end(), connection->backend());
    if (!stays) departed.push_back(connection);
  }
  for (const auto& connection : departed) connection->reset();
}

void ServiceForwarder::Impl::close() {
  for (const auto& [frontend, listener] : listeners) listener->acceptor.close();
  listeners.clear();
  const auto open = connections;
  for (const auto& connection : open) connection->close();
}

ServiceForwarder::ServiceForwarder(IoThread& thread, bool cut)
    : impl_(std::make_shared<Impl>(thread.io(), cut)) {}

ServiceForwarder::~ServiceForwarder() {
  asio::post(impl_->io, [impl = impl_] { impl->close(); });
}

void ServiceForwarder::set_table(std::shared_ptr<const ForwardTable> table) {
  asio::post(impl_->io, [impl = impl_, table = std::move(table)] { impl->apply(table); });
}

}  // namespace troupe::sim
