#include "k8s/sim/api/watch_hub.hpp"

#include <algorithm>

#include "k8s/sim/api/render.hpp"

namespace troupe::sim {
namespace {

using Kind = WatchNotice::Kind;

constexpr auto kBookmarkInterval = std::chrono::seconds(60);
// The last bookmark of a watch that is about to end, so that its successor starts close by.
constexpr auto kFinalBookmark = std::chrono::seconds(2);

}  // namespace

struct WatchHub::Watch {
  WatchSpec spec;
  std::shared_ptr<Watcher> watcher;  // until the watch ends
  std::vector<ObjectPtr> initial;
  std::size_t initial_sent = 0;
  std::deque<WatchNotice> queue;
  std::uint64_t seen = 0;  // changes up to here are in `initial`, in `queue`, or sent
  WallTime next_bookmark = WallTime::max();
  bool final_bookmark_sent = false;
  bool full = false;
  bool over = false;
  bool pumping = false;

  bool matches(const StoredObject& object) const {
    const auto& root = object.object();
    return (spec.ns.empty() || namespace_of(root) == spec.ns) && spec.fields.matches(root) &&
           spec.labels.matches_object(root);
  }
};

class WatchHub::Session : public WatchSession {
 public:
  Session(WatchHub& hub, std::shared_ptr<Watch> watch) : hub_(hub), watch_(std::move(watch)) {}
  ~Session() override {
    watch_->over = true;
    watch_->watcher.reset();
    hub_.sweep_needed_ = true;
  }
  void resume() override {
    watch_->full = false;
    hub_.pump(*watch_);
  }

 private:
  WatchHub& hub_;
  std::shared_ptr<Watch> watch_;
};

WatchHub::WatchHub(Store& store) : store_(store) {
  store_.subscribe([this](const Collection& collection, const Change& change) {
    if (watches_.contains(collection.name())) pending_.push_back({collection.name(), change});
  });
}

WatchHub::~WatchHub() = default;

std::unique_ptr<WatchSession> WatchHub::open(WatchSpec spec, std::shared_ptr<Watcher> watcher,
                                             WallTime now) {
  auto watch = std::make_shared<Watch>();
  watch->spec = std::move(spec);
  watch->watcher = std::move(watcher);
  start(*watch, now);
  watches_[watch->spec.type->collection].push_back(watch);
  opened_.push_back(watch);
  return std::make_unique<Session>(*this, std::move(watch));
}

void WatchHub::start(Watch& watch, WallTime now) {
  const auto& collection = store_.collection(watch.spec.type->collection);
  watch.seen = store_.revision();
  if (watch.spec.bookmarks) watch.next_bookmark = now + kBookmarkInterval;
  if (!watch.spec.after) {
    for (const auto& [key, object] : collection.objects()) {
      auto seen = view(watch.spec.type, object);
      if (watch.matches(*seen)) watch.initial.push_back(std::move(seen));
    }
    if (watch.spec.end_of_initial_bookmark) {
      watch.queue.push_back({Kind::Bookmark, nullptr, watch.seen, true});
    }
    return;
  }
  if (*watch.spec.after < collection.compacted_revision()) {
    watch.queue.push_back({Kind::Expired, nullptr, collection.compacted_revision(), false});
    return;
  }
  const auto& history = collection.history();
  const auto first = std::partition_point(history.begin(), history.end(), [&](const Change& c) {
    return c.resource_version <= *watch.spec.after;
  });
  for (auto change = first; change != history.end(); ++change) offer(watch, *change);
}

// Translates a change into what the watch sees of it: an object that enters the selector is added,
// one that leaves it is deleted, with the last state that matched.
void WatchHub::offer(Watch& watch, const Change& change) {
  const auto now_seen = view(watch.spec.type, change.object);
  const auto was_seen = view(watch.spec.type, change.previous);
  const bool was = was_seen != nullptr && watch.matches(*was_seen);
  const bool is = change.type != ChangeType::Deleted && watch.matches(*now_seen);
  if (is) {
    watch.queue.push_back(
        {was ? Kind::Modified : Kind::Added, now_seen, change.resource_version, false});
  } else if (was) {
    auto last = change.type == ChangeType::Deleted
                    ? now_seen
                    : with_resource_version(*was_seen, change.resource_version);
    watch.queue.push_back({Kind::Deleted, std::move(last), change.resource_version, false});
  }
  if (watch.queue.size() > kMaxQueued && watch.full) end(watch);
}

void WatchHub::pump(Watch& watch) {
  if (watch.pumping || watch.over) return;
  watch.pumping = true;
  const auto watcher = watch.watcher;  // a watcher may end its own watch
  while (!watch.over && !watch.full && watch.initial_sent < watch.initial.size()) {
    const auto& object = watch.initial[watch.initial_sent++];
    watch.full = !watcher->notice({Kind::Added, object, object->resource_version, false});
  }
  if (watch.initial_sent == watch.initial.size()) {
    watch.initial.clear();
    watch.initial_sent = 0;
  }
  while (!watch.over && !watch.full && watch.initial.empty() && !watch.queue.empty()) {
    const auto notice = std::move(watch.queue.front());
    watch.queue.pop_front();
    watch.full = !watcher->notice(notice);
    if (notice.kind == Kind::Expired) end(watch);
  }
  watch.pumping = false;
}

void WatchHub::deliver() {
  if (delivering_) return;
  delivering_ = true;
  while (!pending_.empty() || !opened_.empty()) {
    const auto opened = std::exchange(opened_, {});
    for (const auto& watch : opened) pump(*watch);
    const auto changes = std::exchange(pending_, {});
    for (const auto& [collection, change] : changes) {
      const auto found = watches_.find(collection);
      if (found == watches_.end()) continue;
      const auto watching = found->second;  // a copy: watchers open and close watches
      for (const auto& watch : watching) {
        if (watch->over || change.resource_version <= watch->seen) continue;
        watch->seen = change.resource_version;
        offer(*watch, change);
        pump(*watch);
      }
    }
  }
  delivering_ = false;
  sweep();
}

void WatchHub::tick(WallTime now) {
  deliver();
  for (const auto& watch : all()) {
    if (watch->over) continue;
    const bool last = watch->spec.bookmarks && !watch->final_bookmark_sent &&
                      now >= watch->spec.deadline - kFinalBookmark;
    if (now >= watch->next_bookmark || last) {
      watch->next_bookmark = now + kBookmarkInterval;
      watch->final_bookmark_sent |= last;
      watch->queue.push_back({Kind::Bookmark, nullptr, store_.revision(), false});
      pump(*watch);
    }
    if (now >= watch->spec.deadline) end(*watch);
  }
  sweep();
}

void WatchHub::end(Watch& watch) {
  if (watch.over) return;
  watch.over = true;
  sweep_needed_ = true;
  if (const auto watcher = std::move(watch.watcher)) watcher->closed();
}

std::vector<std::shared_ptr<WatchHub::Watch>> WatchHub::all() const {
  std::vector<std::shared_ptr<Watch>> result;
  for (const auto& [collection, watching] : watches_) {
    result.insert(result.end(), watching.begin(), watching.end());
  }
  return result;
}

void WatchHub::cut(const ResourceType* type) {
  for (const auto& watch : all()) {
    if (type == nullptr || watch->spec.type.get() == type) end(*watch);
  }
  sweep();
}

void WatchHub::cut_some(Random& random, double share) {
  for (const auto& watch : all()) {
    if (random.chance(share)) end(*watch);
  }
  sweep();
}

void WatchHub::sweep() {
  if (!sweep_needed_ || delivering_) return;
  sweep_needed_ = false;
  for (auto& [collection, watching] : watches_) {
    std::erase_if(watching, [](const auto& watch) { return watch->over; });
  }
  std::erase_if(watches_, [](const auto& entry) { return entry.second.empty(); });
}

std::size_t WatchHub::size() const {
  std::size_t count = 0;
  for (const auto& [collection, watching] : watches_) count += watching.size();
  return count;
}

}  // namespace troupe::sim
