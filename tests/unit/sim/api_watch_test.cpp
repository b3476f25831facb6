#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sim/api_testing.hpp"

namespace troupe::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

const std::string kLabelled = R"(,"labels":{"x":"1"})";

std::string in_own_namespace(TestCluster& cluster) {
  cluster.post("/api/v1/namespaces",
               R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"n"}})");
  cluster.remove("/api/v1/namespaces/n/configmaps/kube-root-ca.crt");
  return "/api/v1/namespaces/n/configmaps";
}

TEST(Watch, WithoutResourceVersionBeginsWithWhatExists) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  cluster.post(maps, config_map("a"));
  const auto watch = cluster.watch(maps + "?watch=true");
  cluster.post(maps, config_map("b"));
  EXPECT_THAT(watch.log->summary(), ElementsAre("ADDED a", "ADDED b"));
}

TEST(Watch, FromAResourceVersionSendsWhatCameAfterIt) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  const auto first = cluster.post(maps, config_map("a"));
  cluster.post(maps, config_map("b"));
  cluster.remove(maps + "/a");
  const auto watch = cluster.watch(
      maps + "?watch=true&resourceVersion=" + std::string(first.text("metadata.resourceVersion")));
  EXPECT_THAT(watch.log->summary(), ElementsAre("ADDED b", "DELETED a"));
}

TEST(Watch, LeavingTheSelectorIsADeletionOfTheLastMatchingState) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  cluster.post(maps, config_map("a", "{}", kLabelled));
  const auto watch = cluster.watch(maps + "?watch=true&labelSelector=x%3D1");
  const auto changed = cluster.merge(maps + "/a", R"({"metadata":{"labels":{"x":"2"}}})");
  cluster.merge(maps + "/a", R"({"metadata":{"labels":{"x":"1"}}})");
  EXPECT_THAT(watch.log->summary(), ElementsAre("ADDED a", "DELETED a", "ADDED a"));
  const auto& left = watch.log->events[1];
  EXPECT_EQ(string_at(left, "object.metadata.labels.x"), "1");
  EXPECT_EQ(string_at(left, "object.metadata.resourceVersion"),
            changed.text("metadata.resourceVersion"));
}

TEST(Watch, DeletionCarriesANewResourceVersion) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  const auto created = cluster.post(maps, config_map("a"));
  const auto watch = cluster.watch(maps + "?watch=true");
  cluster.remove(maps + "/a");
  EXPECT_GT(std::stoull(std::string(
                string_at(watch.log->events.back(), "object.metadata.resourceVersion"))),
            std::stoull(std::string(created.text("metadata.resourceVersion"))));
}

TEST(Watch, CompactedResourceVersionIsAnExpiredError) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  const auto created = cluster.post(maps, config_map("a"));
  cluster.post(maps, config_map("b"));
  cluster.server.compact();
  const auto watch = cluster.watch(maps + "?watch=true&resourceVersion=" +
                                   std::string(created.text("metadata.resourceVersion")));
  ASSERT_EQ(watch.log->events.size(), 1u);
  EXPECT_EQ(string_at(watch.log->events[0], "type"), "ERROR");
  EXPECT_EQ(int_at(watch.log->events[0], "object.code"), 410);
  EXPECT_TRUE(watch.log->over);
}

TEST(Watch, StreamingListEndsWithABookmark) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  const auto query = "?watch=true&allowWatchBookmarks=true&sendInitialEvents=true";
  const auto refused = cluster.watch(maps + query);
  EXPECT_EQ(refused.refusal.status, 422);
  const auto watch = cluster.watch(maps + query + "&resourceVersionMatch=NotOlderThan");
  ASSERT_EQ(watch.log->events.size(), 1u);
  const auto& bookmark = watch.log->events[0];
  EXPECT_EQ(string_at(bookmark, "type"), "BOOKMARK");
  EXPECT_EQ(string_at(bookmark, "object.kind"), "ConfigMap");
  EXPECT_EQ(bookmark.at("object").at("metadata").at("annotations").at("k8s.io/initial-events-end"),
            "true");
}

TEST(Watch, BookmarksComeEachMinuteAndBeforeTheEnd) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  const auto watch =
      cluster.watch(maps + "?watch=true&allowWatchBookmarks=true&resourceVersion=" +
                    std::to_string(cluster.server.revision()) + "&timeoutSeconds=90");
  cluster.pass(59s);
  EXPECT_THAT(watch.log->events, IsEmpty());
  cluster.pass(2s);
  EXPECT_EQ(watch.log->events.size(), 1u);
  cluster.pass(28s);
  EXPECT_EQ(watch.log->events.size(), 2u);
  EXPECT_FALSE(watch.log->over);
  cluster.pass(2s);
  EXPECT_TRUE(watch.log->over);
}

TEST(Watch, AWatcherThatIsFullWaitsForResume) {
  struct Full : WatchLog {
    bool line(std::shared_ptr<const std::string> line) override {
      WatchLog::line(std::move(line));
      return false;
    }
  };
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  const auto log = std::make_shared<Full>();
  auto opened =
      cluster.server.open_watch({.method = "GET", .target = maps + "?watch=1"}, log, cluster.now);
  auto& session = std::get<std::unique_ptr<WatchSession>>(opened);
  cluster.post(maps, config_map("a"));
  cluster.post(maps, config_map("b"));
  EXPECT_THAT(log->summary(), ElementsAre("ADDED a"));
  session->resume();
  EXPECT_THAT(log->summary(), ElementsAre("ADDED a", "ADDED b"));
}

