#include "k8s/client/api_gateway.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "k8s/api/decode.hpp"
#include "k8s/api/kinds.hpp"
#include "k8s/client/change_batch.hpp"

namespace troupe::k8s {
namespace {

// A 429 without Retry-After.
constexpr Duration kDefaultPause = std::chrono::seconds(1);

void add(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

bool writes(const ApiCall& call) { return call.verb != Verb::Get && !call.dry_run; }

std::string text_of(const ApiCall& call) {
  return fmt::format("{} {} {}{}{}{}{}", to_string(call.verb), call.kind->kind, call.ns,
                     call.ns.empty() ? "" : "/", call.name, call.subresource.empty() ? "" : "/",
                     call.subresource);
}

Document document(const std::string& body) { return {body, body.size() + kJsonPadding}; }

}  // namespace

struct ApiGateway::Impl : std::enable_shared_from_this<ApiGateway::Impl> {
  struct Pending {
    ApiCall call;
    Done done;
    ObjectKey key;
    TimePoint since;
    TimePoint deadline;
    TimerId timer;  // while it waits
    CallId request;
  };
  // A write to it may or may not have happened; it is read until that is known.
  struct Unsettled {
    ApiCall get;
    std::uint32_t attempts = 0;
    CallId request;
    TimerId timer;
  };

  Impl(Loop& on, Transport& over, Store& into, const Router& router, WakeSink& sink,
       ApiGatewayOptions opts)
      : loop(on),
        transport(over),
        store(into),
        batch(router, sink),
        options(std::move(opts)),
        queue(options.queue) {}

  ~Impl() {
    for (auto& [id, pending] : calls) {
      loop.cancel(pending.timer);
      if (pending.request) transport.cancel(pending.request);
    }
    for (auto& [key, each] : unsettled) {
      loop.cancel(each.timer);
      if (each.request) transport.cancel(each.request);
    }
    loop.cancel(pause_timer);
  }

  void start(ApiCall call, Done done, TimePoint since);
  void pump();
  void send(std::uint64_t id, Pending& pending);
  void expire(std::uint64_t id);
  void answered(std::uint64_t id, Reply reply);
  ApiOutcome without_response(const Pending& pending, const Failure& failure) const;
  ApiOutcome with_response(const Pending& pending, Response& response);
  ApiOutcome refusal(const Pending& pending, const Response& response);
  SnapshotPtr take_in(const ApiCall& call, Response& response);
  void pause(Duration how_long);
  void finish(std::uint64_t id, ApiOutcome outcome);
  void count(const ApiOutcome& outcome, Duration took);
  void settle(const ObjectKey& key, ApiCall write);
  void look(const ObjectKey& key);
  void looked(const ObjectKey& key, Reply reply);
  void publish_levels();

