#include "k8s/client/multiplexer.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "k8s/api/decode.hpp"
#include "k8s/client/change_batch.hpp"
#include "runtime/model/backoff.hpp"

namespace troupe::k8s {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kPartialList =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
constexpr std::string_view kPartial =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

void add(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

std::string what_of(const KindTable& kind, const std::string& ns) {
  auto what =
      kind.group.empty() ? std::string(kind.plural) : fmt::format("{}.{}", kind.plural, kind.group);
  return ns.empty() ? what : fmt::format("{} in namespace {}", what, ns);
}

WatchTarget target_of(const WatchedKind& watched, const std::string& ns) {
  const auto& table = watched.kind->table;
  return {resource_path(table, ns), what_of(table, ns), watched.label_selector,
          watched.field_selector};
}

watch::Refused refused(const ApiStatus& status, std::optional<Duration> retry_after) {
  if (!retry_after && status.retry_after_seconds) {
    retry_after = std::chrono::seconds(*status.retry_after_seconds);
  }
  return {status.code, status.message, retry_after};
}

}  // namespace

// One kind in one namespace: performs what its Watcher asks for.
class WatchDriver : public std::enable_shared_from_this<WatchDriver> {
 public:
  struct Context {
    Loop& loop;
    Transport& transport;
    Store& store;
    ChangeBatch batch;
    Decoder decoder;
    MultiplexerMetrics metrics;
    std::function<void()> on_progress;  // a phase changed, or a list was completed
    std::uint64_t seed = 0;
    std::uint64_t draws = 0;
  };

  WatchDriver(Context& context, const WatchedKind& watched, std::string ns,
              const WatcherOptions& options)
      : context_(context),
        kind_(*watched.kind),
        ns_(std::move(ns)),
        metadata_only_(watched.metadata_only),
        watcher_(target_of(watched, ns_), options) {}

  KindId kind() const { return kind_.id; }

  void start() { step(0, watch::Start{}); }
  void probe() { step(0, watch::Probe{}); }

  void stop() {
    stopped_ = true;
    cancel();
    context_.loop.cancel(timer_);
  }

  // From any thread.
  WatchStatus status() const {
    const std::lock_guard lock(mutex_);
    auto status = status_;
    status.last_heard = TimePoint(Duration(last_heard_.load(std::memory_order_relaxed)));
    return status;
  }

  void on_lines(std::uint64_t request, std::span<const std::string_view> lines, std::size_t bytes) {
    const auto began = now();
    add(context_.metrics.reads, 1);
    add(context_.metrics.bytes, bytes);
    last_heard_.store(began.time_since_epoch().count(), std::memory_order_relaxed);
    if (lines.empty()) feed(request, watch::Heard{}, began);
    for (const auto line : lines) {
      if (stopped_) return;
      feed(request, decoded(line), began);
    }
    finish_batch(began);
    report();
  }

  void step(std::uint64_t request, watch::Input input) {
    if (stopped_) return;
    const auto began = now();
    feed(request, std::move(input), began);
    finish_batch(began);
    report();
  }

  watch::Refused refusal(const Response& response) {
    const Document body(response.body, response.body.size() + kJsonPadding);
    auto status = context_.decoder.status(body);
    ApiStatus known = status ? std::move(*status) : ApiStatus{};
    known.code = response.status;
    if (known.message.empty()) known.message = "no reason given";
    return refused(known, response.retry_after);
  }

 private:
  class Stream;

  TimePoint now() const { return context_.loop.clock().now(); }

  void feed(std::uint64_t request, watch::Input input, TimePoint at) {
    outputs_.clear();
    watcher_.step(request, std::move(input), at, mix(context_.seed, ++context_.draws), outputs_);
    for (auto& output : outputs_) {
      std::visit([this](auto& each) { perform(each); }, output);
    }
  }

  watch::Input decoded(std::string_view line) {
    auto event = context_.decoder.watch_event(kind_, {line, line.size() + kJsonPadding});
    if (!event) {
      undecodable(event.error());
      return watch::Changed{};
    }
    add(context_.metrics.events, 1);
    switch (event->type) {
      case WatchEventType::Bookmark:
        return watch::Bookmark{event->version, event->initial_events_end};
      case WatchEventType::Error:
        return refused(event->status, std::nullopt);
      default:
        return watch::Changed{std::move(event->object), event->version,
                              event->type == WatchEventType::Deleted};
    }
  }

  void undecodable(const Error& why) {
    add(context_.metrics.decode_errors, 1);
    spdlog::warn("watch of {}: an object cannot be read: {}", kind_.name(), why.message);
  }

