// An io_context with a thread of its own: for container output, forwarded connections and name
// look-ups, which must neither wait for the API server's thread nor hold it up.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

class IoThread {
 public:
  IoThread();
  ~IoThread();  // stops and joins; what has not run by then never does
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  boost::asio::io_context& io();
  void post(std::function<void()> work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::sim
