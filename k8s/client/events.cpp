#include "k8s/client/events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <deque>
#include <functional>
#include <utility>

#include "runtime/logging.hpp"

namespace troupe::k8s {
namespace {

namespace json = boost::json;

constexpr KindTable kEventTable = {.version = "v1", .kind = "Event", .plural = "events"};
constexpr Duration kTimeout = std::chrono::seconds(10);
// Of an object's name in an Event's, so that both fit the 253 characters of a name.
constexpr std::size_t kMaxNamePart = 220;

std::string_view text_of(EventKind kind) {
  return kind == EventKind::Warning ? "Warning" : "Normal";
}

// Cut at a character, not inside one.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  text.resize(most);
  return text;
}

void log_line(const EventNote& note) {
  const auto object = note.ns.empty() ? note.name : note.ns + "/" + note.name;
  log::write(note.kind == EventKind::Warning ? log::Level::Warn : log::Level::Info, "event",
             {{"kind", note.object_kind->kind},
              {"object", object},
              {"reason", note.reason},
              {"message", cut(note.message, EventAggregator::kMaxMessage)},
              {"chain", std::to_string(note.cause.value)}});
}

}  // namespace

std::string_view to_string(EventClass value) {
  return value == EventClass::Happening ? "happening" : "guard";
}

template <class Value>
Value& EventAggregator::Recent<Value>::operator[](const std::string& key) {
  if (Value* known = find(key)) return *known;
  if (entries_.size() >= kMaxEntries) {
    index_.erase(entries_.back().first);
    entries_.pop_back();
  }
  entries_.emplace_front(key, Value{});
  index_.emplace(key, entries_.begin());
  return entries_.front().second;
}

template <class Value>
Value* EventAggregator::Recent<Value>::find(const std::string& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front().second;
}

template <class Value>
void EventAggregator::Recent<Value>::erase(const std::string& key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  entries_.erase(found->second);
  index_.erase(found);
}

std::optional<EventWrite> EventAggregator::observe(const EventNote& note, TimePoint now,
                                                   WallTime wall) {
  const auto object =
      fmt::format("{}|{}|{}|{}", note.object_kind->kind, note.ns, note.name, note.uid);
  if (!take_token(fmt::format("{}|{}", object, to_string(note.event_class)), now))
    return std::nullopt;
  const auto similar = fmt::format("{}|{}|{}", object, text_of(note.kind), note.reason);
  auto message = cut(note.message, kMaxMessage);
  auto key = similar + "|" + message;
  if (is_one_of_many(similar, message, now)) {
    key = similar;
    message = cut("(combined from similar events): " + note.message, kMaxMessage);
  }

  auto& known = known_[key];
  EventWrite write;
  write.create = known.count++ == 0;
  if (write.create) {
    known.first = wall;
    known.name = fmt::format("{}.{:x}{:04x}", cut(note.name, kMaxNamePart),
                             wall.time_since_epoch().count(), ++sequence_ & 0xFFFF);
  }
  write.ns = note.ns.empty() ? "default" : note.ns;
  write.name = known.name;
  write.key = std::move(key);
  write.body =
      write.create
          ? creation(note, write, message, wall)
          : json::serialize(json::object{
                {"count", known.count}, {"lastTimestamp", to_rfc3339(wall)}, {"message", message}});
  return write;
}

