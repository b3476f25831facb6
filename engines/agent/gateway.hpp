// The operator's connections to all unit agents: one Watch stream an endpoint, and commands.
//
// Level-triggered: `set_endpoints` names the agents that should be connected; the gateway connects,
// watches, reconnects with backoff and drops what is no longer named. Every change of an agent's
// state, or of the stream itself, is published as one immutable observation; a heartbeat only
// renews `seen` in what `latest` returns. A stream without any message for 3 s is dead. Commands go
// over their stream's connection, and those that are under way end with it: nobody waits minutes
// for an answer that cannot come.
//
// While `leads` says so, every stream renews the member's lease (model/self_fence.hpp): a few bytes
// on the open stream in answer to a heartbeat, every 3 s.
//
// Threads: all methods may be called from any thread and never block, but the destructor: it
// cancels what runs and waits for the last callback. The sink and the `done` callbacks arrive on
// the gateway's threads (gRPC's), one at a time for an endpoint; they must not block.
//
// Bounds: kMaxCallsPerEndpoint and kMaxCalls in flight; more are refused with Code::Retry.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engines/agent/model/command.hpp"
#include "engines/agent/model/endpoint.hpp"
#include "engines/agent/model/observation.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::agent {

inline constexpr std::size_t kMaxCallsPerEndpoint = 16;
inline constexpr std::size_t kMaxCalls = 4096;

// What the operator shows, and whom it believes. PEM; `authorities` holds two during a rotation.
struct TlsIdentity {
  std::string authorities;
  std::string certificate;
  Secret key;
};

// Counters since the start, and what is under way now.
struct GatewayMetrics {
  std::uint64_t endpoints = 0;
  std::uint64_t connected = 0;  // of these: their stream has told a state
  std::uint64_t fenced = 0;     // of these: their member has closed itself
  std::uint64_t streams = 0;    // opened
  std::uint64_t streams_ended = 0;
  std::uint64_t streams_silent = 0;  // of these, ended for their silence
  std::uint64_t calls = 0;
  std::uint64_t calls_in_flight = 0;
  std::uint64_t calls_refused = 0;  // too many were in flight
};

class Gateway {
 public:
  using Observation = std::shared_ptr<const AgentObservation>;
  using Sink = std::function<void(const std::string& endpoint_id, Observation)>;
  using Done = std::function<void(Result<Reply>)>;
  // Whether this process is the one that gives orders. Asked on the gateway's threads.
  using Leads = std::function<bool()>;
  using CallId = std::uint64_t;

  // The clock must outlive the gateway.
  Gateway(const Clock& clock, TlsIdentity identity, Sink sink, Leads leads);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  void set_endpoints(std::vector<Endpoint> endpoints);
  // New connections use it from now on; established streams stay.
  void set_identity(TlsIdentity identity);

  // Null for an endpoint that is not named.
  Observation latest(const std::string& endpoint_id) const;

  // Sends the command; the header's time_limit counts from now. `done` is called exactly once,
  // never from within this call: Code::NotFound for an endpoint that is not named, Code::Retry
  // where the agent is not reached, Code::Timeout with the outcome unknown, else what the agent
  // says.
  CallId call(const std::string& endpoint_id, Command command, Done done);
  // The call ends soon, with Code::Timeout unless it has just been answered.
  void cancel(CallId call);

  // Looks at every endpoint.
  GatewayMetrics metrics() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::agent
