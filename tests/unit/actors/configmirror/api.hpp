// ConfigMirror: keeps a copy of a ConfigMap under another name. The kind that docs/adding-a-kind.md
// walks through; it lives in the tests only.
#pragma once

#include <string_view>

#include "k8s/api/kind.hpp"
#include "k8s/api/metadata.hpp"

namespace troupe::k8s {

struct ConfigMirrorSpec {
  Text source;
  Text target;
};
BOOST_DESCRIBE_STRUCT(ConfigMirrorSpec, (), (source, target))
template <>
struct Schema<ConfigMirrorSpec> {
  static constexpr std::string_view kDoc = "The copy that shall be.";
  static constexpr Field kFields[] = {
      {.name = "source",
       .doc = "ConfigMap that is copied.",
       .required = true,
       .min_length = 1,
       .max_length = 253},
      {.name = "target",
       .doc = "Name of the copy. Cannot change.",
       .required = true,
       .min_length = 1,
       .max_length = 253,
       .rules = {{"self == oldSelf", "the target cannot change: make another ConfigMirror"}}},
  };
  static constexpr Rule kRules[] = {
      {"self.source != self.target", "a ConfigMap cannot mirror itself: name another target"},
  };
};

struct ConfigMirrorStatus {
  std::int64_t observedGeneration = 0;
  std::int32_t keys = 0;
  List<Condition> conditions;
};
BOOST_DESCRIBE_STRUCT(ConfigMirrorStatus, (), (observedGeneration, keys, conditions))
template <>
struct Schema<ConfigMirrorStatus> {
  static constexpr std::string_view kDoc = "The copy that is.";
  static constexpr Field kFields[] = {
      {.name = "observedGeneration",
       .doc = "Generation of the spec that this status is about.",
       .omit_zero = true},
      {.name = "keys", .doc = "How many keys the copy has."},
      {.name = "conditions",
       .doc = "What stands in the way.",
       .list = ListType::Map,
       .keys = {"type"}},
  };
};

struct ConfigMirror {
  ObjectMeta metadata;
  ConfigMirrorSpec spec;
  ConfigMirrorStatus status;
};
BOOST_DESCRIBE_STRUCT(ConfigMirror, (), (metadata, spec, status))
template <>
struct Schema<ConfigMirror> {
  static constexpr std::string_view kDoc = "A copy of a ConfigMap under another name.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "The copy that shall be.", .required = true},
      {.name = "status", .doc = "The copy that is."},
  };
};
template <>
inline constexpr KindTable kKind<ConfigMirror> = {
    .group = "example.troupe.dev",
    .version = "v1",
    .kind = "ConfigMirror",
    .plural = "configmirrors",
    .singular = "configmirror",
    .short_names = {"cmm"},
    .status = true,
    .columns = {{"SOURCE", "string", ".spec.source", 0, "What is copied."},
                {"TARGET", "string", ".spec.target", 0, "The copy."},
                {"KEYS", "integer", ".status.keys", 0, "How many keys it has."}},
};
template <>
const KindInfo& kind_info<ConfigMirror>();

}  // namespace troupe::k8s
