// What every controller of a simulated cluster is given. All of it outlives the controllers; they
// subscribe to caches when constructed, before the caches are started, and run on the API server's
// thread only.
#pragma once

#include "k8s/sim/controllers/event_recorder.hpp"
#include "k8s/sim/controllers/object_cache.hpp"
#include "k8s/sim/local_client.hpp"
#include "runtime/model/time.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

struct ControllerContext {
  LocalClient& api;
  boost::asio::io_context& io;
  const Clock& clock;
  EventRecorder& events;
  ObjectCaches& caches;
};

// One of the parts that run beside the API server; working from construction to destruction.
class Controller {
 public:
  virtual ~Controller() = default;
};

}  // namespace troupe::sim
