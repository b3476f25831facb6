#include "k8s/api/kinds.hpp"

#include <algorithm>
#include <array>

#include "k8s/api/core.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/unit.hpp"
#include "k8s/api/unitset.hpp"

namespace troupe::k8s {
namespace {

template <class... Kind>
std::span<const KindInfo* const> infos_of() {
  static const std::array infos = {&kind_info<Kind>()...};
  return infos;
}

}  // namespace

std::span<const KindInfo* const> own_kinds() {
  return infos_of<UnitSet,  //
                  Unit,     //
                  MysqlReplication>();
}

std::span<const KindInfo* const> core_kinds() {
  return infos_of<Pod,                    //
                  Service,                //
                  EndpointSlice,          //
                  ConfigMap,              //
                  SecretObject,           //
                  PersistentVolumeClaim,  //
                  StorageClass,           //
                  Node,                   //
                  PodTemplate,            //
                  PodDisruptionBudget,    //
                  Lease>();
}

const KindInfo* find_kind(KindId id) {
  for (const auto kinds : {own_kinds(), core_kinds()}) {
    for (const KindInfo* kind : kinds) {
      if (kind->id == id) return kind;
    }
  }
  return nullptr;
}

const KindInfo* find_kind(std::string_view group, std::string_view kind) {
  return find_kind(kind_id(group, kind));
}

}  // namespace troupe::k8s
