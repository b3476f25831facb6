#include "k8s/api/unit.hpp"

#include "k8s/api/codec.hpp"

namespace troupe::k8s {

template <>
const KindInfo& kind_info<Unit>() {
  return internal::define_kind<Unit>();
}

}  // namespace troupe::k8s
