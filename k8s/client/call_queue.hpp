// Which call goes to the API server next: fair between objects, one call at a time an object, a
// bounded number in flight. Pure: numbers in, numbers out.
//
// Each object has a lane. Lanes that have a call and none in flight take turns; urgent calls go
// before the others (a role change must not wait behind ten thousand Pods that are being created).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "k8s/api/kind.hpp"

namespace troupe::k8s {

struct ObjectKey {
  KindId kind{};
  std::string ns;
  std::string name;
  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
};

struct ObjectKeyHash {
  std::size_t operator()(const ObjectKey& key) const noexcept;
};

enum class Urgency : std::uint8_t { Normal, Urgent };

struct CallQueueLimits {
  // What the server's fair queuing lets one client have at a time, and the transport connections.
  std::size_t in_flight = 32;
  // A start of ten thousand units queues this much; more is refused and comes back with backoff.
  std::size_t waiting = std::size_t{1} << 16;
  // More calls waiting for one object mean that their caller does not wait for answers.
  std::size_t waiting_an_object = 16;
};

class CallQueue {
 public:
  explicit CallQueue(CallQueueLimits limits) : limits_(limits) {}

  // False: full.
  bool push(std::uint64_t call, const ObjectKey& object, Urgency urgency);
  // The next call to send; its object is busy until done(). None if none may go now.
  std::optional<std::uint64_t> pop();
  // The object's call is over, and what it did is known.
  void done(const ObjectKey& object);
  // A call that is still waiting leaves.
  void remove(std::uint64_t call, const ObjectKey& object);

  std::size_t waiting() const { return waiting_; }
  std::size_t in_flight() const { return in_flight_; }

 private:
  struct Waiting {
    std::uint64_t call;
    Urgency urgency;
  };
  struct Lane {
    std::deque<Waiting> calls;
    bool busy = false;
    bool queued = false;         // stands in ready_
    bool urgent_queued = false;  // stands in urgent_
  };
  using Lanes = std::unordered_map<ObjectKey, Lane, ObjectKeyHash>;

  void enqueue(const ObjectKey& object, Lane& lane);
  std::optional<std::uint64_t> pop_from(std::deque<ObjectKey>& ready, bool Lane::*queued);

  const CallQueueLimits limits_;
  Lanes lanes_;
  std::deque<ObjectKey> ready_;
  std::deque<ObjectKey> urgent_;
  std::size_t waiting_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace troupe::k8s
