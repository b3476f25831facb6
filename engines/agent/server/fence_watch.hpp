// Watches whether the member has to close itself (model/self_fence.hpp), on a thread of its own.
//
// While the lease is fresh it only looks at the time. Once it has run out it asks the server, on a
// session that nothing else uses and with a deadline, and calls `fence` when the rule says so.
#pragma once

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "engines/agent/model/self_fence.hpp"
#include "engines/agent/server/local_mysql.hpp"
#include "runtime/clock.hpp"

namespace troupe::agent {

class FenceWatch {
 public:
  struct Member {
    // False: it cannot answer, or a command of the operator is under way.
    std::function<bool()> can_be_asked;
    // Closes it; returns when it is closed, or could not be.
    std::function<void(const std::string& reason)> fence;
  };

  FenceWatch(boost::asio::io_context& context, LocalLogin login, SelfFenceLimits limits,
             Member member);
  ~FenceWatch();

  void start();
  // It fences no more. Returns when what it does is done, so end that first.
  void stop();
  // The lease, as renewed by the operator. From any thread.
  void renew();
  void set_fenced(bool fenced);
  // As LocalMysql's.
  void process_ended() { session_.process_ended(); }

 private:
  void keep_watch();
  void look();

  const Duration interval_;
  const Member member_;
  const SystemClock clock_;
  LocalMysql session_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  SelfFence rule_;

  std::thread thread_;
};

}  // namespace troupe::agent
