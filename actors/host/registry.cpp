#include "actors/host/registry.hpp"

#include "actors/mysqlreplication/kind.hpp"
#include "actors/unit/kind.hpp"
#include "actors/unitset/kind.hpp"

namespace troupe::actors {
namespace {

template <class Kind>
constexpr RegisteredKind kind() {
  return {k8s::kKindId<typename Kind::Object>, Kind::kName,
          [](Stage& stage, ActorId id, ObjectRef self) -> std::unique_ptr<Logic> {
            return std::make_unique<KindLogic<Kind>>(stage, id, std::move(self));
          }};
}

constexpr RegisteredKind kKinds[] = {
    kind<UnitSetKind>(),
    kind<UnitKind>(),
    kind<MysqlReplicationKind>(),
};

}  // namespace

std::span<const RegisteredKind> registered_kinds() { return kKinds; }

}  // namespace troupe::actors
