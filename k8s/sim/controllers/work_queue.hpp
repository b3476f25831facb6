// Keys to look at, each at most once however often it was added, worked off in turns on the API
// server's thread so that a long queue never keeps requests waiting. `add_after` brings a key back
// when time alone changes the answer. Not thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "k8s/sim/controllers/object_cache.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

class WorkQueue {
 public:
  using Work = std::function<void(const ObjectKey&)>;

  WorkQueue(boost::asio::io_context& io, Work work);
  ~WorkQueue();  // nothing runs afterwards
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  void add(ObjectKey key);
  void add(const CachedObject& object) { add(key_of(*object)); }
  // The earliest of several calls counts.
  void add_after(ObjectKey key, std::chrono::milliseconds delay);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
