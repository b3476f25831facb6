#include "k8s/sim/api/builtin_schemas_text.hpp"

namespace troupe::sim {

// clang-format off
const std::string_view kMetaTypes = R"(
package meta io.k8s.apimachinery.pkg.apis.meta.v1 meta v1

type ObjectMeta "Metadata that every stored object has."
  name string "Unique among objects of the kind in the namespace. Cannot change."
  generateName string "Prefix of a name that the server completes when name is empty."
  namespace string "Scope of the name. Cannot change."
  selfLink string
  uid string "Identity in time and space, given by the server."
  resourceVersion string "Version of the stored object, for optimistic locking and watches."
  generation int64 "Counts changes of the desired state."
  creationTimestamp time "When the server stored the object first."
  deletionTimestamp time "When deletion was asked for; the object goes once its finalizers are gone."
  deletionGracePeriodSeconds int64 "Seconds the object may take to end."
  labels {}string "Identifying pairs that selectors match."
  annotations {}string "Arbitrary pairs for tools."
  ownerReferences []OwnerReference keys=uid merge=uid "Objects this one depends on; when all are gone, it is collected."
  finalizers []string set merge "Who must agree before the object is removed."
  managedFields []ManagedFieldsEntry "Who set which field, kept by the server."
type OwnerReference atomic "An object that this one belongs to, and is deleted with."
  apiVersion!! string
  kind!! string
  name!! string
  uid!! string
  controller bool "Whether this owner is the managing controller."
  blockOwnerDeletion bool "Whether foreground deletion of the owner waits for this object."
type ManagedFieldsEntry "Fields that one manager set."
  manager string
  operation string
  apiVersion string
  time time
  fieldsType string
  fieldsV1 object
  subresource string
type LabelSelector atomic "Selects objects by label; the conditions are and-ed. Empty selects all."
  matchLabels {}string "Pairs that must all be there."
  matchExpressions []LabelSelectorRequirement "Requirements that must all hold."
type LabelSelectorRequirement
  key!! string
  operator!! string enum=DoesNotExist|Exists|In|NotIn
  values []string
type Condition "One observed aspect of the state of an object."
  type! string "What the condition is about, in CamelCase."
  status! string "True, False or Unknown."
  observedGeneration int64 "Generation the condition was seen at."
  lastTransitionTime! time "When the status last changed."
  reason! string "One CamelCase word for machines."
  message! string "Details for people."
type DeleteOptions
  gracePeriodSeconds int64
  preconditions Preconditions
  orphanDependents bool
  propagationPolicy string
  dryRun []string
  ignoreStoreReadErrorWithClusterBreakingPotential bool
type Preconditions
  uid string
  resourceVersion string
type FieldSelectorRequirement
  key!! string
  operator!! string
  values []string

package autoscaling io.k8s.api.autoscaling.v1 autoscaling v1

kind Scale "The size of a scalable object."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec ScaleSpec value
  status ScaleStatus value
type ScaleSpec
  replicas int32
type ScaleStatus
  replicas int32
  selector string

package authentication io.k8s.api.authentication.v1 authentication.k8s.io v1

kind TokenReview "Asks whom a token belongs to."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec TokenReviewSpec value
  status TokenReviewStatus value
type TokenReviewSpec
  token string
  audiences []string
type TokenReviewStatus
  authenticated bool
  user UserInfo value
  audiences []string
  error string
type UserInfo
  username string
  uid string
  groups []string
  extra {}[]string
kind TokenRequest "Asks for a token of a service account."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec TokenRequestSpec value
  status TokenRequestStatus value
type TokenRequestSpec
  audiences []string
  expirationSeconds int64
  boundObjectRef BoundObjectReference
type BoundObjectReference
  kind string
  apiVersion string
  name string
  uid string
type TokenRequestStatus
  token string
  expirationTimestamp time

package authorization io.k8s.api.authorization.v1 authorization.k8s.io v1

kind SubjectAccessReview "Asks whether a user may do something."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec SubjectAccessReviewSpec value
  status SubjectAccessReviewStatus value
type SubjectAccessReviewSpec
  resourceAttributes ResourceAttributes
  nonResourceAttributes NonResourceAttributes
  user string
  groups []string
  extra {}[]string
  uid string
type ResourceAttributes
  namespace string
  verb string
  group string
  version string
  resource string
  subresource string
  name string
  fieldSelector FieldSelectorAttributes
  labelSelector LabelSelectorAttributes
type FieldSelectorAttributes
  rawSelector string
  requirements []meta.FieldSelectorRequirement
type LabelSelectorAttributes
  rawSelector string
  requirements []meta.LabelSelectorRequirement
type NonResourceAttributes
  path string
  verb string
type SubjectAccessReviewStatus
  allowed bool
  denied bool
  reason string
  evaluationError string
kind SelfSubjectAccessReview "Asks whether the caller may do something."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec SelfSubjectAccessReviewSpec value
  status SubjectAccessReviewStatus value
type SelfSubjectAccessReviewSpec
  resourceAttributes ResourceAttributes
  nonResourceAttributes NonResourceAttributes
)";
// clang-format on

}  // namespace troupe::sim
