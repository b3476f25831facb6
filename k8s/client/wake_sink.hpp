// Where the client hands the actors that a change wakes, with the reason of each.
#pragma once

#include <span>

#include "k8s/store/store.hpp"
#include "runtime/actors.hpp"

namespace troupe::k8s {

class WakeSink {
 public:
  virtual ~WakeSink() = default;
  // All changes of a batch, before the actors they wake are looked up: the place to make actors of
  // objects that are new, and to end those of objects that have gone. On the client's loop.
  virtual void changed(std::span<const Change>) {}
  // Called on the client's loop, once for each read of a socket, not for each event. Must not
  // block.
  virtual void wake(std::span<const Wake> wakes) = 0;
  // Of a chain that begins with a change.
  virtual CausalId next_causal_id() = 0;
  // The chain that a change from a watch belongs to: a new one, or that of the write it echoes.
  virtual CausalId chain_of(const Change&) { return next_causal_id(); }
};

}  // namespace troupe::k8s
