// What the operator may do: what it needs for the kinds that it runs, and nothing that nobody made.
#include "actors/host/role.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <string>

#include "k8s/api/core.hpp"
#include "k8s/api/kinds.hpp"
#include "tests/support/files.hpp"
#include "tests/support/tree.hpp"

namespace troupe::actors {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// Verbs by "group/resource".
std::map<std::string, std::set<std::string>> granted() {
  std::map<std::string, std::set<std::string>> out;
  for (const auto& rule : YAML::Load(role_yaml(registered_kinds()))["rules"])
    for (const auto& group : rule["apiGroups"])
      for (const auto& resource : rule["resources"])
        for (const auto& verb : rule["verbs"])
          out[group.as<std::string>() + "/" + resource.as<std::string>()].insert(
              verb.as<std::string>());
  return out;
}

std::string resource_of(const k8s::KindInfo& kind) {
  return std::string(kind.table.group) + "/" + std::string(kind.table.plural);
}

TEST(Role, IsUpToDate) {
  EXPECT_EQ(support::file_text(support::in_tree("config/rbac/role.yaml")),
            role_yaml(registered_kinds()))
      << "stale: run ./dev gen and commit config/rbac/role.yaml";
}

TEST(Role, HasEachKindThatTheOperatorRunsWithItsStatusAndFinalizers) {
  auto may = granted();
  for (const auto& kind : registered_kinds()) {
    const auto resource = resource_of(kind.info());
    EXPECT_THAT(may[resource], AllOf(Contains("create"), Contains("patch"))) << resource;
    EXPECT_THAT(may[resource + "/status"], UnorderedElementsAre("get", "patch")) << resource;
    EXPECT_THAT(may[resource + "/finalizers"], UnorderedElementsAre("update")) << resource;
  }
}

TEST(Role, LetsTheOperatorWatchAllThatItWatches) {
  auto may = granted();
  std::vector<const k8s::KindInfo*> watched;
  for (const auto& kind : registered_kinds()) watched.push_back(&kind.info());
  for (const auto* kind : k8s::core_kinds())
    if (kind->id != k8s::kKindId<k8s::Lease> && kind->id != k8s::kKindId<k8s::EndpointSlice>)
      watched.push_back(kind);
  for (const auto* kind : watched)
    EXPECT_THAT(may[resource_of(*kind)],
                AllOf(Contains("get"), Contains("list"), Contains("watch")))
        << resource_of(*kind);
}

TEST(Role, GrantsNothingByAWildcard) {
  for (const auto& [resource, verbs] : granted()) {
    EXPECT_EQ(resource.find('*'), std::string::npos) << resource;
    EXPECT_THAT(verbs, Not(Contains("*"))) << resource;
  }
}

}  // namespace
}  // namespace troupe::actors
