#include "k8s/api/metadata.hpp"

#include <algorithm>

namespace troupe::k8s {

const OwnerReference* controller_of(const ObjectMeta& meta) {
  return meta.ownerReferences.find(&OwnerReference::controller, true);
}

bool has_finalizer(const ObjectMeta& meta, std::string_view finalizer) {
  return std::find(meta.finalizers.begin(), meta.finalizers.end(), finalizer) !=
         meta.finalizers.end();
}

const Condition* find_condition(List<Condition> conditions, std::string_view type) {
  return conditions.find(&Condition::type, type);
}

bool is_true(List<Condition> conditions, std::string_view type) {
  const Condition* condition = find_condition(conditions, type);
  return condition && condition->status == ConditionStatus::True;
}

}  // namespace troupe::k8s
