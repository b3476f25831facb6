// The last runs of every actor, out of one process-wide budget.
//
// An actor's last record is always kept, and the records before it, up to kMaxRecords in all, as
// long as the budget lasts: of those that have a successor, the ones that got it first go first. So
// a quiet actor may keep only its last record, and no other actor's noise takes that away.
//
// Actors are spread over shards, each with a lock and a share of the budget of its own; a run is
// put into bytes outside of the lock. Finding a chain's records costs what it finds. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "runtime/model/trace.hpp"

namespace troupe {

class History {
 public:
  static constexpr std::size_t kMaxRecords = 256;  // of one actor
  static constexpr std::size_t kShards = 16;       // an actor's is its place modulo this

  // The budget is for records that have a successor; the last one of each actor comes on top.
  explicit History(std::size_t budget_bytes = std::size_t{32} << 20);
  ~History();

  // Adds a run, with `causes` told as text behind those that it may have. A run that asked for
  // nothing and says the same as the last one (same `doing` and the same guards' rules, no fault,
  // no result of an effect) is only counted there, and renews the guards' texts; nothing is
  // rendered then. Runs of one actor come one at a time.
  void add(Record run, std::span<const Cause> causes = {});
  void forget(ActorId actor);

  std::vector<Record> of(ActorId actor) const;  // oldest first
  // Of all actors: at most `limit`, the oldest, oldest first.
  std::vector<Record> of(CausalId id, std::size_t limit = kMaxRecords) const;
  std::vector<Record> newest(std::size_t count) const;  // of all actors, newest first

  std::size_t bytes() const;           // of all records, with what finds them
  std::size_t budgeted_bytes() const;  // of records that have a successor, as the budget counts
  std::size_t budget() const;
  std::uint64_t evicted() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe
