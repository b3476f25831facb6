#include <boost/mp11.hpp>

#include "actors/mysqlreplication/kind.hpp"
#include "k8s/api/snapshot.hpp"

namespace troupe::actors {
namespace {

template <class Enum>
using Enumerators = boost::describe::describe_enumerators<Enum>;
using Types = Enumerators<k8s::OperationType>;
using Outcomes = Enumerators<k8s::OperationOutcome>;
constexpr auto kOutcomes = boost::mp11::mp_size<Outcomes>::value;

bool is_same(const k8s::ReplicationOperation& a, const k8s::ReplicationOperation& b) {
  return a.id == b.id && a.startedAt == b.startedAt;
}

// Types and outcomes are numbered from 0 in the order of their descriptions.
std::optional<std::size_t> row_of(const k8s::SnapshotPtr& before, const k8s::SnapshotPtr& after) {
  const auto& last = k8s::as<k8s::MysqlReplication>(before)->status.lastOperation;
  const auto& now = k8s::as<k8s::MysqlReplication>(after)->status.lastOperation;
  if (!now || !now->outcome || (last && is_same(*last, *now))) return std::nullopt;
  return static_cast<std::size_t>(now->type) * kOutcomes + static_cast<std::size_t>(*now->outcome);
}

}  // namespace

KindCounter MysqlReplicationKind::counter() {
  KindCounter out{.name = "troupe_mysql_operations_total",
                  .help = "Changes of roles that have ended",
                  .rows = {},
                  .row_of = &row_of};
  boost::mp11::mp_for_each<Types>([&out](auto type) {
    boost::mp11::mp_for_each<Outcomes>([&out, type](auto outcome) {
      out.rows.push_back({{"type", std::string(k8s::to_string(type.value))},
                          {"result", std::string(k8s::to_string(outcome.value))}});
    });
  });
  return out;
}

}  // namespace troupe::actors
