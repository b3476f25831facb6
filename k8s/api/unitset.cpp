#include "k8s/api/unitset.hpp"

#include "k8s/api/codec.hpp"

namespace troupe::k8s {

template <>
const KindInfo& kind_info<UnitSet>() {
  return internal::define_kind<UnitSet>();
}

}  // namespace troupe::k8s