  void perform(watch::List& list);
  void perform(watch::Open& open);
  void on_page(std::uint64_t request, Reply reply);
  void perform(watch::Cancel&) { cancel(); }
  void perform(watch::WakeAt& wake) {
    context_.loop.cancel(timer_);
    timer_ = context_.loop.call_at(wake.at, [this] { step(0, watch::Woken{}); });
  }
  void perform(watch::Upsert& upsert) {
    context_.batch.add(relist_ ? context_.store.put(std::move(upsert.object), *relist_)
                               : context_.store.put(std::move(upsert.object)));
  }
  void perform(watch::Remove& remove) { context_.batch.add(context_.store.remove(*remove.object)); }
  void perform(watch::BeginRelist&) { relist_ = context_.store.begin_relist(kind_.id, ns_); }
  void perform(watch::EndRelist& end) {
    if (end.complete && relist_) {
      for (auto& gone : context_.store.finish_relist(*relist_, end.version)) {
        context_.batch.add(std::move(gone));
      }
    }
    relist_.reset();
  }

  void cancel() {
    if (call_) context_.transport.cancel(std::exchange(call_, {}));
  }

  void finish_batch(TimePoint began) {
    const auto changes = context_.batch.size();
    if (changes == 0) return;
    add(context_.metrics.changes, changes);
    add(context_.metrics.wakes, context_.batch.flush(began, CauseType::Watch));
    const auto took = static_cast<std::uint64_t>((now() - began).count());
    add(context_.metrics.handling_nanoseconds, took);
    auto& longest = context_.metrics.max_handling_nanoseconds;
    if (took > longest.load(std::memory_order_relaxed)) {
      longest.store(took, std::memory_order_relaxed);
    }
  }

  // Publishes what the watcher says of itself, and logs when its trouble changes.
  void report() {
    const bool moved = status_.phase != watcher_.phase() || status_.synced != watcher_.synced();
    const bool news = status_.trouble != watcher_.trouble();
    if (news && !watcher_.trouble().empty()) spdlog::warn("watch: {}", watcher_.trouble());
    if (news && watcher_.trouble().empty()) spdlog::info("watch of {} is well", kind_.name());
    {
      const std::lock_guard lock(mutex_);
      status_.kind = &kind_;
      status_.phase = watcher_.phase();
      status_.synced = watcher_.synced();
      status_.version = watcher_.version();
      status_.counters = watcher_.counters();
      auto& since = status_.without_stream_since;
      if (watcher_.phase() == WatchPhase::Watching) {
        since.reset();
      } else if (!since) {
        since = now();
      }
      if (moved || news) {
        status_.ns = ns_;
        status_.trouble = watcher_.trouble();
      }
    }
    if (moved) context_.on_progress();
  }

  Context& context_;
  const KindInfo& kind_;
  const std::string ns_;
  const bool metadata_only_;
  Watcher watcher_;
  Watcher::Outputs outputs_;
  std::optional<Store::Relist> relist_;
  CallId call_;
  TimerId timer_;
  bool stopped_ = false;
  std::atomic<Duration::rep> last_heard_{0};
  mutable std::mutex mutex_;
  WatchStatus status_;
};

// Tells the driver what comes of one stream request.
class WatchDriver::Stream final : public StreamHandler {
 public:
  Stream(std::weak_ptr<WatchDriver> driver, std::uint64_t request)
      : driver_(std::move(driver)), request_(request) {}

  void on_open() override { step(watch::Opened{}); }
  void on_lines(std::span<const std::string_view> lines, std::size_t bytes) override {
    if (const auto driver = driver_.lock()) driver->on_lines(request_, lines, bytes);
  }
  void on_refused(const Response& response) override {
    if (const auto driver = driver_.lock()) driver->step(request_, driver->refusal(response));
  }
  void on_end(std::optional<Error> error) override { step(watch::Ended{std::move(error)}); }

 private:
  void step(watch::Input input) {
    if (const auto driver = driver_.lock()) driver->step(request_, std::move(input));
  }

