#include "actors/host/registry.hpp"

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

}  // namespace

std::span<const RegisteredKind> registered_kinds() { return kKinds; }

}  // namespace troupe::actors
