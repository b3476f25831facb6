#include "k8s/sim/kubelet/dns_server.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "k8s/sim/kubelet/dns_answer.hpp"

namespace troupe::sim {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

// A TCP client that asks nothing is dropped.
constexpr std::chrono::seconds kIdleDeadline{5};

}  // namespace

struct DnsServer::Impl : std::enable_shared_from_this<DnsServer::Impl> {
  explicit Impl(asio::io_context& io_context) : io(io_context), datagrams(io), acceptor(io) {}

  Result<void> open(const std::string& address, std::uint16_t port) {
    error_code failed;
    const auto ip = asio::ip::make_address(address, failed);
    if (!failed) datagrams.open(udp::v4(), failed);
    if (!failed) datagrams.bind({ip, port}, failed);
    if (!failed) acceptor.open(tcp::v4(), failed);
    if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor.bind({ip, port}, failed);
    if (!failed) acceptor.listen(asio::socket_base::max_listen_connections, failed);
    if (!failed) return {};
    return error(Code::Fatal,
                 fmt::format("cannot answer names on {}:{}: {}", address, port, failed.message()));
  }

  void receive() {
    datagrams.async_receive_from(
        asio::buffer(buffer), peer,
        [self = shared_from_this()](const error_code& failed, std::size_t n) {
          if (!self->datagrams.is_open()) return;
          if (!failed) self->reply({self->buffer.data(), n});
          self->receive();
        });
  }

  // At once: a datagram that does not fit the socket's buffer is lost, and asked for again.
  void reply(std::string_view query) {
    const std::string answer = answer_query(query, *names, kMaxUdpAnswer);
    error_code ignored;
    if (!answer.empty()) datagrams.send_to(asio::buffer(answer), peer, 0, ignored);
  }

  struct Client {
    explicit Client(tcp::socket s) : socket(std::move(s)), timer(socket.get_executor()) {}
    tcp::socket socket;
    asio::steady_timer timer;
    std::array<unsigned char, 2> length;
    std::string message;
  };

  void accept() {
    acceptor.async_accept([self = shared_from_this()](const error_code& failed, tcp::socket s) {
      if (!self->acceptor.is_open()) return;
      if (!failed) self->serve(std::make_shared<Client>(std::move(s)));
      self->accept();
    });
  }

  // Each message follows its length in two bytes.
  void serve(std::shared_ptr<Client> client) {
    client->timer.expires_after(kIdleDeadline);
    client->timer.async_wait([client](const error_code& cancelled) {
      if (!cancelled) client->socket.close();
    });
    asio::async_read(client->socket, asio::buffer(client->length),
                     [self = shared_from_this(), client](const error_code& ended, std::size_t) {
                       if (ended) return client->timer.cancel(), void();
                       client->message.resize(client->length[0] * 256U + client->length[1]);
                       self->read_message(client);
                     });
  }

  void read_message(std::shared_ptr<Client> client) {
    asio::async_read(client->socket, asio::buffer(client->message),
                     [self = shared_from_this(), client](const error_code& ended, std::size_t) {
                       if (ended) return client->timer.cancel(), void();
                       self->answer(client);
                     });
  }

  void answer(std::shared_ptr<Client> client) {
    client->message = answer_query(client->message, *names, kMaxTcpAnswer);
    client->length = {static_cast<unsigned char>(client->message.size() >> 8),
                      static_cast<unsigned char>(client->message.size() & 255)};
    const std::array<asio::const_buffer, 2> parts{asio::buffer(client->length),
                                                  asio::buffer(client->message)};
    asio::async_write(client->socket, parts,
                      [self = shared_from_this(), client](const error_code& ended, std::size_t) {
                        if (ended) return client->timer.cancel(), void();
                        self->serve(client);
                      });
  }

  void close() {
    error_code ignored;
    datagrams.close(ignored);
    acceptor.close(ignored);
  }

  asio::io_context& io;
  udp::socket datagrams;
  tcp::acceptor acceptor;
  udp::endpoint peer;
  std::array<char, 4096> buffer;
  std::shared_ptr<const NameTable> names = std::make_shared<NameTable>();
};

Result<std::unique_ptr<DnsServer>> DnsServer::start(IoThread& thread, const std::string& address,
                                                    std::uint16_t port) {
  auto impl = std::make_shared<Impl>(thread.io());
  if (auto opened = impl->open(address, port); !opened) return opened.error();
  asio::post(thread.io(), [impl] {
    impl->receive();
    impl->accept();
  });
  return std::unique_ptr<DnsServer>(new DnsServer(std::move(impl)));
}

DnsServer::~DnsServer() {
  asio::post(impl_->io, [impl = impl_] { impl->close(); });
}

void DnsServer::set_names(std::shared_ptr<const NameTable> names) {
  asio::post(impl_->io, [impl = impl_, names = std::move(names)] { impl->names = names; });
}

}  // namespace troupe::sim
