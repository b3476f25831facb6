// What the kinds count by their objects' changes (actors/model/kind_counter.hpp). Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "actors/host/registry.hpp"
#include "actors/model/kind_counter.hpp"
#include "k8s/store/store.hpp"

namespace troupe::actors {

class KindCounters {
 public:
  explicit KindCounters(std::span<const RegisteredKind> kinds);

  // What this process did not see coming, its first look at an object, counts nothing.
  void see(const k8s::Change& change);

  using See = std::function<void(const KindCounter& counter, const KindCounter::Row& row,
                                 std::uint64_t count)>;
  void each(const See& see) const;

 private:
  struct Counted {
    k8s::KindId kind;
    KindCounter counter;
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts;
  };
  std::vector<Counted> counted_;
};

}  // namespace troupe::actors
