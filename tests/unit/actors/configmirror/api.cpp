#include "tests/unit/actors/configmirror/api.hpp"

#include "k8s/api/codec.hpp"

namespace troupe::k8s {

template <>
const KindInfo& kind_info<ConfigMirror>() {
  return internal::define_kind<ConfigMirror>();
}

}  // namespace troupe::k8s
