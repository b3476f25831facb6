// The object actors of the process: one CAF actor an object, woken by causes, each run's story
// kept in the History.
//
// A producer never outruns an actor: causes wait in the actor's slot, and its mailbox holds at
// most one message ("run"). Causes that only say "look again" are merged beyond kMaxCauses;
// results of effects are always kept (their number is bounded by the effects in flight).
//
// Supervision: an exception in a run is caught, counted, recorded and retried with backoff; after
// kQuarantineAfter in a row the actor is quarantined: it still absorbs results, but runs again only
// when its quarantine ends or somebody releases it. The process goes on.
//
// Ends: stop() may be called anywhere, also by an actor's own run. An actor's logic is destroyed by
// the end of stop(), or of the call that it is in; afterwards its id means nobody. When ~Actors
// returns, every logic is gone and nothing touches the clock, the timers or the history any more:
// they, and the actor_system, have to outlive this object, and nothing else.
//
// Thread-safe unless said otherwise. A Logic is called on one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/history.hpp"
#include "runtime/latency_histogram.hpp"
#include "runtime/model/backoff.hpp"
#include "runtime/model/ids.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/trace.hpp"
#include "runtime/timers.hpp"

namespace caf {
class actor_system;
}

namespace troupe {

// What an object's actor does; knows its kind. The actor around it knows nothing of Kubernetes.
class Logic {
 public:
  struct Outcome {
    TimePoint wake = TimePoint::max();  // run again then, at the latest
    CausalId id;                        // the chain this run went on with
    std::string doing;
    std::vector<Guard> guards;
    std::vector<Record::EffectText> effects;
    std::uint32_t retries = 0;  // of the effects, those that had failed before
  };

  virtual ~Logic() = default;
  // Takes in what happened (results of effects, first of all), each cause once. Must not throw.
  virtual void absorb(std::span<const Cause> causes, TimePoint now) noexcept = 0;
  // Looks at the newest snapshots, decides, hands out effects. May throw: a broken invariant.
  // `causes` begin with those that were absorbed while the actor was held back after a fault; of
  // them only type, chain, time and text are left.
  virtual Outcome run(std::span<const Cause> causes, TimePoint now) = 0;
  // A run threw. Last chance to show it on the object; must not throw.
  virtual void faulted(const std::string& what, bool quarantined, CausalId id) noexcept = 0;
  // For the console: the actor's memory and what it sees, as a JSON object without secrets.
  virtual std::string state_json() const = 0;
  // What it has seen and decided, as text without secrets; Code::NotFound if it keeps none.
  virtual Result<std::string> journal() const {
    return error(Code::NotFound, "actors of this kind keep no journal");
  }
};

struct Wake {
  ActorId actor;
  Cause cause;
};

// What is known of an actor without asking it.
struct ActorInfo {
  ActorId id;
  std::string kind;
  std::string name;  // namespace/name
  std::uint64_t runs = 0;
  std::uint64_t faults = 0;
  std::uint32_t waiting = 0;  // causes in its slot
  bool failing = false;       // its last run threw
  bool quarantined = false;
  std::string doing;
  std::uint32_t guards = 0;
  WallTime last_run;
};

// What the actors of one kind do. Relaxed, from any thread; those that are no levels only grow.
struct KindActivity {
  explicit KindActivity(std::string name) : kind(std::move(name)) {}

  using Count = std::atomic<std::uint64_t>;
  const std::string kind;
  Count actors{0};   // levels: alive,
  Count waiting{0};  // waiting for their run,
  Count running{0};  // in it,
  Count quarantined{0};
  Count queued{0};  // times that one began to wait
  Count merged{0};  // causes beyond kMaxCauses
  Count succeeded{0};
  Count succeeded_with_wake{0};  // runs that named a time to be woken at
  Count faults{0};               // runs that threw
  Count retries{0};              // see Logic::Outcome
  LatencyHistogram waited;       // from the first cause's time until the run
  LatencyHistogram took;         // the run
};

struct ActorTotals {
  std::uint64_t actors = 0;
  std::uint64_t runs = 0;
  std::uint64_t faults = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t queued = 0;  // that wait to run
  std::uint64_t merged_causes = 0;
  std::uint64_t run_nanoseconds = 0;
};

class Actors {
 public:
  static constexpr std::size_t kMaxCauses = 8;
  static constexpr std::uint32_t kQuarantineAfter = 5;
  static constexpr Duration kQuarantine = std::chrono::minutes(5);
  static constexpr std::size_t kMaxActors = std::size_t{1} << ActorId::kPlaceBits;

  Actors(caf::actor_system& system, const Clock& clock, Timers& timers, History& history);
  // Stops all actors and waits for runs that are going on. Not from within a run.
  ~Actors();
  Actors(const Actors&) = delete;
  Actors& operator=(const Actors&) = delete;

  // Its activity shows from now on, also while it has no actors.
  void declare(const std::string& kind);
  // `make` builds the logic, told the id it will have; what it throws goes through. The actor runs
  // first when it is woken.
  ActorId spawn(std::string kind, std::string name,
                const std::function<std::unique_ptr<Logic>(ActorId)>& make);
  // The actor ends, after its current run if it is in one; later wakes are dropped.
  void stop(ActorId actor);

  void wake(ActorId actor, Cause cause);
  void wake(std::span<const Wake> wakes);
  // Ends a quarantine, or the wait after a fault.
  void release(ActorId actor);

  std::optional<ActorInfo> info(ActorId actor) const;
  std::vector<ActorInfo> list() const;
  ActorTotals totals() const;
  // Those declared or spawned so far, by name; they live as long as the Actors.
  std::vector<const KindActivity*> kinds() const;
  // `done` gets Logic::state_json() on an actor thread; never called if the actor stops first.
  void ask_state(ActorId actor, std::function<void(std::string)> done);
  // Likewise with Logic::journal().
  void ask_journal(ActorId actor, std::function<void(Result<std::string>)> done);

  CausalId next_causal_id();

  // Implementation; used by the CAF actor.
  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;  // shared with actors that are about to end
};

}  // namespace troupe
