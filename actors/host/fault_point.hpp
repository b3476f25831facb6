// The moment at which an operator is to die, or to pause, so that a test sees what the next one
// makes of it, and what a paused one does when it goes on: just before an effect of its actors goes
// out, or just after it was answered and before any actor has heard of it. Effects are named by
// their keys: "record", "step db-1 Promote 2 ".
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "actors/host/gateways.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors {

struct FaultPoint {
  enum class What { Die, Pause };
  enum class When { Before, After };

  What what = What::Die;
  When when = When::Before;
  std::string effect;  // a pattern of keys, with * and ? as in a shell
  int occurrence = 1;  // of what fits it

  // "die before record", "pause after step * Promote *", "die after record#2": the second one.
  static Result<FaultPoint> parse(std::string_view text);
};

// Passes everything on; calls `reached` at that point. Of one that is to die, nothing goes further,
// also where that does not end the process; of one that is to pause all goes on afterwards.
class GatewaysWithFault final : public Gateways {
 public:
  using Reached = std::function<void(FaultPoint::What, const Effect&)>;

  GatewaysWithFault(Gateways& inner, FaultPoint point, Reached reached)
      : inner_(inner), point_(std::move(point)), reached_(std::move(reached)) {}

  void start(ActorId actor, CausalId id, const Effect& effect, Done done) override;

 private:
  // True where it ends.
  bool ends_here(FaultPoint::When when, const Effect& effect);

  Gateways& inner_;
  const FaultPoint point_;
  const Reached reached_;
  std::atomic<int> seen_ = 0;
};

}  // namespace troupe::actors
