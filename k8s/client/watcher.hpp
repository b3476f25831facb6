// List and watch of one kind, as a step machine: no sockets, no clocks, no randomness.
//
//   Idle -> StreamingList ----------------------> Watching
//     \-> Listing (pages) -> Opening -------------^   |
//                                                     v
//   BackingOff, Absent (404), Denied (401, 403) <- refusals, broken and silent streams
//
// Its driver (multiplexer.hpp) performs the outputs and feeds back what came of them. Each request
// has a number; inputs that bear an older one belong to a request that was given up, and are
// ignored and counted.
//
// Facts used (kube-apiserver): pages of one list share the first page's resourceVersion; a list
// token or a resourceVersion that was compacted gives 410; bookmarks come about once a minute and
// shortly before timeoutSeconds ends; a streamed list ends with a bookmark annotated
// k8s.io/initial-events-end; it is refused with 422 or 400 where it is not offered, with 500 where
// only the server's etcd (before 3.5) is too old for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "k8s/api/snapshot.hpp"
#include "runtime/model/backoff.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::k8s {

struct WatchTarget {
  std::string path;  // of the collection: resource_path()
  std::string what;  // for messages: "pods in namespace db"
  std::string label_selector;
  std::string field_selector;
};

struct WatcherOptions {
  bool streaming_list = true;  // tried first; pages where the server does not offer it
  std::uint32_t page_size = 500;
  Duration list_timeout = std::chrono::seconds(60);  // of one page
  Duration open_timeout = std::chrono::seconds(30);  // until the stream's headers
  // The server ends a watch after this, up to twice as long, so that streams spread.
  std::chrono::seconds watch_timeout = std::chrono::minutes(5);
  // Two bookmarks that did not come: the stream is dead.
  Duration silence = std::chrono::seconds(130);
  Backoff backoff{std::chrono::milliseconds(200), std::chrono::seconds(10)};
  // A kind that is not installed, or not allowed, is asked for again at this pace.
  Backoff probe{std::chrono::seconds(1), std::chrono::seconds(30)};
};

namespace watch {

// Inputs: what happened.
struct Start {};
struct Item {  // of a page, before its Page; null: it cannot be decoded
  SnapshotPtr object;
};
struct Page {  // the end of a page
  ResourceVersion version;
  std::string continue_token;
};
struct Opened {};
struct Changed {  // null object: it cannot be decoded
  SnapshotPtr object;
  ResourceVersion version;
  bool deleted = false;
};
struct Bookmark {
  ResourceVersion version;
  bool initial_events_end = false;
};
struct Heard {};  // bytes came
struct Refused {  // by an HTTP status, or by an ERROR event in the stream
  int status = 0;
  std::string message;
  std::optional<Duration> retry_after;
};
struct Ended {  // the stream ended; `error`: the stream or the list's call broke
  std::optional<Error> error;
};
struct Woken {};  // the time of the last WakeAt has come
struct Probe {};  // somebody has reason to think that the kind is there now
using Input =
    std::variant<Start, Item, Page, Opened, Changed, Bookmark, Heard, Refused, Ended, Woken, Probe>;

// Outputs: what to do, in this order.
struct List {
  std::uint64_t request;
  std::string target;
  Duration timeout;
};
struct Open {
  std::uint64_t request;
  std::string target;
  Duration timeout;
};
struct Cancel {};  // the request that is under way
struct WakeAt {    // replaces the one before
  TimePoint at;
};
struct Upsert {
  SnapshotPtr object;
};
struct Remove {
  SnapshotPtr object;
};
// Between these two every object that exists is upserted once more.
struct BeginRelist {};
struct EndRelist {
  ResourceVersion version;
  // False: some objects could not be read, so nobody knows what is gone.
  bool complete;
};
using Output = std::variant<List, Open, Cancel, WakeAt, Upsert, Remove, BeginRelist, EndRelist>;

}  // namespace watch

enum class WatchPhase : std::uint8_t {
  Idle,
  Listing,
  StreamingList,
  Opening,
  Watching,
  BackingOff,
  Absent,  // the kind is not installed
  Denied,
};
std::string_view to_string(WatchPhase phase);

struct WatcherCounters {
  std::uint64_t events = 0;      // added, modified, deleted; bookmarks apart
  std::uint64_t relists = 0;     // lists begun, the first included
  std::uint64_t reconnects = 0;  // streams opened after the first
  std::uint64_t silent = 0;      // streams given up as dead
  std::uint64_t expired = 0;     // 410
  std::uint64_t undecodable = 0;
  std::uint64_t stale_inputs = 0;
};

class Watcher {
 public:
  using Outputs = std::vector<watch::Output>;

  Watcher(WatchTarget target, WatcherOptions options);

  // `request` is the number that the input belongs to; ignored for Start, Woken and Probe.
  // `random` feeds jitter. Outputs are appended.
  void step(std::uint64_t request, watch::Input input, TimePoint now, std::uint64_t random,
            Outputs& out);

  WatchPhase phase() const { return phase_; }
  // A list has been completed; what was known then may be out of date since.
  bool synced() const { return synced_; }
  // Why it is not Watching: for people, with what to do. Empty while all is well.
  const std::string& trouble() const { return trouble_; }
  const WatcherCounters& counters() const { return counters_; }
  ResourceVersion version() const { return version_; }

 private:
  struct Moment {
    TimePoint now;
    std::uint64_t random;
    Outputs& out;
  };

  void on(const watch::Start&, Moment& m);
  void on(watch::Item& item, Moment& m);
  void on(const watch::Page& page, Moment& m);
  void on(const watch::Opened&, Moment& m);
  void on(watch::Changed& changed, Moment& m);
  void on(const watch::Bookmark& bookmark, Moment& m);
  void on(const watch::Heard&, Moment& m);
  void on(const watch::Refused& refused, Moment& m);
  void on(const watch::Ended& ended, Moment& m);
  void on(const watch::Woken&, Moment& m);
  void on(const watch::Probe&, Moment& m);

  void relist(Moment& m);
  void list_page(std::string_view continue_token, Moment& m);
  void open(Moment& m);
  void end_relist(ResourceVersion version, Moment& m);
  void expired(Moment& m);
  void without_streaming(Moment& m);
  void resume(Moment& m);
  void wait(WatchPhase phase, Duration delay, std::string trouble, Moment& m);
  void back_off(std::string trouble, std::optional<Duration> retry_after, Moment& m);
  void probe_later(WatchPhase phase, std::string trouble, Moment& m);
  bool streaming() const {
    return phase_ == WatchPhase::Watching || phase_ == WatchPhase::StreamingList;
  }
  std::string query(std::string_view rest) const;
  std::uint64_t watch_seconds(const Moment& m) const;

  const WatchTarget target_;
  const WatcherOptions options_;
  WatchPhase phase_ = WatchPhase::Idle;
  std::uint64_t request_ = 0;
  bool streaming_offered_;
  bool opened_once_ = false;
  bool synced_ = false;
  bool must_relist_ = true;       // version_ is no place to watch from
  bool relist_complete_ = true;   // all objects of this list could be read
  ResourceVersion version_;       // of the newest event or bookmark
  ResourceVersion list_version_;  // of the first page
  TimePoint opened_at_;
  TimePoint heard_at_;
  std::uint32_t failures_ = 0;  // since the stream last brought something
  std::uint32_t too_new_ = 0;   // 504s since the last list
  std::uint32_t probes_ = 0;
  std::string trouble_;
  WatcherCounters counters_;
};

}  // namespace troupe::k8s
