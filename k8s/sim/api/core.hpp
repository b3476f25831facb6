// The server's state, shared by its parts: what is stored, what is served, who watches.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "k8s/sim/api/options.hpp"
#include "k8s/sim/api/random.hpp"
#include "k8s/sim/api/resource_type.hpp"
#include "k8s/sim/api/store.hpp"
#include "k8s/sim/api/watch_hub.hpp"

namespace troupe::sim {

class CrdRegistrar;
class NamespaceKeeper;
class OwnerGraph;
class ServiceAllocator;
class Tokens;

struct Core {
  explicit Core(ApiServerOptions o);
  ~Core();

  ApiServerOptions options;
  WallTime now{};  // of the input being handled
  Random random;
  Registry registry;
  Store store;
  WatchHub hub;
  std::unique_ptr<ServiceAllocator> services;
  std::unique_ptr<OwnerGraph> owners;
  std::unique_ptr<NamespaceKeeper> namespaces;
  std::unique_ptr<CrdRegistrar> definitions;
  std::unique_ptr<Tokens> tokens;

  // Collections whose CRD is being deleted: nothing new is created there.
  std::set<std::string, std::less<>> terminating;

  ObjectPtr find(std::string_view collection, std::string_view ns, std::string_view name) const;
};

}  // namespace troupe::sim
