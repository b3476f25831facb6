#include "k8s/sim/api/core.hpp"

#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/custom_types.hpp"
#include "k8s/sim/api/namespace_keeper.hpp"
#include "k8s/sim/api/owner_graph.hpp"
#include "k8s/sim/api/service_allocator.hpp"
#include "k8s/sim/api/tokens.hpp"

namespace troupe::sim {

OwnersPtr OwnersCache::find(std::uint64_t resource_version) const {
  const auto found = by_version_.find(resource_version);
  return found == by_version_.end() ? nullptr : found->second;
}

void OwnersCache::keep(std::uint64_t resource_version, OwnersPtr owners) {
  by_version_.insert_or_assign(resource_version, std::move(owners));
  if (by_version_.size() > kMost) by_version_.erase(by_version_.begin());
}

Core::Core(ApiServerOptions o)
    : options(std::move(o)), random(options.seed), store(options.history), hub(store) {
  register_builtins(registry);
  services = std::make_unique<ServiceAllocator>(store, options.service_network);
  owners = std::make_unique<OwnerGraph>(*this);
  namespaces = std::make_unique<NamespaceKeeper>(*this);
  definitions = std::make_unique<CrdRegistrar>(*this);
  tokens = std::make_unique<Tokens>(options, random.uid() + random.uid());
}

Core::~Core() = default;

ObjectPtr Core::find(std::string_view collection, std::string_view ns,
                     std::string_view name) const {
  const auto* found = store.find_collection(collection);
  return found == nullptr ? nullptr : found->find(object_key(ns, name));
}

}  // namespace troupe::sim
