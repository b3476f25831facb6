// All watched kinds as one stream of changes: list and watch each, decode where the bytes arrive,
// put into the store, wake who depends on what changed.
//
// One Watcher and one HTTP stream a kind, or a kind and namespace where it is restricted to some.
// Everything runs on the loop's one thread; a read of a socket ends with one WakeSink::wake().
// What actors see is the store; a kind that cannot be watched keeps what was last known of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "k8s/api/kind.hpp"
#include "k8s/client/loop.hpp"
#include "k8s/client/transport.hpp"
#include "k8s/client/wake_sink.hpp"
#include "k8s/client/watcher.hpp"
#include "k8s/store/router.hpp"
#include "k8s/store/store.hpp"

namespace troupe::k8s {

struct WatchedKind {
  const KindInfo* kind = nullptr;
  std::vector<std::string> namespaces;  // empty: all, or a kind of the cluster
  std::string label_selector;
  std::string field_selector;
  bool metadata_only = false;  // spec and status stay empty
};

struct MultiplexerOptions {
  WatcherOptions watcher;
  std::uint64_t seed = 0;  // of the backoff's jitter
};

// Counters only grow. Relaxed: read one by one, from any thread.
struct MultiplexerMetrics {
  std::atomic<std::uint64_t> events{0};
  std::atomic<std::uint64_t> listed{0};   // objects in lists
  std::atomic<std::uint64_t> changes{0};  // that were news to the store
  std::atomic<std::uint64_t> wakes{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> reads{0};  // batches
  std::atomic<std::uint64_t> decode_errors{0};
  // Time from a batch's arrival until its actors were woken: the lag that we add.
  std::atomic<std::uint64_t> handling_nanoseconds{0};
  std::atomic<std::uint64_t> max_handling_nanoseconds{0};
};

struct WatchStatus {
  const KindInfo* kind = nullptr;
  std::string ns;  // empty: all
  WatchPhase phase = WatchPhase::Idle;
  bool synced = false;
  std::string trouble;
  TimePoint last_heard;  // lag of the stream: a healthy one is heard at least once a minute
  std::optional<TimePoint> without_stream_since;  // nothing while one is open
  ResourceVersion version;
  WatcherCounters counters;
};

class Multiplexer {
 public:
  Multiplexer(Loop& loop, Transport& transport, Store& store, const Router& router, WakeSink& sink,
              std::vector<WatchedKind> kinds, MultiplexerOptions options = {});
  // On the loop, or after it has stopped.
  ~Multiplexer();
  Multiplexer(const Multiplexer&) = delete;
  Multiplexer& operator=(const Multiplexer&) = delete;

  // On the loop. `all_synced` runs once, when each kind has been listed or found not installed.
  void start(std::function<void()> all_synced = {});
  // On the loop. Nothing is put or woken afterwards.
  void stop();

  // ---- From any thread ----

  // The kind's CRD may be there now: asks at once instead of at the next probe.
  void probe(KindId kind);
  bool watches(KindId kind) const;
  // Its objects have been listed, in every namespace asked for.
  bool synced(KindId kind) const;
  bool all_synced() const;
  std::vector<WatchStatus> statuses() const;
  const MultiplexerMetrics& metrics() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::k8s
