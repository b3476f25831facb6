#include "k8s/store/store.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "k8s/api/arena.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/unit.hpp"

namespace troupe::k8s {
namespace {

using ::testing::ElementsAre;

struct PodSketch {
  std::string name;
  std::uint64_t version = 1;
  std::string ns = "prod";
  std::string uid = "";  // the name's own, if empty
  std::map<std::string, std::string> labels = {};
  std::string owner = "";
};

SnapshotPtr pod(const PodSketch& sketch) {
  Arena arena;
  Pod pod;
  pod.metadata.name = arena.text(sketch.name);
  pod.metadata.namespace_ = arena.text(sketch.ns);
  pod.metadata.uid = arena.text(sketch.uid.empty() ? "uid-" + sketch.name : sketch.uid);
  pod.metadata.resourceVersion = {sketch.version};
  pod.metadata.labels = arena.map(sketch.labels);
  if (!sketch.owner.empty()) {
    pod.metadata.ownerReferences = arena.list(
        {OwnerReference{.kind = "Unit", .uid = arena.text(sketch.owner), .controller = true}});
  }
  return snapshot_of(pod).snapshot();
}

std::vector<std::string> names(const std::vector<SnapshotPtr>& snapshots) {
  std::vector<std::string> names;
  for (const SnapshotPtr& each : snapshots) names.push_back(each->name().str());
  return names;
}

std::vector<std::string> gone(const std::vector<Change>& changes) {
  std::vector<std::string> names;
  for (const Change& each : changes) {
    EXPECT_EQ(each.type, ChangeType::Deleted);
    names.push_back(each.before->name().str());
  }
  return names;
}

constexpr KindId kPod = kKindId<Pod>;

class StoreTest : public ::testing::Test {
 protected:
  Store store{StoreOptions{{"app", "tier"}}};

