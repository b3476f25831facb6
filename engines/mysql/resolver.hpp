// Names of servers that are no Pods, resolved where blocking does no harm.
//
// The system's resolver can block for many seconds, so look-ups run on a small pool of threads with
// a bounded queue; a full queue refuses at once. A look-up cannot be cancelled: whoever stops
// waiting just ignores its answer.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/model/result.hpp"

namespace troupe::mysql {

class Resolver {
 public:
  // Far more than there are foreign servers; past this the system's resolver itself is down.
  static constexpr std::size_t kMaxPending = 256;

  using OnResolved = std::function<void(Result<std::string>)>;

  Resolver();
  ~Resolver();  // waits for the look-ups under way
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Answers on `executor` with the first address of `name` as text; an address is its own answer.
  void resolve(std::string name, boost::asio::any_io_executor executor, OnResolved done);

  std::size_t pending() const;    // look-ups under way or waiting
  std::uint64_t refused() const;  // since the start, as the queue was full

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace troupe::mysql
