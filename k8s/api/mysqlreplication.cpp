#include "k8s/api/mysqlreplication.hpp"

#include "k8s/api/codec.hpp"

namespace troupe::k8s {

template <>
const KindInfo& kind_info<MysqlReplication>() {
  return internal::define_kind<MysqlReplication>();
}

}  // namespace troupe::k8s