bool EventAggregator::take_token(const std::string& budget, TimePoint now) {
  auto& bucket = buckets_[budget];
  if (bucket.filled_at != TimePoint{}) {
    const double refilled = std::chrono::duration<double>(now - bucket.filled_at) /
                            std::chrono::duration<double>(kRefill);
    bucket.tokens = std::min(kBurst, bucket.tokens + refilled);
  }
  bucket.filled_at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

bool EventAggregator::is_one_of_many(const std::string& key, const std::string& message,
                                     TimePoint now) {
  auto& similar = similar_[key];
  if (now - similar.since > kSimilarWithin) similar.messages.clear();
  if (similar.messages.empty()) similar.since = now;
  if (similar.messages.size() <= kMaxSimilar) {
    similar.messages.insert(std::hash<std::string>()(message));
  }
  return similar.messages.size() > kMaxSimilar;
}

std::string EventAggregator::creation(const EventNote& note, const EventWrite& write,
                                      const std::string& message, WallTime wall) const {
  const auto& kind = *note.object_kind;
  json::object involved{
      {"apiVersion", kind.group.empty() ? std::string(kind.version)
                                        : fmt::format("{}/{}", kind.group, kind.version)},
      {"kind", std::string(kind.kind)},
      {"name", note.name}};
  if (!note.ns.empty()) involved["namespace"] = note.ns;
  if (!note.uid.empty()) involved["uid"] = note.uid;
  if (note.version) involved["resourceVersion"] = std::to_string(note.version.value);
  const auto now = to_rfc3339(wall);
  return json::serialize(
      json::object{{"apiVersion", "v1"},
                   {"kind", "Event"},
                   {"metadata", {{"name", write.name}, {"namespace", write.ns}}},
                   {"involvedObject", std::move(involved)},
                   {"type", std::string(text_of(note.kind))},
                   {"reason", note.reason},
                   {"message", message},
                   {"count", 1},
                   {"firstTimestamp", now},
                   {"lastTimestamp", now},
                   {"source", {{"component", source_.component}, {"host", source_.instance}}},
                   {"reportingComponent", source_.component},
                   {"reportingInstance", source_.instance}});
}

struct EventRecorder::Impl : std::enable_shared_from_this<EventRecorder::Impl> {
  Impl(Loop& on, Transport& over, EventSource source)
      : loop(on), transport(over), aggregator(std::move(source)) {}

  void take(const EventNote& note) {
    if (enqueue(note) && note.event_class == EventClass::Guard) log_line(note);
    send_next();
  }

  // False: the object has said too much.
  bool enqueue(const EventNote& note) {
    auto write = aggregator.observe(note, loop.clock().now(), loop.clock().wall());
    if (write) {
      waiting.push_back(Waiting{std::move(*write), note});
    } else {
      ++metrics.of(note.event_class).silenced;
      --metrics.waiting;
    }
    return write.has_value();
  }

  void send_next() {
    if (call || waiting.empty()) return;
    const auto& write = waiting.front().write;
    Request request;
    request.method = write.create ? Method::Post : Method::Patch;
    request.content_type = write.create ? "application/json" : "application/merge-patch+json";
    request.target = resource_path(kEventTable, write.ns, write.create ? "" : write.name);
    request.body = write.body;
    request.timeout = kTimeout;
    call = transport.call(std::move(request), [this](Reply reply) { sent(reply); });
  }

  void sent(const Reply& reply) {
    call = {};
    auto [write, note] = std::move(waiting.front());
    waiting.pop_front();
    const bool gone = reply && reply->status == 404 && !write.create;
    if (reply && reply->ok()) {
      ++metrics.of(note.event_class).sent;
    } else if (gone) {
      aggregator.forget(write.key);
      enqueue(note);  // what it makes now is a creation
      return send_next();
    } else {
      if (write.create) aggregator.forget(write.key);
      ++metrics.of(note.event_class).failed;
      log::debug("event not written", {{"event", write.ns + "/" + write.name},
                                       {"error", reply ? fmt::format("HTTP {}", reply->status)
                                                       : reply.error().error.message}});
    }
    --metrics.waiting;
    send_next();
  }

  struct Waiting {
    EventWrite write;
    EventNote note;
  };

  Loop& loop;
  Transport& transport;
  EventAggregator aggregator;
  std::deque<Waiting> waiting;  // the first is under way
  CallId call;
  EventMetrics metrics;
};

EventRecorder::EventRecorder(Loop& loop, Transport& transport, EventSource source)
    : impl_(std::make_shared<Impl>(loop, transport, std::move(source))) {}

EventRecorder::~EventRecorder() {
  if (impl_->call) impl_->transport.cancel(impl_->call);
}

void EventRecorder::record(EventNote note) {
  const bool happened = note.event_class == EventClass::Happening;
  if (happened) log_line(note);
  auto& metrics = impl_->metrics;
  if (metrics.waiting.fetch_add(1) >= (happened ? kMaxWaiting : kMaxWaiting - kForHappenings)) {
    --metrics.waiting;
    ++metrics.of(note.event_class).dropped;
    return;
  }
  impl_->loop.post([weak = impl_->weak_from_this(), note = std::move(note)] {
    if (const auto impl = weak.lock()) impl->take(note);
  });
}

const EventMetrics& EventRecorder::metrics() const { return impl_->metrics; }

}  // namespace troupe::k8s
