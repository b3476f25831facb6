// One pending wake-up an actor, cancellable by setting another; CAF's delayed messages are not.
//
// TimerQueue is the plain data structure, turned by hand in tests and by the simulator;
// TimerThread drives one from an Asio context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/model/ids.hpp"
#include "runtime/model/time.hpp"

namespace troupe {

class Timers {
 public:
  virtual ~Timers() = default;
  // The actor is to be woken at `at`; replaces what was set before. TimePoint::max() cancels.
  virtual void set(ActorId actor, TimePoint at) = 0;
};

class TimerQueue {
 public:
  void set(ActorId actor, TimePoint at);
  std::vector<ActorId> take_due(TimePoint now);
  std::optional<TimePoint> next();
  std::size_t size() const { return current_.size(); }

 private:
  struct Entry {
    TimePoint at;
    ActorId actor;
  };
  void drop_stale();
  bool stale(const Entry& e) const;

  std::vector<Entry> heap_;  // earliest first; entries that were replaced stay until they surface
  std::unordered_map<ActorId, TimePoint> current_;
};

// Thread-safe. `fire` runs on the context's thread. Neither stop() nor the destructor waits for a
// call that is going on there, so what `fire` uses outlives that thread; clock and context outlive
// this object.
class TimerThread final : public Timers {
 public:
  using Fire = std::function<void(ActorId)>;
  TimerThread(boost::asio::io_context& io, const Clock& clock, Fire fire);
  ~TimerThread() override;
  void set(ActorId actor, TimePoint at) override;
  std::size_t size() const;  // actors that have a wake-up set
  // No timer fires after this has returned on the context's thread.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// For tests and the simulator: fires when asked to.
class ManualTimers final : public Timers {
 public:
  void set(ActorId actor, TimePoint at) override { queue_.set(actor, at); }
  TimerQueue& queue() { return queue_; }

 private:
  TimerQueue queue_;
};

}  // namespace troupe