TEST(Watch, InjectedCutsEndWatches) {
  TestCluster cluster({.faults = {.watch_cut = 1.0}});
  const auto watch = cluster.watch(std::string(kConfigMaps) + "?watch=1");
  cluster.pass(2s);
  EXPECT_TRUE(watch.log->over);
}

TEST(List, PagesShareOneSnapshot) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  for (const auto* name : {"a", "b", "c", "d", "e"}) cluster.post(maps, config_map(name));
  const auto first = cluster.get(maps + "?limit=2");
  EXPECT_EQ(int_at(first.body, "metadata.remainingItemCount"), 3);
  cluster.remove(maps + "/c");
  cluster.post(maps, config_map("bb"));
  const auto second =
      cluster.get(maps + "?limit=10&continue=" + std::string(first.text("metadata.continue")));
  EXPECT_EQ(second.text("metadata.resourceVersion"), first.text("metadata.resourceVersion"));
  std::vector<std::string> names;
  for (const auto& item : *array_at(second.body, "items")) {
    names.emplace_back(string_at(item, "metadata.name"));
  }
  EXPECT_THAT(names, ElementsAre("c", "d", "e"));
  EXPECT_EQ(find(second.body, "metadata.remainingItemCount"), nullptr);
}

TEST(List, ContinuingAfterCompactionIsExpiredAndSaysHowToGoOn) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  for (const auto* name : {"a", "b", "c"}) cluster.post(maps, config_map(name));
  const auto first = cluster.get(maps + "?limit=1");
  cluster.post(maps, config_map("d"));
  cluster.server.compact();
  const auto expired =
      cluster.get(maps + "?limit=1&continue=" + std::string(first.text("metadata.continue")));
  EXPECT_EQ(expired.status, 410);
  const auto rest =
      cluster.get(maps + "?continue=" + std::string(expired.text("metadata.continue")));
  EXPECT_EQ(array_at(rest.body, "items")->size(), 3u);
}

TEST(List, FutureResourceVersionTimesOut) {
  TestCluster cluster;
  const auto refused = cluster.get(std::string(kConfigMaps) + "?resourceVersion=999999");
  EXPECT_EQ(refused.status, 504);
  EXPECT_EQ(refused.reason(), "Timeout");
  ASSERT_EQ(refused.raw.headers.size(), 1u);
  EXPECT_EQ(refused.raw.headers[0].first, "Retry-After");
  EXPECT_EQ(string_at((*array_at(refused.body, "details.causes"))[0], "reason"),
            "ResourceVersionTooLarge");
}

TEST(List, ContinueTogetherWithResourceVersionIsRefused) {
  TestCluster cluster;
  const auto maps = in_own_namespace(cluster);
  cluster.post(maps, config_map("a"));
  cluster.post(maps, config_map("b"));
  const auto first = cluster.get(maps + "?limit=1");
  const auto refused = cluster.get(
      maps + "?resourceVersion=1&continue=" + std::string(first.text("metadata.continue")));
  EXPECT_EQ(refused.status, 400);
}

TEST(List, ItemsOfBuiltInKindsBearNoKind) {
  TestCluster cluster;
  const auto list = cluster.get("/api/v1/namespaces");
  EXPECT_EQ(list.text("kind"), "NamespaceList");
  for (const auto& item : *array_at(list.body, "items")) EXPECT_EQ(find(item, "kind"), nullptr);
}

TEST(List, UnknownFieldSelectorsAreRefusedInTheKindsOwnWords) {
  TestCluster cluster;
  EXPECT_EQ(cluster.get(std::string(kConfigMaps) + "?fieldSelector=data.num%3D1").message(),
            "\"data.num\" is not a known field selector: only \"metadata.name\", "
            "\"metadata.namespace\"");
  EXPECT_EQ(cluster.get("/api/v1/pods?fieldSelector=spec.bogus%3D1").message(),
            "field label not supported: spec.bogus");
}

TEST(List, TableHasColumnsAndPartialObjects) {
  TestCluster cluster;
  const auto table =
      cluster.get("/api/v1/namespaces", "application/json;as=Table;v=v1;g=meta.k8s.io");
  EXPECT_EQ(table.text("kind"), "Table");
  const auto* rows = array_at(table.body, "rows");
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ(json::serialize((*rows)[0].at("cells")), R"(["default","Active","0s"])");
  EXPECT_EQ(string_at((*rows)[0], "object.kind"), "PartialObjectMetadata");
}

TEST(LocalClient, SeesItsOwnWritesInOrderEvenFromWithinAWatch) {
  TestCluster cluster;
  const auto client = cluster.server.local_client("t", [&] { return cluster.now; });
  std::vector<std::string> seen;
  const auto watch =
      client->watch("configmaps", "default", [&](WatchEventType type, const json::value& object) {
        const std::string name(string_at(object, "metadata.name"));
        seen.push_back(name);
        if (type == WatchEventType::Added && name == "a") {
          ASSERT_TRUE(client->create("configmaps", "default", json::parse(config_map("b"))));
        }
      });
  ASSERT_TRUE(client->create("configmaps", "default", json::parse(config_map("a"))));
  EXPECT_THAT(seen, ElementsAre("kube-root-ca.crt", "a", "b"));
}

TEST(LocalClient, StaleUpdateIsAConflict) {
  TestCluster cluster;
  const auto client = cluster.server.local_client("t", [&] { return cluster.now; });
  auto object = client->create("configmaps", "default", json::parse(config_map("a"))).value();
  ASSERT_TRUE(client->merge_patch("configmaps", "default", "a", "", {{"data", {{"k", "v"}}}}));
  const auto refused = client->update("configmaps", "default", object);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Conflict);
}

}  // namespace
}  // namespace troupe::sim
