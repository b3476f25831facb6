// The last runs of every actor, out of one process-wide budget.
//
// Each actor keeps up to kMaxRecords; all together keep at most `budget_bytes`, the oldest records
// of the process going first, so that a quiet actor keeps few and a busy one cannot starve the
// rest of more than its share. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/model/trace.hpp"

namespace troupe {

class History {
 public:
  static constexpr std::size_t kMaxRecords = 256;

  explicit History(std::size_t budget_bytes = std::size_t{64} << 20);
  ~History();

  // Adds a run. A run that asked for nothing and says the same as the last one (same `doing` and
  // the same guards' rules, no fault) is only counted there.
  void add(Record record);
  void forget(ActorId actor);

  std::vector<Record> of(ActorId actor) const;          // oldest first
  std::vector<Record> of(CausalId id) const;            // all actors, oldest first
  std::vector<Record> newest(std::size_t count) const;  // all actors, newest first

  std::size_t bytes() const;
  std::uint64_t evicted() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe
