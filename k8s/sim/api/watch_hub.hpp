// Watches: who wants to hear of which changes, and how far each has heard.
//
// A watch begins with what exists or with the changes after a resourceVersion, and then gets each
// change in order. Watchers pull: one that answers "full" is left alone until resume(); its
// changes queue up, and one that falls too far behind is cut. Changes are handed out by deliver(),
// never from within a write, so a watcher may write; what it writes is delivered after.
//
// Single-threaded; times are arguments.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "k8s/sim/api/random.hpp"
#include "k8s/sim/api/resource_type.hpp"
#include "k8s/sim/api/selector.hpp"
#include "k8s/sim/api/store.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

struct WatchNotice {
  enum class Kind { Added, Modified, Deleted, Bookmark, Expired };
  Kind kind = Kind::Added;
  ObjectPtr object;                    // in the watched version; null for Bookmark and Expired
  std::uint64_t resource_version = 0;  // of the change; Expired: the oldest that could be had
  bool initial_events_end = false;     // Bookmark
};

class Watcher {
 public:
  virtual ~Watcher() = default;
  // False: full; the notice was taken, and no more comes before WatchSession::resume().
  virtual bool notice(const WatchNotice& notice) = 0;
  // The watch is over. Not called when its own session was destroyed.
  virtual void closed() = 0;
};

// Owned by whoever watches; destroying it ends the watch.
class WatchSession {
 public:
  virtual ~WatchSession() = default;
  virtual void resume() = 0;
};

struct WatchSpec {
  TypePtr type;
  std::string ns;  // "" for all
  LabelSelector labels;
  FieldSelector fields;
  // Changes after this one; without it, first everything that exists.
  std::optional<std::uint64_t> after;
  bool bookmarks = false;
  bool end_of_initial_bookmark = false;
  WallTime deadline = WallTime::max();
};

class WatchHub {
 public:
  // A watcher further behind than this is cut; it lists again, as the real server makes it.
  static constexpr std::size_t kMaxQueued = 16'384;

  explicit WatchHub(Store& store);
  ~WatchHub();

  // Nothing is delivered before the next deliver(), so the caller can keep the session first.
  std::unique_ptr<WatchSession> open(WatchSpec spec, std::shared_ptr<Watcher> watcher,
                                     WallTime now);

  // Hands out all changes up to now, and those that doing so causes.
  void deliver();
  // Sends bookmarks that are due and ends watches whose time is up.
  void tick(WallTime now);
  // Ends every watch of a type (its CRD is gone) or, with null, all of them.
  void cut(const ResourceType* type);
  // Ends this share of all watches.
  void cut_some(Random& random, double share);

  std::size_t size() const;

 private:
  struct Watch;
  class Session;

  void start(Watch& watch, WallTime now);
  void offer(Watch& watch, const Change& change);
  void pump(Watch& watch);
  void end(Watch& watch);
  void sweep();

  std::vector<std::shared_ptr<Watch>> all() const;

  Store& store_;
  // By collection; ordered, so that a run with the same input delivers in the same order.
  std::map<std::string, std::vector<std::shared_ptr<Watch>>, std::less<>> watches_;
  std::vector<std::shared_ptr<Watch>> opened_;  // since the last deliver()
  struct Pending {
    std::string collection;
    Change change;
  };
  std::deque<Pending> pending_;
  bool delivering_ = false;
  bool sweep_needed_ = false;
};

}  // namespace troupe::sim
