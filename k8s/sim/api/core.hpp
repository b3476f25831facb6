// The server's state, shared by its parts: what is stored, what is served, who watches.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "k8s/sim/api/fields.hpp"
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

// Who owns what of the objects that were written last, which are most likely to be written next; of
// others their managedFields are read again.
class OwnersCache {
 public:
  // Null: it is not known any more.
  OwnersPtr find(std::uint64_t resource_version) const;
  void keep(std::uint64_t resource_version, OwnersPtr owners);

 private:
  static constexpr std::size_t kMost = 256;
  std::map<std::uint64_t, OwnersPtr> by_version_;  // oldest first
};

struct Core {
  explicit Core(ApiServerOptions o);
  ~Core();

  ApiServerOptions options;
  WallTime now{};  // of the input being handled
  Random random;
  Registry registry;
  Store store;
  WatchHub hub;
  OwnersCache field_owners;
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
