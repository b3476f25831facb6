// Changes of the store, collected, then routed to the actors that they wake in one go.
//
// Each change begins a causal chain. A cause's subject points into the batch, which lives as long
// as a cause does: one allocation a batch instead of one a change. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "k8s/client/wake_sink.hpp"
#include "k8s/store/router.hpp"

namespace troupe::k8s {

class ChangeBatch {
 public:
  ChangeBatch(const Router& router, WakeSink& sink) : router_(router), sink_(sink) {}

  void add(std::optional<Change> change) {
    if (change) changes_.push_back(std::move(*change));
  }
  std::size_t size() const { return changes_.size(); }

  // Wakes all dependents but `except`; `id` is the chain that the changes belong to, none for
  // chains of their own. Returns how many were woken. Afterwards the batch is empty.
  std::size_t flush(TimePoint now, CauseType type, CausalId id = {}, ActorId except = {});

 private:
  const Router& router_;
  WakeSink& sink_;
  std::vector<Change> changes_;
  std::vector<Wake> wakes_;
  std::vector<ActorId> routed_;
};

// "modified Unit.upm.syntropycloud.io db/a-0 at 1234", the number being the resourceVersion.
std::string describe(const Change& change);

}  // namespace troupe::k8s
