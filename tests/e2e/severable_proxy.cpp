#include "tests/e2e/severable_proxy.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "tests/support/loopback.hpp"

namespace troupe::e2e {
namespace {

using support::loopback;

// False once the other side has ended.
bool pass(int from, int to) {
  std::array<char, 65536> buffer;
  const auto n = recv(from, buffer.data(), buffer.size(), 0);
  for (ssize_t sent = 0; sent < n;) {
    const auto once =
        send(to, buffer.data() + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
    if (once <= 0) return false;
    sent += once;
  }
  return n > 0;
}

}  // namespace

SeverableProxy::SeverableProxy(std::uint16_t target_port) : target_port_(target_port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 64) != 0)
    throw std::runtime_error("the proxy cannot listen");
  getsockname(listener_, generic, &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

SeverableProxy::~SeverableProxy() {
  shutdown(listener_, SHUT_RDWR);  // wakes accept()
  acceptor_.join();
  close(listener_);
  sever();
  for (auto& carrier : carriers_) carrier.join();
}

void SeverableProxy::sever() {
  severed_ = true;
  const std::scoped_lock lock(mutex_);
  for (const int client : open_) shutdown(client, SHUT_RDWR);
}

void SeverableProxy::accept_all() {
  for (int client; (client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    if (severed_) {
      close(client);
      continue;
    }
    const std::scoped_lock lock(mutex_);
    open_.push_back(client);
    carriers_.emplace_back([this, client] { carry(client); });
  }
}

void SeverableProxy::carry(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(target_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    std::array<pollfd, 2> both{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    while (poll(both.data(), both.size(), -1) > 0) {
      if (both[0].revents != 0 && !pass(client, server)) break;
      if (both[1].revents != 0 && !pass(server, client)) break;
    }
  }
  close(server);
  const std::scoped_lock lock(mutex_);
  open_.remove(client);
  close(client);
}

}  // namespace troupe::e2e
