#include "k8s/sim/api/fields_strategic.hpp"

#include <gtest/gtest.h>

#include "k8s/sim/api/builtin_schemas.hpp"
#include "tests/unit/sim/schema_testing.hpp"

namespace troupe::sim {
namespace {

// Patches spec of a pod.
json::value patched(const std::string& original, const std::string& patch) {
  const auto result =
      strategic_merge_patch(yaml("{spec: " + original + "}"), yaml("{spec: " + patch + "}"),
                            builtin_schema("", "v1", "Pod"));
  EXPECT_TRUE(result) << result.error().message;
  return result->at("spec");
}

struct Case {
  const char* rule;
  std::string original;
  std::string patch;
  std::string expected;
};

TEST(StrategicMerge, FollowsMergeKeysAndDirectives) {
  const std::vector<Case> cases = {
      {"maps merge and null deletes", "{nodeName: a, hostname: h}", "{nodeName: b, hostname: null}",
       "{nodeName: b}"},
      {"keyed lists merge by their key", "{containers: [{name: a, image: x}, {name: b}]}",
       "{containers: [{name: a, image: y}, {name: c}]}",
       "{containers: [{name: a, image: y}, {name: b}, {name: c}]}"},
      {"lists without a key are replaced", "{tolerations: [{key: a}]}", "{tolerations: [{key: b}]}",
       "{tolerations: [{key: b}]}"},
      {"items go by $patch: delete", "{containers: [{name: a}, {name: b}]}",
       "{containers: [{name: a, $patch: delete}]}", "{containers: [{name: b}]}"},
      {"a list is replaced by $patch: replace", "{containers: [{name: a}, {name: b}]}",
       "{containers: [{$patch: replace}, {name: c}]}", "{containers: [{name: c}]}"},
      {"a map is replaced by $patch: replace", "{securityContext: {runAsUser: 1, fsGroup: 2}}",
       "{securityContext: {$patch: replace, fsGroup: 3}}", "{securityContext: {fsGroup: 3}}"},
      {"a map is emptied by $patch: delete", "{securityContext: {runAsUser: 1}}",
       "{securityContext: {$patch: delete}}", "{securityContext: {}}"},
      {"$retainKeys drops the others", "{volumes: [{name: v, emptyDir: {}}]}",
       "{volumes: [{name: v, $retainKeys: [name, hostPath], hostPath: {path: /x}}]}",
       "{volumes: [{name: v, hostPath: {path: /x}}]}"},
      {"$setElementOrder sorts and keeps foreign items in place",
       "{containers: [{name: injected}, {name: a}, {name: b}]}",
       "{$setElementOrder/containers: [{name: b}, {name: c}, {name: a}], containers: [{name: c}]}",
       "{containers: [{name: injected}, {name: b}, {name: c}, {name: a}]}"},
      {"$setElementOrder alone sorts, too", "{containers: [{name: a}, {name: b}]}",
       "{$setElementOrder/containers: [{name: b}, {name: a}]}",
       "{containers: [{name: b}, {name: a}]}"},
      {"nulls in new maps are dropped", "{}", "{affinity: {nodeAffinity: null, podAffinity: {}}}",
       "{affinity: {podAffinity: {}}}"},
      {"deeper keyed lists merge as well",
       "{containers: [{name: a, env: [{name: X, value: '1'}]}]}",
       "{containers: [{name: a, env: [{name: Y, value: '2'}]}]}",
       "{containers: [{name: a, env: [{name: X, value: '1'}, {name: Y, value: '2'}]}]}"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(patched(c.original, c.patch), yaml(c.expected)) << c.rule;
  }
}

TEST(StrategicMerge, PrimitivesMergeAndAreDeletedByValue) {
  const auto result = strategic_merge_patch(
      yaml("{metadata: {finalizers: [a/x, b/y]}}"),
      yaml("{metadata: {$deleteFromPrimitiveList/finalizers: [a/x], finalizers: [b/y, c/z]}}"),
      builtin_schema("", "v1", "Pod"));
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, yaml("{metadata: {finalizers: [b/y, c/z]}}"));
}

TEST(StrategicMerge, RefusesItemsWithoutTheirKeyAndUnknownDirectives) {
  const auto& pods = builtin_schema("", "v1", "Pod");
  const auto no_key =
      strategic_merge_patch(yaml("{}"), yaml("{spec: {containers: [{image: x}]}}"), pods);
  ASSERT_FALSE(no_key);
  EXPECT_EQ(no_key.error().message,
            "map: {\"image\":\"x\"} does not contain declared merge key: name");
  EXPECT_FALSE(strategic_merge_patch(yaml("{}"), yaml("{spec: {$patch: explode}}"), pods));
}

}  // namespace
}  // namespace troupe::sim