  std::weak_ptr<WatchDriver> driver_;
  const std::uint64_t request_;
};

void WatchDriver::perform(watch::List& list) {
  Request request;
  request.target = std::move(list.target);
  request.accept = metadata_only_ ? kPartialList : kJson;
  request.timeout = list.timeout;
  call_ = context_.transport.call(std::move(request),
                                  [weak = weak_from_this(), number = list.request](Reply reply) {
                                    if (const auto self = weak.lock())
                                      self->on_page(number, std::move(reply));
                                  });
}

void WatchDriver::perform(watch::Open& open) {
  Request request;
  request.target = std::move(open.target);
  request.accept = metadata_only_ ? kPartial : kJson;
  request.timeout = open.timeout;
  call_ = context_.transport.stream(std::move(request),
                                    std::make_shared<Stream>(weak_from_this(), open.request));
}

void WatchDriver::on_page(std::uint64_t request, Reply reply) {
  if (stopped_) return;
  if (!reply) return step(request, watch::Ended{reply.error().error});
  if (!reply->ok()) return step(request, refusal(*reply));
  const auto began = now();
  add(context_.metrics.bytes, reply->body.size());
  last_heard_.store(began.time_since_epoch().count(), std::memory_order_relaxed);
  auto page = context_.decoder.list_page(kind_, {reply->body, reply->body.size() + kJsonPadding});
  if (!page) return step(request, watch::Ended{page.error()});
  add(context_.metrics.listed, page->objects.size());
  for (auto& object : page->objects) feed(request, watch::Item{std::move(object)}, began);
  for (const auto& why : page->rejected) {
    undecodable(why);
    feed(request, watch::Item{nullptr}, began);
  }
  step(request, watch::Page{page->version, std::move(page->next)});
}

struct Multiplexer::Impl : std::enable_shared_from_this<Multiplexer::Impl> {
  Impl(Loop& loop, Transport& transport, Store& store, const Router& router, WakeSink& sink,
       const std::vector<WatchedKind>& kinds, const MultiplexerOptions& options)
      : context{loop,
                transport,
                store,
                ChangeBatch(router, sink),
                Decoder(),
                {},
                [this] { progress(); },
                options.seed,
                0} {
    for (const auto& watched : kinds) {
      auto namespaces = watched.namespaces;
      if (namespaces.empty() || watched.kind->table.scope == Scope::Cluster) namespaces = {""};
      for (auto& ns : namespaces) {
        drivers.push_back(
            std::make_shared<WatchDriver>(context, watched, std::move(ns), options.watcher));
      }
    }
  }

  ~Impl() { stop(); }

  void stop() {
    for (auto& driver : drivers) driver->stop();
  }

  void progress() {
    if (!on_synced || !all_synced()) return;
    std::exchange(on_synced, nullptr)();
  }

  bool all_synced() const {
    return std::all_of(drivers.begin(), drivers.end(), [](const auto& driver) {
      const auto status = driver->status();
      return status.synced || status.phase == WatchPhase::Absent;
    });
  }

  WatchDriver::Context context;
  std::vector<std::shared_ptr<WatchDriver>> drivers;  // fixed from the start
  std::function<void()> on_synced;
};

Multiplexer::Multiplexer(Loop& loop, Transport& transport, Store& store, const Router& router,
                         WakeSink& sink, std::vector<WatchedKind> kinds, MultiplexerOptions options)
    : impl_(std::make_shared<Impl>(loop, transport, store, router, sink, kinds, options)) {}

Multiplexer::~Multiplexer() { impl_->stop(); }

void Multiplexer::start(std::function<void()> all_synced) {
  impl_->on_synced = std::move(all_synced);
  for (auto& driver : impl_->drivers) driver->start();
  impl_->progress();
}

void Multiplexer::stop() { impl_->stop(); }

void Multiplexer::probe(KindId kind) {
  impl_->context.loop.post([weak = impl_->weak_from_this(), kind] {
    const auto impl = weak.lock();
    if (!impl) return;
    for (auto& driver : impl->drivers) {
      if (driver->kind() == kind) driver->probe();
    }
  });
}

bool Multiplexer::watches(KindId kind) const {
  return std::any_of(impl_->drivers.begin(), impl_->drivers.end(),
                     [&](const auto& driver) { return driver->kind() == kind; });
}

bool Multiplexer::synced(KindId kind) const {
  return watches(kind) &&
         std::all_of(impl_->drivers.begin(), impl_->drivers.end(), [&](const auto& driver) {
           return driver->kind() != kind || driver->status().synced;
         });
}

bool Multiplexer::all_synced() const { return impl_->all_synced(); }

std::vector<WatchStatus> Multiplexer::statuses() const {
  std::vector<WatchStatus> result;
  for (const auto& driver : impl_->drivers) result.push_back(driver->status());
  return result;
}

const MultiplexerMetrics& Multiplexer::metrics() const { return impl_->context.metrics; }

}  // namespace troupe::k8s
