// What an operator is made of beside threads, sockets and clocks: its actors, the store with the
// watches that feed it, the writes, and the casting between them.
//
// Operator runs one over real connections; the simulator (tests/sim/operator/) runs several over
// modelled ones. Both call, in this order: connect(), open(), begin(); at the end hold(), then,
// when the actors have ended, disconnect(). What is said to be on the loop is called on the thread
// that runs the Loop given to connect(), or before it runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "actors/host/authority.hpp"
#include "actors/host/casting.hpp"
#include "actors/host/fault_point.hpp"
#include "actors/host/kind_counters.hpp"
#include "actors/host/live_gateways.hpp"
#include "actors/host/observations.hpp"
#include "k8s/client/events.hpp"
#include "k8s/client/lease.hpp"
#include "k8s/client/multiplexer.hpp"

namespace troupe::actors {

struct CoreOptions {
  std::span<const RegisteredKind> kinds = registered_kinds();
  std::vector<std::string> namespaces;  // empty: all
  Settings settings;
  std::optional<k8s::LeaseOptions> lease;  // set: it acts only while it holds it
  std::string identity;                    // names it in events
  std::uint64_t seed = 0;                  // of jitter
  std::optional<FaultPoint> fault_point;
  GatewaysWithFault::Reached fault = [](FaultPoint::What, const Effect&) {};
};

// What it runs on; outlives it.
struct CoreHost {
  caf::actor_system& system;
  const Clock& clock;
  Timers& timers;  // they call OperatorCore::fire()
  History& history;
};

// What it acts through beside the API server, and whom it tells. All outlive the actors.
struct CoreOutside {
  LiveGateways::AskMember ask_agent;
  LiveGateways::ProbeServer probe_now;
  Observations::Watchers watchers;
  std::function<void()> authority_taken = [] {};    // on the loop: its Secret was read
  std::function<void(bool)> leading = [](bool) {};  // on the loop: leadership has changed
};

class OperatorCore {
 public:
  OperatorCore(CoreHost host, CoreOptions options);
  ~OperatorCore();
  OperatorCore(const OperatorCore&) = delete;
  OperatorCore& operator=(const OperatorCore&) = delete;

  // On the loop. Both outlive what is between this and disconnect().
  void connect(k8s::Loop& loop, k8s::Transport& transport);
  // Gives the actors their stage; nothing is watched yet.
  void open(CoreOutside outside);
  // On the loop: watches, and asks for the Lease.
  void begin();
  // On the loop: gives the Lease back; `done` runs there.
  void release(std::function<void()> done);
  // On the loop: nothing more is watched.
  void hold();
  // On the loop, after the last actor has ended.
  void disconnect();

  // A timer that an actor has set is due.
  void fire(ActorId actor);
  // Nobody acts on a part of the picture: what is not listed yet would count as gone.
  bool leads() const;
  bool synced() const { return synced_; }
  // From any thread; none before begin().
  std::vector<k8s::WatchStatus> watches() const;
  bool is_leader() const { return leader_; }

  Actors& actors() { return actors_; }
  const k8s::Store& store() const { return store_; }
  Observations& observations() { return observations_; }
  const JournalRoom& journals() const { return journals_; }
  const KindCounters& counters() const { return counters_; }
  Authority& authority() { return authority_; }
  // Between connect() and disconnect().
  k8s::Multiplexer& multiplexer() { return *multiplexer_; }
  k8s::ApiGateway& api() { return *api_; }
  k8s::EventRecorder& events() { return *events_; }
  // From open() on.
  const EffectCounters& effects() const { return gateways_->counters(); }

 private:
  void record(const EmitEvent& event, CausalId id);
  bool is_authority(const k8s::Snapshot& secret) const;
  void take_authority(const k8s::SnapshotPtr& secret);
  k8s::LeaseHolder::Callbacks election();

  // In the order in which each needs the ones before it.
  const CoreOptions options_;
  const CoreHost host_;
  Actors actors_;
  k8s::Store store_;
  k8s::Router router_;
  Casting casting_;
  Observations observations_;
  JournalRoom journals_;
  KindCounters counters_;
  Authority authority_;
  CoreOutside outside_;
  std::unique_ptr<k8s::Multiplexer> multiplexer_;
  std::unique_ptr<k8s::ApiGateway> api_;
  std::unique_ptr<k8s::EventRecorder> events_;
  std::unique_ptr<k8s::LeaseHolder> lease_;
  std::unique_ptr<LiveGateways> gateways_;
  std::unique_ptr<GatewaysWithFault> faulty_gateways_;
  std::unique_ptr<Stage> stage_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> leader_{false};
  std::atomic<bool> synced_{false};
};

}  // namespace troupe::actors
