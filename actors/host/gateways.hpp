// Where effects go: one call takes any effect, and answers it exactly once.
//
// The operator's is LiveGateways; tests and the simulator have their own. Thread-safe.
#pragma once

#include <functional>

#include "actors/model/decision.hpp"

namespace troupe::actors {

class Gateways {
 public:
  using Done = std::function<void(EffectResult)>;

  virtual ~Gateways() = default;
  // `done` runs on a gateway's thread, or inside this call where nothing is waited for. `actor`
  // asked; `id` its chain.
  virtual void start(ActorId actor, CausalId id, const Effect& effect, Done done) = 0;
};

}  // namespace troupe::actors
