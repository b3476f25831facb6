// The supervised database: one process that is kept running while it is wanted.
//
// A synchronous state machine around spawn and kill: it is told the time and the exits, and is
// asked for its report. A crashed database is started again with the spec it was last given, at
// first after 100 ms and then ever later, up to 30 s, until it has lived for ten seconds: as long
// as it is away, its data have a copy less. Only an order to stop, or the end of the container,
// ends that. What cannot be executed at all is Fatal until the next order. Used from one thread;
// `reap` must be given every exit of a child.
#pragma once

#include <chrono>
#include <optional>

#include "engines/agent/supervise/process.hpp"
#include "engines/agent/supervise/protocol.hpp"

namespace troupe::agent::supervise {

using Instant = std::chrono::steady_clock::time_point;

inline constexpr std::chrono::milliseconds kFirstRestartDelay{100};
inline constexpr std::chrono::milliseconds kLongestRestartDelay{30'000};
inline constexpr std::chrono::seconds kStableAfter{10};

class Database {
 public:
  // Starts it unless it runs; a running one takes the new spec with its next start.
  void start(const SpawnSpec& spec, Instant now);
  void stop(const StopOrder& order, Instant now);
  void kill(const KillOrder& order);
  // From now on it is not started again.
  void container_ends() { ending_ = true; }

  // A child has ended; false if it was not the database.
  bool reap(pid_t pid, int wait_status, Instant now);
  // Looks at the process and does what is due.
  void tick(Instant now);

  bool alive() const { return pid_ > 0; }
  // When `tick` has something to do without being told, apart from looking at the process.
  std::optional<Instant> next_event() const { return due_; }
  const ProcessReport& report() const { return report_; }

 private:
  void launch(Instant now);
  std::chrono::milliseconds restart_delay() const;

  SpawnSpec spec_;
  bool wanted_ = false;
  bool ending_ = false;
  pid_t pid_ = 0;
  std::optional<VitalsProbe> probe_;
  Instant started_{};
  unsigned failures_ = 0;       // starts since it was last stable
  std::optional<Instant> due_;  // Backoff: start; Stopping: kill
  ProcessReport report_;
};

}  // namespace troupe::agent::supervise