  std::uint64_t version_of(std::string_view name) {
    const SnapshotPtr found = store.get(kPod, "prod", name);
    return found ? found->version().value : 0;
  }
};

// ---- Versions ----------------------------------------------------------------------------------

TEST_F(StoreTest, FirstSnapshotOfAnObjectIsAdded) {
  const auto change = store.put(pod({"a"}));
  ASSERT_TRUE(change);
  EXPECT_EQ(change->type, ChangeType::Added);
  EXPECT_FALSE(change->before);
  EXPECT_EQ(change->after->name(), "a");
  EXPECT_EQ(store.get<Pod>("prod", "a")->metadata.uid, "uid-a");
}

TEST_F(StoreTest, NewerVersionReplacesAndShowsBoth) {
  store.put(pod({"a", 9}));
  const auto change = store.put(pod({"a", 10}));  // as text it would be older
  ASSERT_TRUE(change);
  EXPECT_EQ(change->type, ChangeType::Modified);
  EXPECT_EQ(change->before->version().value, 9u);
  EXPECT_EQ(change->after->version().value, 10u);
}

TEST_F(StoreTest, EchoOfAWriteChangesNothing) {
  EXPECT_TRUE(store.put(pod({"a", 5}), Source::Answer));
  EXPECT_FALSE(store.put(pod({"a", 5})));
}

TEST_F(StoreTest, OlderWatchEventIsDropped) {
  store.put(pod({"a", 5}), Source::Answer);
  EXPECT_FALSE(store.put(pod({"a", 4})));
  EXPECT_EQ(version_of("a"), 5u);
}

TEST_F(StoreTest, AnswerOlderThanTheStoreIsDropped) {
  store.put(pod({"a", 5}));
  EXPECT_FALSE(store.put(pod({"a", 4}), Source::Answer));
  EXPECT_EQ(version_of("a"), 5u);
}

TEST_F(StoreTest, SnapshotsThatAreHeldStayWhatTheyWere) {
  store.put(pod({"a", 1}));
  const auto held = store.get<Pod>("prod", "a");
  store.put(pod({"a", 2}));
  EXPECT_EQ(held->metadata.resourceVersion.value, 1u);
}

// ---- Deletions ---------------------------------------------------------------------------------

TEST_F(StoreTest, DeletionShowsWhatWasThere) {
  store.put(pod({"a", 1}));
  const auto change = store.remove(*pod({"a", 2}));
  ASSERT_TRUE(change);
  EXPECT_EQ(change->type, ChangeType::Deleted);
  EXPECT_EQ(change->before->version().value, 1u);
  EXPECT_FALSE(store.get(kPod, "prod", "a"));
  EXPECT_FALSE(store.remove(*pod({"a", 2})));
}

TEST_F(StoreTest, AnswerThatComesAfterTheDeletionIsDropped) {
  store.put(pod({"a", 1}));
  store.remove(*pod({"a", 3}));
  EXPECT_FALSE(store.put(pod({"a", 2}), Source::Answer));
  EXPECT_FALSE(store.get(kPod, "prod", "a"));
}

TEST_F(StoreTest, DeletionOfAnObjectNeverSeenStillStopsItsLateAnswer) {
  EXPECT_FALSE(store.remove(*pod({"a", 3})));
  EXPECT_FALSE(store.put(pod({"a", 2}), Source::Answer));
}

TEST_F(StoreTest, ObjectThatComesBackIntoTheSelectorEnters) {
  store.put(pod({"a", 1}));
  store.remove(*pod({"a", 2}));  // it left the selector
  EXPECT_TRUE(store.put(pod({"a", 3})));
}

TEST_F(StoreTest, DeletionOlderThanTheStoreIsDropped) {
  store.put(pod({"a", 5}), Source::Answer);  // a write brought it back into the selector
  EXPECT_FALSE(store.remove(*pod({"a", 4})));
  EXPECT_EQ(version_of("a"), 5u);
}

TEST_F(StoreTest, DeletionOfTheFormerObjectOfANameIsDropped) {
  store.put(pod({.name = "a", .version = 1, .uid = "old"}));
  const auto change = store.put(pod({.name = "a", .version = 7, .uid = "new"}), Source::Answer);
  EXPECT_EQ(change->type, ChangeType::Modified);
  EXPECT_FALSE(store.remove(*pod({.name = "a", .version = 6, .uid = "old"})));
  EXPECT_EQ(store.get(kPod, "prod", "a")->uid(), "new");
}

TEST_F(StoreTest, AnswerForTheFormerObjectOfANameIsDropped) {
  store.put(pod({.name = "a", .version = 1, .uid = "old"}));
  store.put(pod({.name = "a", .version = 7, .uid = "new"}));
  store.remove(*pod({.name = "a", .version = 8, .uid = "new"}));
  EXPECT_FALSE(store.put(pod({.name = "a", .version = 2, .uid = "old"}), Source::Answer));
}

TEST_F(StoreTest, ManyDeletionsLaterAnAnswerIsStillDroppedAndAWatchEventIsNot) {
  for (std::uint64_t i = 0; i < 3000; ++i) store.remove(*pod({fmt::format("p{}", i), 100 + i}));
  EXPECT_FALSE(store.put(pod({"p0", 99}), Source::Answer));
  EXPECT_TRUE(store.put(pod({"fresh", 99}), Source::Watch));
  EXPECT_TRUE(store.put(pod({"newer", 5000}), Source::Answer));
}

// ---- Relists -----------------------------------------------------------------------------------

TEST_F(StoreTest, RelistRemovesWhatItDidNotBring) {
  for (const char* name : {"a", "b", "c"}) store.put(pod({name, 1}));
  const auto relist = store.begin_relist(kPod);
  EXPECT_FALSE(store.put(pod({"a", 1}), relist));  // unchanged
  EXPECT_TRUE(store.put(pod({"d", 2}), relist));
  EXPECT_THAT(gone(store.finish_relist(relist, {10})), ElementsAre("b", "c"));
  EXPECT_THAT(names(store.list(kPod)), ElementsAre("a", "d"));
}

TEST_F(StoreTest, RelistKeepsWhatIsNewerThanTheList) {
  const auto relist = store.begin_relist(kPod);
  store.put(pod({"made-meanwhile", 11}), Source::Answer);
  store.put(pod({"gone-meanwhile", 9}), Source::Answer);
  EXPECT_THAT(gone(store.finish_relist(relist, {10})), ElementsAre("gone-meanwhile"));
}

TEST_F(StoreTest, RelistOfANamespaceLeavesTheOthersAlone) {
  store.put(pod({.name = "a", .ns = "prod"}));
  store.put(pod({.name = "a", .ns = "test"}));
  const auto relist = store.begin_relist(kPod, "test");
  EXPECT_EQ(store.finish_relist(relist, {10}).size(), 1u);
  EXPECT_TRUE(store.get(kPod, "prod", "a"));
  EXPECT_FALSE(store.get(kPod, "test", "a"));
}

TEST_F(StoreTest, AnswerOlderThanARelistThatMissedTheObjectIsDropped) {
  store.put(pod({"a", 1}));
  store.finish_relist(store.begin_relist(kPod), {10});
  EXPECT_FALSE(store.put(pod({"a", 9}), Source::Answer));
}

// ---- Lists -------------------------------------------------------------------------------------

TEST_F(StoreTest, ListsAreSortedByNamespaceAndName) {
  store.put(pod({.name = "b", .ns = "y"}));
  store.put(pod({.name = "c", .ns = "x"}));
  store.put(pod({.name = "a", .ns = "y"}));
  EXPECT_THAT(names(store.list(kPod)), ElementsAre("c", "a", "b"));
  EXPECT_THAT(names(store.list(kPod, "y")), ElementsAre("a", "b"));
  EXPECT_TRUE(store.list(kKindId<Unit>).empty());
}

TEST_F(StoreTest, ListsByLabelFollowTheLabels) {
  store.put(pod({.name = "a", .labels = {{"app", "shop"}}}));
  store.put(pod({.name = "b", .labels = {{"app", "shop"}, {"tier", "db"}}}));
  store.put(pod({.name = "b", .ns = "test", .labels = {{"app", "shop"}}}));
  EXPECT_THAT(names(store.list_by_label(kPod, "prod", "app", "shop")), ElementsAre("a", "b"));
  EXPECT_EQ(store.list_by_label(kPod, "", "app", "shop").size(), 3u);
  store.put(pod({.name = "a", .version = 2, .labels = {{"app", "bank"}}}));
  EXPECT_THAT(names(store.list_by_label(kPod, "prod", "app", "shop")), ElementsAre("b"));
  EXPECT_THAT(names(store.list_by_label(kPod, "prod", "app", "bank")), ElementsAre("a"));
  store.remove(*pod({"b", 9}));
  EXPECT_TRUE(store.list_by_label(kPod, "prod", "tier", "db").empty());
}

TEST_F(StoreTest, ListByALabelWithoutIndexIsABug) {
  EXPECT_THROW(store.list_by_label(kPod, "prod", "colour", "red"), std::logic_error);
}

TEST_F(StoreTest, ListsByOwnerFollowTheController) {
  for (const char* name : {"a", "b", "c", "d"}) store.put(pod({.name = name, .owner = "u1"}));
  store.put(pod({.name = "e", .owner = "u2"}));
  EXPECT_THAT(names(store.list_by_owner(kPod, "prod", "u1")), ElementsAre("a", "b", "c", "d"));
  store.put(pod({.name = "a", .version = 2, .owner = "u2"}));
  EXPECT_THAT(names(store.list_by_owner(kPod, "prod", "u2")), ElementsAre("a", "e"));
  store.put(pod({.name = "a", .version = 3}));
  EXPECT_THAT(names(store.list_by_owner(kPod, "", "u2")), ElementsAre("e"));
}

TEST_F(StoreTest, SizeCountsObjectsAndBytes) {
  const SnapshotPtr snapshot = pod({"a"});
  store.put(snapshot);
  EXPECT_EQ(store.size(kPod).objects, 1u);
  EXPECT_EQ(store.size(kPod).bytes, snapshot->bytes());
  store.put(pod({.name = "a", .version = 2, .labels = {{"app", "shop"}}}));
  EXPECT_GT(store.size(kPod).bytes, snapshot->bytes());
  store.remove(*pod({"a", 3}));
  EXPECT_EQ(store.size(kPod).objects, 0u);
  EXPECT_EQ(store.size(kPod).bytes, 0u);
}

TEST_F(StoreTest, ReadersAndWritersWorkSideBySide) {
  constexpr int kObjects = 50, kRounds = 200;
  std::thread writer([&] {
    for (int round = 1; round <= kRounds; ++round) {
      for (int i = 0; i < kObjects; ++i) {
        PodSketch sketch{fmt::format("p{}", i), static_cast<std::uint64_t>(round)};
        sketch.labels = {{"app", round % 2 ? "odd" : "even"}};
        store.put(pod(sketch));
      }
    }
  });
  std::thread reader([&] {
    std::uint64_t seen = 0;
    while (seen < kRounds) {
      const SnapshotPtr last = store.get(kPod, "prod", fmt::format("p{}", kObjects - 1));
      const std::uint64_t version = last ? last->version().value : 0;
      EXPECT_GE(version, seen);
      seen = version;
      for (const SnapshotPtr& each : store.list_by_label(kPod, "prod", "app", "odd")) {
        EXPECT_EQ(each->meta().labels.get("app"), "odd");
      }
    }
  });
  writer.join();
  reader.join();
  EXPECT_EQ(store.list_by_label(kPod, "prod", "app", "even").size(), std::size_t{kObjects});
}

// Whatever order events and answers come in, the store ends with the newest state.
TEST(StoreProperty, OrderOfArrivalDoesNotMatter) {
  const std::vector<PodSketch> history = {{"a", 1}, {"a", 2}, {"a", 3}, {"a", 4}};
  std::vector<int> order = {0, 1, 2, 3, 4};  // 4: the deletion at version 5
  do {
    Store store({});
    for (const int step : order) {
      if (step == 4) {
        store.remove(*pod({"a", 5}));
      } else {
        store.put(pod(history[static_cast<std::size_t>(step)]), Source::Answer);
      }
    }
    EXPECT_FALSE(store.get(kPod, "prod", "a"));
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace troupe::k8s
