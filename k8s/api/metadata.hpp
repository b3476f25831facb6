// metav1.ObjectMeta and what statuses of all kinds share.
//
// managedFields are never kept, nor is kubectl's last-applied-configuration: neither is read here,
// and together they are often larger than the object.
#pragma once

#include <cstdint>
#include <string_view>

#include "k8s/api/describe.hpp"
#include "k8s/api/types.hpp"

namespace troupe::k8s {

struct OwnerReference {
  Text apiVersion;
  Text kind;
  Text name;
  Text uid;
  Opt<bool> controller;
  Opt<bool> blockOwnerDeletion;
};
BOOST_DESCRIBE_STRUCT(OwnerReference, (),
                      (apiVersion, kind, name, uid, controller, blockOwnerDeletion))
template <>
struct Schema<OwnerReference> {
  static constexpr std::string_view kDoc = "An object that this one goes with.";
  static constexpr Field kFields[] = {
      {.name = "apiVersion", .doc = "Group and version of the owner.", .required = true},
      {.name = "kind", .doc = "Kind of the owner.", .required = true},
      {.name = "name", .doc = "Name of the owner.", .required = true},
      {.name = "uid", .doc = "UID of the owner.", .required = true},
      {.name = "controller", .doc = "The one owner that manages the object."},
      {.name = "blockOwnerDeletion",
       .doc = "The owner's foreground deletion waits for this object."},
  };
};

struct ObjectMeta {
  Text name;
  Text namespace_;
  Text uid;
  ResourceVersion resourceVersion;
  std::int64_t generation = 0;
  Time creationTimestamp;
  Time deletionTimestamp;
  Opt<std::int32_t> deletionGracePeriodSeconds;
  TextMap labels;
  TextMap annotations;
  List<OwnerReference> ownerReferences;
  List<Text> finalizers;
};
BOOST_DESCRIBE_STRUCT(ObjectMeta, (),
                      (name, namespace_, uid, resourceVersion, generation, creationTimestamp,
                       deletionTimestamp, deletionGracePeriodSeconds, labels, annotations,
                       ownerReferences, finalizers))
template <>
struct Schema<ObjectMeta> {
  static constexpr std::string_view kDoc = "Identity and bookkeeping of an object.";
  static constexpr Field kFields[] = {
      {.name = "name", .doc = "Name, unique for its kind in the namespace."},
      {.name = "namespace", .doc = "Namespace; empty for objects of the cluster."},
      {.name = "uid", .doc = "Unique for ever."},
      {.name = "resourceVersion", .doc = "Grows with every write."},
      {.name = "generation", .doc = "Grows with every change of the spec.", .omit_zero = true},
      {.name = "creationTimestamp", .doc = "When it was created."},
      {.name = "deletionTimestamp", .doc = "When its deletion was asked for."},
      {.name = "deletionGracePeriodSeconds", .doc = "Time it has to end gracefully."},
      {.name = "labels", .doc = "What selectors see."},
      {.name = "annotations",
       .doc = "Notes of its users and controllers.",
       .dropped_key = "kubectl.kubernetes.io/last-applied-configuration"},
      {.name = "ownerReferences",
       .doc = "What it goes with.",
       .list = ListType::Map,
       .keys = {"uid"}},
      {.name = "finalizers", .doc = "What must be done before it goes.", .list = ListType::Set},
  };
};

// The owner that manages the object, or null.
const OwnerReference* controller_of(const ObjectMeta& meta);
bool has_finalizer(const ObjectMeta& meta, std::string_view finalizer);

enum class ConditionStatus : std::uint8_t { True, False, Unknown };
BOOST_DESCRIBE_ENUM(ConditionStatus, True, False, Unknown)

struct Condition {
  Text type;
  ConditionStatus status = ConditionStatus::Unknown;
  std::int64_t observedGeneration = 0;
  Time lastTransitionTime;
  Text reason;
  Text message;
};
BOOST_DESCRIBE_STRUCT(Condition, (),
                      (type, status, observedGeneration, lastTransitionTime, reason, message))
template <>
struct Schema<Condition> {
  static constexpr std::string_view kDoc = "One aspect of the object's state.";
  static constexpr Field kFields[] = {
      {.name = "type", .doc = "The aspect.", .required = true, .min_length = 1, .max_length = 316},
      {.name = "status", .doc = "Whether it holds.", .required = true},
      {.name = "observedGeneration",
       .doc = "The generation that this was found for.",
       .omit_zero = true,
       .minimum = 0},
      {.name = "lastTransitionTime", .doc = "When the status last changed.", .required = true},
      {.name = "reason",
       .doc = "One word for why.",
       .required = true,
       .min_length = 1,
       .max_length = 1024,
       .pattern = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"},
      {.name = "message",
       .doc = "Why, for a person, and what to do.",
       .required = true,
       .max_length = 32768},
  };
};

// The condition of that type, or null.
const Condition* find_condition(List<Condition> conditions, std::string_view type);
// Whether there is one of that type and it is True.
bool is_true(List<Condition> conditions, std::string_view type);

// Name of an object in the same namespace.
struct LocalReference {
  Text name;
};
BOOST_DESCRIBE_STRUCT(LocalReference, (), (name))
template <>
struct Schema<LocalReference> {
  static constexpr std::string_view kDoc = "An object in the same namespace.";
  static constexpr Field kFields[] = {{.name = "name", .doc = "Its name.", .min_length = 1}};
};

}  // namespace troupe::k8s
