// Writes to the API server, and reads that must be fresh.
//
// One call at a time an object, a bounded number in flight, fair between objects (call_queue.hpp).
// The body of a successful write enters the store, and wakes whom it concerns, before its callback
// runs: whoever wrote sees what it wrote. A write whose outcome is unknown (it was sent, and no
// answer or a 5xx came) keeps its object's later calls waiting until a GET has shown what is there.
// Nothing is retried here but that GET: what a refusal means is for the caller to decide.
//
// submit() may be called from any thread; callbacks run on the loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "k8s/api/kind.hpp"
#include "k8s/api/snapshot.hpp"
#include "k8s/client/call_queue.hpp"
#include "k8s/client/loop.hpp"
#include "k8s/client/transport.hpp"
#include "k8s/client/wake_sink.hpp"
#include "k8s/store/router.hpp"
#include "k8s/store/store.hpp"
#include "runtime/model/ids.hpp"
#include "runtime/model/result.hpp"

namespace troupe::k8s {

enum class Verb : std::uint8_t { Get, Create, Apply, MergePatch, Delete };
std::string_view to_string(Verb verb);

// What becomes of what the object owns.
enum class Propagation : std::uint8_t { Background, Foreground, Orphan };

struct ApiCall {
  Verb verb = Verb::Get;
  const KindTable* kind = nullptr;  // kKind<T>, or one of a kind that only passes through
  std::string ns;                   // empty: an object of the cluster
  std::string name;                 // empty only for Create with metadata.generateName
  std::string subresource;          // "status", "eviction"; empty: the object itself
  // Create, Apply and MergePatch: the JSON to send. With metadata.resourceVersion in it, a write is
  // conditional: Code::Conflict means that somebody else wrote first.
  std::string body;
  std::string field_manager;  // required for Create, Apply and MergePatch
  bool force = false;         // Apply: takes fields from other managers
  // Apply: all is checked and nothing is written. Code::Denied where that cannot be found out, as
  // when an admission webhook takes part in no dry run.
  bool dry_run = false;

  // Delete only. A uid or version that no longer fits is Code::Conflict.
  std::string uid;
  ResourceVersion version;
  Propagation propagation = Propagation::Background;
  std::optional<std::int64_t> grace_period_seconds;

  Urgency urgency = Urgency::Normal;
  Duration timeout = std::chrono::seconds(10);  // from submit() to the callback
  CausalId cause;                               // the chain that this write belongs to; never sent
  ActorId actor;  // who asks: it gets the callback, so the change does not wake it
};

struct ApiOutcome {
  std::optional<Error> error;  // none: done
  int http_status = 0;         // 0: there was no answer
  std::string reason;          // of the Status: "Conflict", "AlreadyExists"
  bool unknown = false;        // the write may or may not have happened
  SnapshotPtr object;          // as the server has it now; null for kinds without a codec
  std::optional<Duration> retry_after;

  bool ok() const { return !error; }
};

struct ApiGatewayOptions {
  CallQueueLimits queue;
  // Which kinds' answers go into the store: those that are watched. Unset: none.
  std::function<bool(KindId)> is_watched;
  Duration settle_timeout = std::chrono::seconds(10);  // of one GET
  Backoff settle_backoff{std::chrono::milliseconds(250), std::chrono::seconds(10)};
  // A 429 holds all calls back as long as it says, at most this.
  Duration max_pause = std::chrono::seconds(30);
  std::uint64_t seed = 0;
};

// Counters only grow; the last three are levels. Relaxed, from any thread.
struct ApiGatewayMetrics {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> succeeded{0};
  std::atomic<std::uint64_t> conflicts{0};
  std::atomic<std::uint64_t> throttled{0};  // 429
  std::atomic<std::uint64_t> failed{0};     // all others
  std::atomic<std::uint64_t> rejected{0};   // the queue was full
  std::atomic<std::uint64_t> unknown{0};
  std::atomic<std::uint64_t> decode_errors{0};
  std::atomic<std::uint64_t> call_nanoseconds{0};  // from submit to callback, summed
  std::atomic<std::uint64_t> waiting{0};
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> unsettled{0};
};

class ApiGateway {
 public:
  using Done = std::function<void(ApiOutcome)>;

  ApiGateway(Loop& loop, Transport& transport, Store& store, const Router& router, WakeSink& sink,
             ApiGatewayOptions options = {});
  // On the loop, or after it has stopped. Callbacks of calls under way never run.
  ~ApiGateway();
  ApiGateway(const ApiGateway&) = delete;
  ApiGateway& operator=(const ApiGateway&) = delete;

  void submit(ApiCall call, Done done);
  // The chain of the write to this object that is under way; none if there is none. A watch often
  // tells of a write before its answer does. On the loop's thread.
  CausalId writing(const Snapshot& object) const;
  const ApiGatewayMetrics& metrics() const;
  const ApiGatewayOptions& options() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// The parts below are separate for their tests.

Request to_request(const ApiCall& call);
// What a refusal asks of the caller. `reason` tells the two meanings of 409 apart.
Code code_of(int http_status, std::string_view reason);
// Whether the server itself has decided against a call, as against being away, busy, or ahead of
// what we have seen.
bool is_refusal(int http_status);

}  // namespace troupe::k8s
