#include "actors/host/mysql_operations.hpp"

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/snapshot.hpp"

namespace troupe::actors {
namespace {

template <class Enum>
constexpr std::size_t kCount =
    boost::mp11::mp_size<boost::describe::describe_enumerators<Enum>>::value;

bool is_same(const k8s::ReplicationOperation& a, const k8s::ReplicationOperation& b) {
  return a.id == b.id && a.startedAt == b.startedAt;
}

}  // namespace

void MysqlOperations::see(const k8s::Change& change) {
  if (change.kind() != k8s::kKindId<k8s::MysqlReplication> || !change.before || !change.after)
    return;
  const auto& before = k8s::as<k8s::MysqlReplication>(change.before)->status.lastOperation;
  const auto& after = k8s::as<k8s::MysqlReplication>(change.after)->status.lastOperation;
  if (!after || !after->outcome || (before && is_same(*before, *after))) return;
  const auto type = static_cast<std::size_t>(after->type);
  const auto result = static_cast<std::size_t>(*after->outcome);
  ended_[type][result].fetch_add(1, std::memory_order_relaxed);
}

void MysqlOperations::each(const See& see) const {
  static_assert(kCount<k8s::OperationType> == kTypes);
  static_assert(kCount<k8s::OperationOutcome> == kResults);
  for (std::size_t type = 0; type < kTypes; ++type)
    for (std::size_t result = 0; result < kResults; ++result)
      see(k8s::to_string(static_cast<k8s::OperationType>(type)),
          k8s::to_string(static_cast<k8s::OperationOutcome>(result)),
          ended_[type][result].load(std::memory_order_relaxed));
}

}  // namespace troupe::actors
