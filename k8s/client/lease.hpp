// One holder at a time, by a Lease of coordination.k8s.io/v1: the decision as a step machine, and a
// shell that runs it.
//
// No remote clock is trusted: a lease is free when its holder is empty, or when nothing in it has
// changed for its duration on *our* monotonic clock. A holder counts its own time from the moment
// when it sent the renewal that succeeded, and gives up after renew_deadline, before anybody else
// may take over. A paused process can still believe that it leads: whoever acts under a lease uses
// held_until(), and what must never be done twice needs fencing.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "k8s/api/types.hpp"
#include "k8s/client/loop.hpp"
#include "k8s/client/transport.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::k8s {

struct LeaseOptions {
  std::string ns;
  std::string name;
  std::string identity;  // unique among all who ever ask: pod name and uid
  // What client-go's users expect. lease_duration > renew_deadline > 1.2 * retry_period.
  std::chrono::seconds lease_duration{15};
  Duration renew_deadline = std::chrono::seconds(10);
  Duration retry_period = std::chrono::seconds(2);
};

// Fails when the durations do not fit each other, or a name is missing.
Result<void> validate(const LeaseOptions& options);

namespace lease {

// What of a Lease matters here.
struct Record {
  std::string holder;
  std::chrono::seconds duration{0};
  std::int32_t transitions = 0;
  WallTime acquired{};
  WallTime renewed{};  // only compared for equality: a remote clock
  ResourceVersion version;
};

// Inputs.
struct Start {};
struct Found {
  std::optional<Record> record;  // none: there is no Lease
};
struct Wrote {
  Record record;
};
struct Conflict {};  // somebody else wrote, or created it
struct Failed {      // a read or a write; the write may have happened
  std::string message;
};
struct Woken {};
struct Release {};  // give it up now, and ask no more
using Input = std::variant<Start, Found, Wrote, Conflict, Failed, Woken, Release>;

// Outputs.
struct Get {};
struct Create {};  // with our identity
struct Update {    // conditional on `version`
  ResourceVersion version;
  std::int32_t transitions;
  bool acquires;  // sets acquireTime
  bool releases;  // empties the holder
};
struct Cancel {};  // the request under way
struct WakeAt {    // replaces the one before
  TimePoint at;
};
struct Elected {};
struct Lost {
  std::string reason;
};
struct NewHolder {  // somebody else's
  std::string identity;
};
struct Released {};  // the end
using Output =
    std::variant<Get, Create, Update, Cancel, WakeAt, Elected, Lost, NewHolder, Released>;

}  // namespace lease

class LeaseMachine {
 public:
  using Outputs = std::vector<lease::Output>;

  explicit LeaseMachine(LeaseOptions options) : options_(std::move(options)) {}

  void step(lease::Input input, TimePoint now, std::uint64_t random, Outputs& out);

  bool leading() const { return leading_; }
  // While leading: nobody else holds it before then.
  TimePoint held_until() const {
    return leading_ ? renewed_at_ + options_.renew_deadline : TimePoint{};
  }
  const std::string& holder() const { return observed_holder_; }

 private:
  struct Moment {
    TimePoint now;
    std::uint64_t random;
    Outputs& out;
  };

  void on(const lease::Start&, Moment& m);
  void on(const lease::Found& found, Moment& m);
  void on(const lease::Wrote& wrote, Moment& m);
  void on(const lease::Conflict&, Moment& m);
  void on(const lease::Failed& failed, Moment& m);
  void on(const lease::Woken&, Moment& m);
  void on(const lease::Release&, Moment& m);

  void observe(const lease::Record& record, Moment& m);
  void read(Moment& m);
  void write(lease::Output request, Moment& m);
  void renew_or_take(Moment& m);
  void again(Duration after, Moment& m);
  void lose(std::string reason, Moment& m);
  bool expired(const Moment& m) const { return m.now >= renewed_at_ + options_.renew_deadline; }
  bool is_free(const Moment& m) const;
  Duration candidate_delay(const Moment& m) const;

  const LeaseOptions options_;
  std::optional<lease::Record> observed_;
  TimePoint observed_at_;  // when it last changed, on our clock
  std::string observed_holder_;
  TimePoint sent_at_;      // of the write under way
  TimePoint renewed_at_;   // sent_at_ of the last write that succeeded
  bool busy_ = false;      // a request is under way
  bool must_read_ = true;  // observed_ may be out of date
  bool leading_ = false;
  bool releasing_ = false;
  bool ended_ = false;
};

// Runs a LeaseMachine over a Transport. Made, started, released and destroyed on the loop;
// callbacks run there.
class LeaseHolder {
 public:
  struct Callbacks {
    std::function<void()> elected;
    // Stop acting at once. It asks again by itself.
    std::function<void(const std::string& reason)> lost;
    std::function<void(const std::string& identity)> new_holder;
  };

  LeaseHolder(Loop& loop, Transport& transport, LeaseOptions options, Callbacks callbacks,
              std::uint64_t seed);
  ~LeaseHolder();
  LeaseHolder(const LeaseHolder&) = delete;
  LeaseHolder& operator=(const LeaseHolder&) = delete;

  void start();
  // At exit: lets the next holder take over without waiting. `done` runs when that is written, or
  // has failed.
  void release(std::function<void()> done);

  // From any thread: whether it is held right now, on our clock.
  bool holds() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::k8s
