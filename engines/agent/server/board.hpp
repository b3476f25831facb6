// The agent's state, as its Watch streams tell it: written from anywhere, read by all watchers.
//
// Thread-safe. Listeners are called after a change, on the thread that made it, without any lock;
// they read the newest state when they get to it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "engines/agent/model/observation.hpp"

namespace troupe::agent {

class Board {
 public:
  struct View {
    std::uint64_t sequence = 0;
    AgentObservation state;  // without what only the operator's end knows: stream, since, seen
  };
  using Listener = std::function<void()>;

  // Changes the state under the lock; tells the listeners unless nothing has changed.
  void update(const std::function<void(AgentObservation&)>& change);
  View view() const;
  AgentObservation state() const { return view().state; }

  // Until the subscription is destroyed. A call that has begun may still end after that.
  using Subscription = std::shared_ptr<void>;
  Subscription listen(Listener listener);

 private:
  struct Listeners {
    std::mutex mutex;
    std::uint64_t next_id = 0;
    std::map<std::uint64_t, Listener> entries;
  };

  mutable std::mutex mutex_;
  View view_;
  std::shared_ptr<Listeners> listeners_ = std::make_shared<Listeners>();
};

}  // namespace troupe::agent
