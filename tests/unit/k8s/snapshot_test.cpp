#include "k8s/api/snapshot.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "k8s/api/arena.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/unit.hpp"
#include "k8s/api/unitset.hpp"

namespace troupe::k8s {
namespace {

Unit small_unit(Arena& arena) {
  Unit unit;
  unit.metadata.name = arena.text("db-0");
  unit.metadata.namespace_ = arena.text("prod");
  unit.metadata.uid = arena.text("u-1");
  unit.metadata.resourceVersion = {7};
  unit.metadata.labels = arena.map<Text>({{"unitset.name", "db"}, {"app", "shop"}});
  unit.spec.template_ = arena.raw(R"({"spec":{"containers":[{"name":"mysql"}]}})");
  unit.status.podIPs = arena.list({PodIP{"10.0.0.1"}, PodIP{"fd00::1"}});
  return unit;
}

TEST(Snapshot, OutlivesWhatItWasMadeFrom) {
  ObjectPtr<Unit> unit;
  {
    Arena arena;
    unit = snapshot_of(small_unit(arena));
  }
  EXPECT_EQ(unit->metadata.labels.get("unitset.name"), "db");
  EXPECT_EQ(unit->status.podIPs[1].ip, "fd00::1");
  EXPECT_EQ(unit->spec.template_.text(), R"({"spec":{"containers":[{"name":"mysql"}]}})");
}

TEST(Snapshot, HoldsAllItPointsAtInItsOwnAllocation) {
  Arena arena;
  const ObjectPtr<Unit> unit = snapshot_of(small_unit(arena));
  const auto* begin = reinterpret_cast<const char*>(unit.snapshot().get());
  const auto* end = begin + unit.snapshot()->bytes();
  const auto inside = [&](const void* at, std::size_t bytes) {
    return at >= begin && static_cast<const char*>(at) + bytes <= end;
  };
  EXPECT_TRUE(inside(unit.get(), sizeof(Unit)));
  EXPECT_TRUE(inside(unit->metadata.name.data(), unit->metadata.name.size()));
  EXPECT_TRUE(inside(unit->metadata.labels.begin(), 2 * sizeof(TextMap::Entry)));
  EXPECT_TRUE(inside(unit->metadata.labels.begin()->key.data(), 3));
  EXPECT_TRUE(inside(unit->status.podIPs[1].ip.data(), 7));
  // simdjson may read that far past a raw part.
  EXPECT_TRUE(
      inside(unit->spec.template_.text().data(), unit->spec.template_.text().size() + kRawPadding));
}

TEST(Snapshot, ShowsMetadataWithoutItsType) {
  Arena arena;
  const SnapshotPtr snapshot = snapshot_of(small_unit(arena)).snapshot();
  EXPECT_EQ(snapshot->kind(), kKindId<Unit>);
  EXPECT_EQ(snapshot->name(), "db-0");
  EXPECT_EQ(snapshot->ns(), "prod");
  EXPECT_EQ(snapshot->uid(), "u-1");
  EXPECT_EQ(snapshot->version(), ResourceVersion{7});
  EXPECT_FALSE(snapshot->deleting());
}

TEST(Snapshot, GivesItsTypeBackAndNoOther) {
  Arena arena;
  const SnapshotPtr snapshot = snapshot_of(small_unit(arena)).snapshot();
  EXPECT_TRUE(as<Unit>(snapshot));
  EXPECT_FALSE(as<UnitSet>(snapshot));
  EXPECT_FALSE(as<Unit>(nullptr));
}

TEST(Snapshot, IsFreedByWhicheverThreadLetsGoLast) {
  Arena arena;
  ObjectPtr<Unit> unit = snapshot_of(small_unit(arena));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([copy = unit]() mutable {
      for (int n = 0; n < 1000; ++n) {
        ObjectPtr<Unit> again = copy;
        EXPECT_EQ(again->metadata.name, "db-0");
      }
      copy = nullptr;
    });
  }
  unit = nullptr;
  for (std::thread& thread : threads) thread.join();
}

TEST(Equality, LooksAtContentNotAtWhereItLies) {
  Arena one, two;
  EXPECT_TRUE(small_unit(one) == small_unit(two));
  Unit other = small_unit(two);
  other.status.podIPs = two.list({PodIP{"10.0.0.1"}, PodIP{"fd00::2"}});
  EXPECT_FALSE(small_unit(one) == other);
  other = small_unit(two);
  other.spec.startup = false;
  EXPECT_FALSE(small_unit(one) == other);
}

TEST(Arena, CopiesDeeply) {
  Arena kept;
  UnitStatus status;
  {
    Arena arena;
    status = kept.copy(small_unit(arena).status);
  }
  EXPECT_EQ(status.podIPs[0].ip, "10.0.0.1");
}

TEST(KindId, IsTheSameInEveryVersionOfTheKind) {
  EXPECT_EQ(kKindId<UnitSet>, kind_id("upm.syntropycloud.io", "UnitSet"));
  EXPECT_NE(kKindId<UnitSet>, kKindId<Unit>);
}

TEST(ResourcePath, NamesCollectionsObjectsAndSubresources) {
  EXPECT_EQ(resource_path(kKind<Unit>, "prod", "db-0", "status"),
            "/apis/upm.syntropycloud.io/v1alpha2/namespaces/prod/units/db-0/status");
  EXPECT_EQ(resource_path(kKind<Unit>, ""), "/apis/upm.syntropycloud.io/v1alpha2/units");
  EXPECT_EQ(resource_path(kKind<Pod>, "prod"), "/api/v1/namespaces/prod/pods");
  EXPECT_EQ(resource_path(kKind<Node>, "", "n1"), "/api/v1/nodes/n1");
}

}  // namespace
}  // namespace troupe::k8s
