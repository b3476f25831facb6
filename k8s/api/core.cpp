#include "k8s/api/core.hpp"

#include "k8s/api/codec.hpp"

namespace troupe::k8s {

template <>
const KindInfo& kind_info<Pod>() {
  return internal::define_kind<Pod>();
}

template <>
const KindInfo& kind_info<Service>() {
  return internal::define_kind<Service>();
}

template <>
const KindInfo& kind_info<EndpointSlice>() {
  return internal::define_kind<EndpointSlice>();
}

template <>
const KindInfo& kind_info<ConfigMap>() {
  return internal::define_kind<ConfigMap>();
}

template <>
const KindInfo& kind_info<SecretObject>() {
  return internal::define_kind<SecretObject>();
}

template <>
const KindInfo& kind_info<PersistentVolumeClaim>() {
  return internal::define_kind<PersistentVolumeClaim>();
}

template <>
const KindInfo& kind_info<StorageClass>() {
  return internal::define_kind<StorageClass>();
}

template <>
const KindInfo& kind_info<Node>() {
  return internal::define_kind<Node>();
}

template <>
const KindInfo& kind_info<PodTemplate>() {
  return internal::define_kind<PodTemplate>();
}

template <>
const KindInfo& kind_info<PodDisruptionBudget>() {
  return internal::define_kind<PodDisruptionBudget>();
}

template <>
const KindInfo& kind_info<Lease>() {
  return internal::define_kind<Lease>();
}

}  // namespace troupe::k8s
