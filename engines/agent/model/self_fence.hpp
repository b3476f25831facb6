// The rule by which a member closes itself: nobody directs it, and nobody can acknowledge to it.
//
// The operator that leads renews a lease over its stream. A semi-sync source that takes writes
// fences itself when that lease has run out and, for a while without a break, fewer replicas are
// attached to it than its commits wait for: it may be the lonely side of a partition, whose other
// side has a new source. One that still has its replicas goes on without any operator: whoever
// would replace it needs those replicas first. Once fenced, it is closed again whenever it is found
// open, until an order opens it.
//
// A value without a clock: times are this machine's monotonic ones and are never compared with
// another's. An agent that starts has not heard of its operator yet: its lease begins anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/model/time.hpp"

namespace troupe::agent {

struct SelfFenceLimits {
  // Another operator takes over 15 s after the last one was heard of, and has to connect then.
  Duration lease = std::chrono::seconds{20};
  // A receiver that lost its source notices after 8 s, and attaches again.
  Duration shortage = std::chrono::seconds{10};
};

// What the server says of itself.
struct SourceReport {
  bool writable = false;  // super_read_only is off
  bool semi_sync = false;
  std::uint64_t needed = 0;    // acknowledgements that a commit waits for
  std::uint64_t attached = 0;  // semi-sync replicas

  bool is_short() const { return writable && semi_sync && attached < needed; }
};

class SelfFence {
 public:
  SelfFence(SelfFenceLimits limits, TimePoint now) : limits_(limits), renewed_(now) {}

  void renew(TimePoint now);
  // Whether it is fenced already: by what it did, or an agent before it.
  void set_fenced(bool fenced) { fenced_ = fenced; }

  // Whether a report is wanted: the server is not asked while somebody directs the member.
  bool wants_report(TimePoint now) const { return fenced_ || has_expired(now); }
  // Why the member must be closed now; nothing: it may go on. A server that gives no report is not
  // judged, and its silence is no break of a shortage.
  std::optional<std::string> judge(const SourceReport& report, TimePoint now);

 private:
  bool has_expired(TimePoint now) const { return now - renewed_ > limits_.lease; }

  SelfFenceLimits limits_;
  TimePoint renewed_;
  std::optional<TimePoint> short_since_;
  bool fenced_ = false;
};

}  // namespace troupe::agent
