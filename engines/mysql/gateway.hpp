// Watches MySQL servers: one connection and one probe a second each, and the word of it to whoever
// listens.
//
// A gateway is told which endpoints to watch, as a whole set or one by one; it keeps a connection
// to each, probes it in a slot of its own within the period, and hands every outcome to the sink. A
// hang-up of the idle connection is evidence of its own and is reported at once, followed by a
// probe that finds out whether somebody still listens. Observations belong to the endpoint: a
// server that restarted is another endpoint and starts with none.
//
// Beside reading it may close: shut a member for writing and cut its sessions. It never opens one
// or changes whom it follows; that goes through the member's agent with an epoch
// (docs/architecture.md).
//
// Threads: every public function may be called from any thread and returns at once. All callbacks
// and the sink run on the gateway's executor; they must not block. The executor must run one
// handler at a time. The gateway has to be destroyed on its executor, or after it has stopped
// running.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/mysql/connection.hpp"
#include "engines/mysql/model/observation.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::mysql {

// Where login.address is a name, it is resolved before each connect, and the certificate must bear
// that name unless another binding is given.
struct Endpoint {
  EndpointId id;
  Login login;
  // Where the server keeps connections for administrators (admin_port); 0: nowhere.
  std::uint16_t admin_port = 0;

  bool operator==(const Endpoint&) const = default;
};

struct GatewayOptions {
  Duration probe_period = std::chrono::seconds(1);
  // One whole probe, a new connection included.
  Duration probe_deadline = std::chrono::milliseconds(2500);
  // Closing and killing: each statement, and the connection before it.
  Duration control_deadline = std::chrono::seconds(5);
};

// Counters since the start, and what is under way now.
struct GatewayMetrics {
  std::uint64_t members = 0;
  std::uint64_t connected = 0;
  std::uint64_t probes_ok = 0;
  std::uint64_t probes_failed = 0;
  std::uint64_t probes_timed_out = 0;  // among the failed
  std::uint64_t hangups = 0;           // seen by the idle connection
  std::uint64_t connects = 0;
  std::uint64_t controls = 0;           // close and kill requests
  std::uint64_t controls_rejected = 0;  // beyond kMaxControlsPerMember
  std::uint64_t lookups = 0;            // of names, now
  std::uint64_t max_lookups = 0;
  std::uint64_t lookups_refused = 0;
};

// What to do to a member that must not be written to.
struct CloseMember {
  bool offline_mode = true;  // cuts ordinary sessions off at their next statement
  bool super_read_only = true;
};

// How far closing got; a step that timed out may still happen later.
struct CloseOutcome {
  std::optional<bool> offline_mode;     // empty: not asked for
  std::optional<bool> super_read_only;  // false: a commit is waiting and holds the lock, as a rule
  std::optional<ServerError> failure;   // of the first step that failed

  bool closed() const { return !failure; }
};

struct KillOutcome {
  std::size_t killed = 0;
  std::size_t left = 0;  // sessions that were still there half a second later
};

class Gateway {
 public:
  using Sink = std::function<void(std::shared_ptr<const ProbeOutcome>)>;
  using OnProbed = std::function<void()>;
  using OnClosed = std::function<void(const CloseOutcome&)>;
  using OnKilled = std::function<void(Outcome<KillOutcome>)>;

  // Requests to close or kill that one member may have under way, each with a connection of its
  // own; more are refused at once. A server that is hung would only collect them.
  static constexpr std::size_t kMaxControlsPerMember = 8;

  Gateway(boost::asio::any_io_executor executor, const Clock& clock, GatewayOptions options,
          Sink sink);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // The whole set: what is missing in it is no longer watched. An endpoint whose login changed is
  // connected to anew and keeps its last observation; where only the trust anchors changed, an open
  // connection stays.
  void set_members(std::vector<Endpoint> endpoints);
  void watch(Endpoint endpoint);
  void unwatch(EndpointId id);

  // Does not wait for the endpoint's slot. While a probe is under way: one more follows it. `done`
  // comes after the sink got what that probe saw, or at once if the endpoint is not watched.
  void probe_now(EndpointId id, OnProbed done = {});

  void close_member(EndpointId id, CloseMember what, OnClosed done);
  // Ends all sessions but the server's own, the gateway's and those of `keep_users`, and looks
  // again until none is left or half a second has passed.
  void kill_connections(EndpointId id, std::vector<std::string> keep_users, OnKilled done);

  // Of a moment ago. Thread-safe.
  GatewayMetrics metrics() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::mysql
