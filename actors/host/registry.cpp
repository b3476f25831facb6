#include "actors/host/registry.hpp"

#include "actors/authority/kind.hpp"
#include "actors/host/registered.hpp"
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

constexpr StandingKind kStanding[] = {standing<AuthorityKind>()};

}  // namespace

std::span<const RegisteredKind> registered_kinds() { return kKinds; }
std::span<const StandingKind> standing_kinds() { return kStanding; }

std::unique_ptr<Rules> rules_of(std::string_view kind) {
  for (const auto& each : registered_kinds()) {
    each.info();  // from now on snapshots of it can be read
    if (each.name == kind) return each.rules();
  }
  for (const auto& each : standing_kinds())
    if (each.name == kind) return each.rules();
  return nullptr;
}

}  // namespace troupe::actors
