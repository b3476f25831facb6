#include "k8s/api/kinds.hpp"

#include <array>
#include <atomic>

#include "k8s/api/codec.hpp"
#include "k8s/api/core.hpp"

namespace troupe::k8s {
namespace {

std::atomic<const internal::KnownKind*> last_known{nullptr};

template <class... Kind>
std::span<const KindInfo* const> infos_of() {
  static const std::array infos = {&kind_info<Kind>()...};
  return infos;
}

}  // namespace

internal::KnownKind::KnownKind(const KindInfo& known) : info(known), next(last_known) {
  while (!last_known.compare_exchange_weak(next, this)) {
  }
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
  core_kinds();
  for (const auto* known = last_known.load(); known; known = known->next)
    if (known->info.id == id) return &known->info;
  return nullptr;
}

const KindInfo* find_kind(std::string_view group, std::string_view kind) {
  return find_kind(kind_id(group, kind));
}

}  // namespace troupe::k8s