  Loop& loop;
  Transport& transport;
  Store& store;
  ChangeBatch batch;
  const ApiGatewayOptions options;
  CallQueue queue;
  Decoder decoder;
  std::uint64_t next_id = 1;
  std::unordered_map<std::uint64_t, Pending> calls;
  std::unordered_map<ObjectKey, Unsettled, ObjectKeyHash> unsettled;
  std::unordered_map<ObjectKey, CausalId, ObjectKeyHash> writing;  // sent and not answered
  TimePoint paused_until;
  TimerId pause_timer;
  std::uint64_t draws = 0;
  ApiGatewayMetrics metrics;
};

void ApiGateway::Impl::start(ApiCall call, Done done, TimePoint since) {
  add(metrics.calls);
  const auto id = next_id++;
  ObjectKey key{kind_id(call.kind->group, call.kind->kind), call.ns, call.name};
  // Objects that the server names have no lane in common.
  if (key.name.empty()) key.name = fmt::format("?{}", id);
  if (!queue.push(id, key, call.urgency)) {
    add(metrics.rejected);
    ApiOutcome outcome;
    outcome.error = error(Code::Retry, text_of(call) + ": too many calls are waiting");
    return done(std::move(outcome));
  }
  const auto deadline = since + call.timeout;
  calls.emplace(id,
                Pending{std::move(call), std::move(done), std::move(key), since, deadline, {}, {}});
  pump();
  // Those that have to wait have a timer; most are under way by now.
  if (const auto found = calls.find(id); found != calls.end() && !found->second.request) {
    found->second.timer = loop.call_at(deadline, [this, id] { expire(id); });
  }
}

void ApiGateway::Impl::pump() {
  if (loop.clock().now() >= paused_until) {
    while (const auto id = queue.pop()) send(*id, calls.at(*id));
  }
  publish_levels();
}

void ApiGateway::Impl::send(std::uint64_t id, Pending& pending) {
  loop.cancel(std::exchange(pending.timer, {}));
  auto request = to_request(pending.call);
  if (writes(pending.call)) writing[pending.key] = pending.call.cause;
  // One that is popped in its last moment still gets an answer, if only a timeout's.
  request.timeout =
      std::max<Duration>(std::chrono::milliseconds(1), pending.deadline - loop.clock().now());
  pending.request = transport.call(std::move(request),
                                   [this, id](Reply reply) { answered(id, std::move(reply)); });
}

// Of a call that was never sent.
void ApiGateway::Impl::expire(std::uint64_t id) {
  const auto& pending = calls.at(id);
  queue.remove(id, pending.key);
  ApiOutcome outcome;
  const bool blocked = unsettled.count(pending.key) != 0;
  outcome.error =
      error(Code::Retry, fmt::format("{}: not sent within {}: {}", text_of(pending.call),
                                     to_text(pending.call.timeout),
                                     blocked ? "the outcome of the write before it is still unknown"
                                             : "too many calls before it"));
  finish(id, std::move(outcome));
}

void ApiGateway::Impl::answered(std::uint64_t id, Reply reply) {
  auto& pending = calls.at(id);
  auto outcome = reply ? with_response(pending, *reply) : without_response(pending, reply.error());
  const auto key = pending.key;
  if (outcome.unknown && !pending.call.name.empty()) {
    add(metrics.unknown);
    settle(key, pending.call);
  } else {
    queue.done(key);
  }
  finish(id, std::move(outcome));
  pump();
}

ApiOutcome ApiGateway::Impl::without_response(const Pending& pending,
                                              const Failure& failure) const {
  ApiOutcome outcome;
  outcome.unknown = failure.sent && writes(pending.call);
  // What was certainly not done can be done again.
  const auto code = failure.error.code == Code::Timeout ? Code::Retry : failure.error.code;
  outcome.error = error(outcome.unknown ? Code::Timeout : code,
                        fmt::format("{}: {}", text_of(pending.call), failure.error.message));
  return outcome;
}

ApiOutcome ApiGateway::Impl::with_response(const Pending& pending, Response& response) {
  if (!response.ok()) return refusal(pending, response);
  ApiOutcome outcome;
  outcome.http_status = response.status;
  outcome.object = take_in(pending.call, response);
  return outcome;
}

ApiOutcome ApiGateway::Impl::refusal(const Pending& pending, const Response& response) {
  const auto& call = pending.call;
  const auto status = decoder.status(document(response.body));
  ApiOutcome outcome;
  outcome.http_status = response.status;
  outcome.retry_after = response.retry_after;
  if (status) {
    outcome.reason = status->reason;
    if (!outcome.retry_after && status->retry_after_seconds) {
      outcome.retry_after = std::chrono::seconds(*status->retry_after_seconds);
    }
  }
  const bool says_nothing = call.dry_run && response.status == 400;
  outcome.error = error(says_nothing ? Code::Denied : code_of(response.status, outcome.reason),
                        fmt::format("{}: HTTP {}: {}", text_of(call), response.status,
                                    status ? status->message : "no reason given"));
  // A server may fail after etcd has taken the write.
  outcome.unknown = response.status >= 500 && writes(call);
  if (response.status == 429) pause(outcome.retry_after.value_or(kDefaultPause));
  return outcome;
}

// The object that a successful call answered with goes into the store.
SnapshotPtr ApiGateway::Impl::take_in(const ApiCall& call, Response& response) {
  if (call.dry_run) return nullptr;
  if (!call.subresource.empty() && call.subresource != "status") return nullptr;
  const auto* kind = find_kind(call.kind->group, call.kind->kind);
  if (kind == nullptr) return nullptr;
  auto object = decoder.object(*kind, document(response.body));
  if (!object) {
    // The answer to a DELETE may be a Status.
    if (call.verb != Verb::Delete) {
      add(metrics.decode_errors);
      spdlog::warn("{}: the answer cannot be read: {}", text_of(call), object.error().message);
    }
    return nullptr;
  }
  // A deleted object is as it was before; whether it lingers is said by its deletionTimestamp.
  if (call.verb == Verb::Delete && !(*object)->deleting()) return nullptr;
  if (options.is_watched && options.is_watched(kind->id)) {
    batch.add(store.put(*object));
    batch.flush(loop.clock().now(), CauseType::Watch, call.cause, call.actor);
  }
  return std::move(*object);
}

void ApiGateway::Impl::pause(Duration how_long) {
  const auto until = loop.clock().now() + std::min(how_long, options.max_pause);
  if (until <= paused_until) return;
  paused_until = until;
  loop.cancel(pause_timer);
  pause_timer = loop.call_at(until, [this] { pump(); });
}

void ApiGateway::Impl::finish(std::uint64_t id, ApiOutcome outcome) {
  const auto found = calls.find(id);
  auto pending = std::move(found->second);
  if (pending.request) writing.erase(pending.key);
  calls.erase(found);
  loop.cancel(pending.timer);
  count(outcome, loop.clock().now() - pending.since);
  pending.done(std::move(outcome));
}

void ApiGateway::Impl::count(const ApiOutcome& outcome, Duration took) {
  add(metrics.call_nanoseconds, static_cast<std::uint64_t>(took.count()));
  if (outcome.ok()) {
    add(metrics.succeeded);
  } else if (outcome.error->code == Code::Conflict) {
    add(metrics.conflicts);
  } else if (outcome.http_status == 429) {
    add(metrics.throttled);
  } else {
    add(metrics.failed);
  }
}

// The object keeps its place in flight until it is known how it stands, so that a server that
// answers nobody gets no more calls than it had.
void ApiGateway::Impl::settle(const ObjectKey& key, ApiCall write) {
  ApiCall get;
  get.kind = write.kind;
  get.ns = write.ns;
  get.name = write.name;
  get.timeout = options.settle_timeout;
  unsettled.emplace(key, Unsettled{std::move(get), 0, {}, {}});
  look(key);
}

void ApiGateway::Impl::look(const ObjectKey& key) {
  auto& each = unsettled.at(key);
  each.timer = {};
  each.request = transport.call(to_request(each.get),
                                [this, key](Reply reply) { looked(key, std::move(reply)); });
}

void ApiGateway::Impl::looked(const ObjectKey& key, Reply reply) {
  auto& each = unsettled.at(key);
  each.request = {};
  // Any definite answer settles it; a refusal will not become clearer by asking again.
  const bool again = !reply || reply->status == 429 || reply->status >= 500;
  if (again) {
    const auto delay = options.settle_backoff.delay(++each.attempts, mix(options.seed, ++draws));
    each.timer = loop.call_at(loop.clock().now() + delay, [this, key] { look(key); });
    return;
  }
  if (reply->ok()) take_in(each.get, *reply);
  unsettled.erase(key);
  queue.done(key);
  pump();
}

void ApiGateway::Impl::publish_levels() {
  metrics.waiting.store(queue.waiting(), std::memory_order_relaxed);
  metrics.in_flight.store(queue.in_flight(), std::memory_order_relaxed);
  metrics.unsettled.store(unsettled.size(), std::memory_order_relaxed);
}

ApiGateway::ApiGateway(Loop& loop, Transport& transport, Store& store, const Router& router,
                       WakeSink& sink, ApiGatewayOptions options)
    : impl_(std::make_shared<Impl>(loop, transport, store, router, sink, std::move(options))) {}

ApiGateway::~ApiGateway() = default;

void ApiGateway::submit(ApiCall call, Done done) {
  const auto since = impl_->loop.clock().now();
  impl_->loop.post([weak = impl_->weak_from_this(), call = std::move(call), done = std::move(done),
                    since]() mutable {
    if (const auto impl = weak.lock()) impl->start(std::move(call), std::move(done), since);
  });
}

CausalId ApiGateway::writing(const Snapshot& object) const {
  if (impl_->writing.empty()) return {};  // nearly always
  const auto found =
      impl_->writing.find(ObjectKey{object.kind(), object.ns().str(), object.name().str()});
  return found == impl_->writing.end() ? CausalId{} : found->second;
}

const ApiGatewayMetrics& ApiGateway::metrics() const { return impl_->metrics; }

const ApiGatewayOptions& ApiGateway::options() const { return impl_->options; }

}  // namespace troupe::k8s
