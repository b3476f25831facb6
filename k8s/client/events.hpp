// Events for people (core/v1): what `kubectl describe` shows below an object.
//
// As users of other controllers expect: an event that repeats raises the count of the one that
// exists; many that differ only in their message become one, "(combined from similar events)"; and
// an object that talks too much is silenced for a while. What happened to it and what stands in its
// way have budgets of their own, so that chatter of the one sort never silences the other. Events
// are best effort: what does not fit the bounds is dropped and counted, and nothing waits for them.
//
// Each is a line of the log too, also while the API server is away. What stands in the way is
// silenced there with its Event; what happened is always told.
//
// EventAggregator decides and is pure; EventRecorder sends, one request at a time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "k8s/api/kind.hpp"
#include "k8s/api/types.hpp"
#include "k8s/client/loop.hpp"
#include "k8s/client/transport.hpp"
#include "runtime/model/ids.hpp"
#include "runtime/model/time.hpp"

namespace troupe::k8s {

enum class EventKind : std::uint8_t { Normal, Warning };

enum class EventClass : std::uint8_t {
  Happening,  // something began or ended: seldom, and each counts
  Guard       // something stands in the way, or no more: may come and go for ever
};
inline constexpr std::size_t kEventClasses = 2;
std::string_view to_string(EventClass value);

// What happened to an object.
struct EventNote {
  const KindTable* object_kind = nullptr;
  std::string ns;  // empty: an object of the cluster; its events go to "default"
  std::string name;
  std::string uid;
  ResourceVersion version;
  EventKind kind = EventKind::Normal;
  EventClass event_class = EventClass::Guard;
  std::string reason;   // CamelCase, for machines
  std::string message;  // for people; cut to 1 KiB, as the API server demands
  CausalId cause;       // of the run that tells it, for the log
};

// What to send: a new Event, or a merge patch of one that was created before.
struct EventWrite {
  std::string ns;
  std::string name;
  std::string key;  // for EventAggregator::forget()
  bool create = true;
  std::string body;
};

struct EventSource {
  std::string component;  // "troupe-operator"
  std::string instance;   // the pod
};

class EventAggregator {
 public:
  // As client-go's correlator, which has one budget an object, where we have one for each class.
  static constexpr std::size_t kMaxSimilar = 10;
  static constexpr Duration kSimilarWithin = std::chrono::minutes(10);
  static constexpr double kBurst = 25;
  static constexpr Duration kRefill = std::chrono::minutes(5);  // of one event
  static constexpr std::size_t kMaxMessage = 1024;
  // Of each of the three tables; the least recently used goes.
  static constexpr std::size_t kMaxEntries = 4096;

  explicit EventAggregator(EventSource source) : source_(std::move(source)) {}

  // Nothing: the object has said too much of this class lately.
  std::optional<EventWrite> observe(const EventNote& note, TimePoint now, WallTime wall);
  // The Event is no longer there (they expire after an hour): the next one is created anew.
  void forget(const std::string& key) { known_.erase(key); }

 private:
  // A table that forgets what was not used for longest.
  template <class Value>
  class Recent {
   public:
    Value& operator[](const std::string& key);
    Value* find(const std::string& key);
    void erase(const std::string& key);

   private:
    using Entries = std::list<std::pair<std::string, Value>>;
    Entries entries_;  // the most recently used first
    std::unordered_map<std::string, typename Entries::iterator> index_;
  };
  struct Bucket {
    double tokens = kBurst;
    TimePoint filled_at;
  };
  struct Similar {
    std::set<std::size_t> messages;  // hashes
    TimePoint since;
  };
  struct Known {
    std::string name;
    std::int32_t count = 0;
    WallTime first{};
  };

  bool take_token(const std::string& budget, TimePoint now);
  bool is_one_of_many(const std::string& key, const std::string& message, TimePoint now);
  std::string creation(const EventNote& note, const EventWrite& write, const std::string& message,
                       WallTime wall) const;

  const EventSource source_;
  std::uint64_t sequence_ = 0;
  Recent<Bucket> buckets_;   // by object and class
  Recent<Similar> similar_;  // by object, kind and reason
  Recent<Known> known_;      // by object, kind, reason and message
};

struct EventMetrics {
  struct Counts {
    std::atomic<std::uint64_t> sent{0};
    std::atomic<std::uint64_t> silenced{0};  // the object said too much
    std::atomic<std::uint64_t> dropped{0};   // too many waiting
    std::atomic<std::uint64_t> failed{0};
  };
  std::array<Counts, kEventClasses> by_class;
  std::atomic<std::uint64_t> waiting{0};  // now, with those that are being posted

  Counts& of(EventClass c) { return by_class[static_cast<std::size_t>(c)]; }
  const Counts& of(EventClass c) const { return by_class[static_cast<std::size_t>(c)]; }
};

class EventRecorder {
 public:
  // Waiting to be sent; a cluster-wide incident is told by its first thousand events.
  static constexpr std::size_t kMaxWaiting = 1000;
  // Of these, for what happened: guards never take the last places.
  static constexpr std::size_t kForHappenings = 200;

  EventRecorder(Loop& loop, Transport& transport, EventSource source);
  // On the loop, or after it has stopped.
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  // From any thread; never blocks.
  void record(EventNote note);
  const EventMetrics& metrics() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::k8s
