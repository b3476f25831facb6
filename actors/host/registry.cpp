#include "actors/host/registry.hpp"

#include "actors/authority/kind.hpp"
#include "actors/mysqlreplication/kind.hpp"
#include "actors/unit/kind.hpp"
#include "actors/unitset/kind.hpp"

namespace troupe::actors {
namespace {

constexpr RegisteredKind kKinds[] = {
    registered<UnitSetKind>(),
    registered<UnitKind>(),
    registered<MysqlReplicationKind>(),
};

constexpr StandingKind kStanding[] = {
    {&AuthorityKind::self, AuthorityKind::kName,
     [](Stage& stage, ActorId id, ObjectRef self) -> std::unique_ptr<Logic> {
       return std::make_unique<KindLogic<AuthorityKind>>(stage, id, std::move(self));
     }},
};

}  // namespace

std::span<const RegisteredKind> registered_kinds() { return kKinds; }
std::span<const StandingKind> standing_kinds() { return kStanding; }

}  // namespace troupe::actors
