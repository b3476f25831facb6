#include "engines/mysql/resolver.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>

namespace troupe::mysql {
namespace {

constexpr std::size_t kThreads = 2;

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

Result<std::string> look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, FreeAddresses> list(found);
  if (failed != 0 || !list) {
    return error(Code::Retry, fmt::format("cannot resolve {:?}: {}", name, gai_strerror(failed)));
  }
  char text[NI_MAXHOST];
  const int unnamed =
      getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  if (unnamed != 0) {
    return error(Code::Retry, fmt::format("cannot print the address of {:?}", name));
  }
  return std::string(text);
}

}  // namespace

struct Resolver::State {
  boost::asio::thread_pool pool{kThreads};
  std::atomic<std::size_t> pending{0};
  std::atomic<std::uint64_t> refused{0};
};

Resolver::Resolver() : state_(std::make_shared<State>()) {}
Resolver::~Resolver() { state_->pool.join(); }

void Resolver::resolve(std::string name, boost::asio::any_io_executor executor, OnResolved done) {
  const auto answer = [executor, done = std::move(done)](Result<std::string> result) {
    boost::asio::post(executor, [done, result = std::move(result)] { done(result); });
  };
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(name, not_an_address);
  if (!not_an_address) return answer(std::move(name));
  if (state_->pending.fetch_add(1) >= kMaxPending) {
    state_->pending.fetch_sub(1);
    state_->refused.fetch_add(1);
    return answer(error(Code::Retry, "too many names are being resolved"));
  }
  boost::asio::post(state_->pool, [state = state_.get(), name = std::move(name), answer] {
    answer(look_up(name));
    state->pending.fetch_sub(1);
  });
}

std::size_t Resolver::pending() const { return state_->pending; }

std::uint64_t Resolver::refused() const { return state_->refused; }

}  // namespace troupe::mysql
