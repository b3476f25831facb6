// The moment at which an operator is to die, so that a test sees what the next one makes of it:
// just before an effect of its actors goes out, or just after it was answered and before any actor
// has heard of it. Effects are named by their keys: "record", "step db-1 Promote 2 ".
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "actors/host/gateways.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors {

struct FaultPoint {
  enum class When { Before, After };

  When when = When::Before;
  std::string effect;  // a pattern of keys, with * and ? as in a shell
  int occurrence = 1;  // of what fits it

  // "before record", "after step * Promote *", "after record#2": the second one.
  static Result<FaultPoint> parse(std::string_view text);
};

// Passes everything on; calls `reached` at that point, which lets the effect or its answer go no
// further where it does not end the process.
class GatewaysWithFault final : public Gateways {
 public:
  using Reached = std::function<void(const Effect&)>;

  GatewaysWithFault(Gateways& inner, FaultPoint point, Reached reached)
      : inner_(inner), point_(std::move(point)), reached_(std::move(reached)) {}

  void start(ActorId actor, CausalId id, const Effect& effect, Done done) override;

 private:
  bool is_here(FaultPoint::When when, const Effect& effect);

  Gateways& inner_;
  const FaultPoint point_;
  const Reached reached_;
  std::atomic<int> seen_ = 0;
};

}  // namespace troupe::actors
