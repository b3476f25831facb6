// A kind's rules alone, to be gone through without an actor: what its memory is, what changes it,
// what it decides.
#pragma once

#include <boost/json/fwd.hpp>

#include "actors/model/decision.hpp"
#include "actors/model/sight.hpp"

namespace troupe::actors {

class Rehearsal {
 public:
  virtual ~Rehearsal() = default;
  virtual Result<void> remember(const boost::json::value& memory) = 0;
  virtual void fold(const EffectResult& result) = 0;
  virtual Decision decide(const ObjectRef& self, Sight& sight, TimePoint now) = 0;
};

}  // namespace troupe::actors
