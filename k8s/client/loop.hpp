// The one thread on which a client's callbacks run, with its timers and its clock.
//
// AsioLoop drives it from a Boost.Asio context; the simulator has its own under a virtual clock.
// post() may be called from any thread; the rest only on the loop itself. Tasks must not block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "runtime/model/time.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::k8s {

struct TimerId {
  std::uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
};

class Loop {
 public:
  using Task = std::function<void()>;

  virtual ~Loop() = default;
  virtual void post(Task task) = 0;
  virtual TimerId call_at(TimePoint at, Task task) = 0;
  virtual void cancel(TimerId timer) = 0;
  virtual const Clock& clock() const = 0;
};

// Over a context that exactly one thread runs. `clock` must advance as CLOCK_MONOTONIC does.
// Destroyed after the context has stopped, or on its thread.
class AsioLoop final : public Loop {
 public:
  AsioLoop(boost::asio::io_context& io, const Clock& clock);
  ~AsioLoop() override;

  void post(Task task) override;
  TimerId call_at(TimePoint at, Task task) override;
  void cancel(TimerId timer) override;
  const Clock& clock() const override;
  boost::asio::io_context& context();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A context, its loop and the thread that runs it. stop() ends the thread: callbacks that have not
// run by then never do.
class LoopThread {
 public:
  explicit LoopThread(const Clock& clock);
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  AsioLoop& loop();
  // Runs `task` on the loop and waits for it. Not from the loop itself.
  void run(const std::function<void()>& task);
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::k8s
