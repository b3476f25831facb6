// A kind's rules without an actor: what it remembers, what changes that, what it decides. An actor
// goes by them, and so does who goes through its journal again.
#pragma once

#include <boost/json/fwd.hpp>

#include "actors/model/decision.hpp"
#include "actors/model/sight.hpp"
#include "runtime/model/described.hpp"

namespace troupe::actors {

class Rules {
 public:
  virtual ~Rules() = default;
  virtual void fold(const EffectResult& result) = 0;
  virtual Decision decide(const ObjectRef& self, Sight& sight, TimePoint now) = 0;
  // Everything that is remembered from run to run, and to begin with it elsewhere.
  virtual boost::json::value memory(const Veil& veil) const = 0;
  virtual Result<void> remember(const boost::json::value& memory) = 0;
};

}  // namespace troupe::actors
