#include "k8s/store/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "k8s/api/arena.hpp"
#include "k8s/api/core.hpp"
#include "k8s/api/unit.hpp"
#include "k8s/api/unitset.hpp"

namespace troupe::k8s {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr ActorId kSetActor{1}, kUnitActor{2}, kOther{3};

template <KindStruct T>
SnapshotPtr object(std::string_view name, std::uint64_t version,
                   std::map<std::string, std::string> labels = {}, OwnerReference owner = {}) {
  Arena arena;
  T object;
  object.metadata.name = name;
  object.metadata.namespace_ = "prod";
  object.metadata.uid = name;
  object.metadata.resourceVersion = {version};
  object.metadata.labels = arena.map(labels);
  if (!owner.name.empty()) object.metadata.ownerReferences = arena.list({owner});
  return snapshot_of(object).snapshot();
}

OwnerReference controlled_by(std::string_view kind, std::string_view name) {
  return {.apiVersion = "upm.syntropycloud.io/v1alpha2",
          .kind = kind,
          .name = name,
          .uid = name,
          .controller = true};
}

class RouterTest : public ::testing::Test {
 protected:
  Store store{StoreOptions{{"app"}}};
  Router router{store};
  Dependencies dependencies;

  // What the change of the store wakes.
  std::vector<ActorId> woken_by(SnapshotPtr snapshot) {
    std::vector<ActorId> wake;
    const auto change = store.put(std::move(snapshot));
    EXPECT_TRUE(change);
    if (change) router.route(*change, wake);
    return wake;
  }
  std::vector<ActorId> woken_by_deletion(SnapshotPtr last) {
    std::vector<ActorId> wake;
    const auto change = store.remove(*last);
    EXPECT_TRUE(change);
    if (change) router.route(*change, wake);
    return wake;
  }
  template <class Read>
  void run(Read read) {
    Reader reader(store, router, kOther, dependencies);
    read(reader);
  }
};

TEST_F(RouterTest, ObjectWakesItsOwnActor) {
  router.add_actor(kUnitActor, kKindId<Unit>, "prod", "db-0");
  EXPECT_THAT(woken_by(object<Unit>("db-0", 1)), ElementsAre(kUnitActor));
  EXPECT_THAT(woken_by(object<Unit>("db-1", 1)), IsEmpty());
  EXPECT_THAT(woken_by_deletion(object<Unit>("db-0", 2)), ElementsAre(kUnitActor));
  router.remove_actor(kUnitActor, kKindId<Unit>, "prod", "db-0");
  EXPECT_THAT(woken_by(object<Unit>("db-0", 3)), IsEmpty());
}

TEST_F(RouterTest, ObjectWakesTheActorOfItsController) {
  router.add_actor(kUnitActor, kKindId<Unit>, "prod", "db-0");
  router.add_actor(kSetActor, kKindId<UnitSet>, "prod", "db");
  EXPECT_THAT(woken_by(object<Unit>("db-0", 1, {}, controlled_by("UnitSet", "db"))),
              ElementsAre(kSetActor, kUnitActor));
  // The nearest only: a Pod is its Unit's business.
  EXPECT_THAT(woken_by(object<Pod>("db-0", 1, {}, controlled_by("Unit", "db-0"))),
              ElementsAre(kUnitActor));
}

TEST_F(RouterTest, ControllersWithoutActorPassTheChangeUp) {
  router.add_actor(kSetActor, kKindId<UnitSet>, "prod", "db");
  woken_by(object<Unit>("db-0", 1, {}, controlled_by("UnitSet", "db")));
  EXPECT_THAT(woken_by(object<Pod>("db-0", 1, {}, controlled_by("Unit", "db-0"))),
              ElementsAre(kSetActor));
}

TEST_F(RouterTest, RingOfControllersEnds) {
  woken_by(object<Unit>("a", 1, {}, controlled_by("Unit", "b")));
  EXPECT_THAT(woken_by(object<Unit>("b", 1, {}, controlled_by("Unit", "a"))), IsEmpty());
}

TEST_F(RouterTest, ObjectThatLosesItsControllerWakesTheFormerOne) {
  router.add_actor(kSetActor, kKindId<UnitSet>, "prod", "db");
  woken_by(object<Unit>("db-0", 1, {}, controlled_by("UnitSet", "db")));
  EXPECT_THAT(woken_by(object<Unit>("db-0", 2)), ElementsAre(kSetActor));
}

TEST_F(RouterTest, ReaderIsWokenByWhatItReadAndByNothingElse) {
  woken_by(object<ConfigMap>("values", 1));
  run([](Reader& reader) { EXPECT_TRUE(reader.get<ConfigMap>("prod", "values")); });
  EXPECT_THAT(woken_by(object<ConfigMap>("values", 2)), ElementsAre(kOther));
  EXPECT_THAT(woken_by(object<ConfigMap>("other", 1)), IsEmpty());
  EXPECT_THAT(woken_by(object<Pod>("values", 1)), IsEmpty());
  EXPECT_THAT(woken_by_deletion(object<ConfigMap>("values", 3)), ElementsAre(kOther));
}

TEST_F(RouterTest, ReaderIsWokenWhenWhatItMissedAppears) {
  run([](Reader& reader) { EXPECT_FALSE(reader.get<ConfigMap>("prod", "values")); });
  EXPECT_THAT(woken_by(object<ConfigMap>("values", 1)), ElementsAre(kOther));
}

TEST_F(RouterTest, ReaderOfALabelIsWokenByWhatGainsAndLosesIt) {
  run([](Reader& reader) { reader.list_by_label<Pod>("prod", "app", "shop"); });
  EXPECT_THAT(woken_by(object<Pod>("a", 1, {{"app", "bank"}})), IsEmpty());
  EXPECT_THAT(woken_by(object<Pod>("a", 2, {{"app", "shop"}})), ElementsAre(kOther));
  EXPECT_THAT(woken_by(object<Pod>("a", 3, {{"app", "bank"}})), ElementsAre(kOther));
  EXPECT_THAT(woken_by(object<Pod>("a", 4)), IsEmpty());
}

TEST_F(RouterTest, ReaderOfALabelInAllNamespacesIsWoken) {
  run([](Reader& reader) { reader.list_by_label<Pod>("", "app", "shop"); });
  EXPECT_THAT(woken_by(object<Pod>("a", 1, {{"app", "shop"}})), ElementsAre(kOther));
}

TEST_F(RouterTest, ReaderOfAnOwnersObjectsIsWokenByThem) {
  run([](Reader& reader) { reader.list_by_owner<Pod>("prod", "db-0"); });
  EXPECT_THAT(woken_by(object<Pod>("db-0", 1, {}, controlled_by("Unit", "db-0"))),
              ElementsAre(kOther));
  EXPECT_THAT(woken_by(object<Pod>("db-1", 1, {}, controlled_by("Unit", "db-1"))), IsEmpty());
}

TEST_F(RouterTest, ReaderOfAKindIsWokenByAllOfIt) {
  run([](Reader& reader) { reader.list<Pod>("prod"); });
  EXPECT_THAT(woken_by(object<Pod>("a", 1)), ElementsAre(kOther));
  run([](Reader& reader) { reader.list<Pod>(); });
  EXPECT_THAT(woken_by(object<Pod>("a", 2)), ElementsAre(kOther));
  EXPECT_THAT(woken_by(object<Unit>("a", 1)), IsEmpty());
}

TEST_F(RouterTest, WhatIsNotReadAgainIsForgotten) {
  run([](Reader& reader) {
    reader.get<ConfigMap>("prod", "old");
    reader.get<ConfigMap>("prod", "kept");
  });
  run([](Reader& reader) { reader.get<ConfigMap>("prod", "kept"); });
  EXPECT_EQ(dependencies.size(), 1u);
  EXPECT_THAT(woken_by(object<ConfigMap>("old", 1)), IsEmpty());
  EXPECT_THAT(woken_by(object<ConfigMap>("kept", 1)), ElementsAre(kOther));
  dependencies.clear(router, kOther);
  EXPECT_THAT(woken_by(object<ConfigMap>("kept", 2)), IsEmpty());
}

// Between the look-up and the end of the run the change comes in: the actor must run again.
TEST_F(RouterTest, ChangeDuringARunWakes) {
  Reader reader(store, router, kOther, dependencies);
  reader.get<ConfigMap>("prod", "values");
  EXPECT_THAT(woken_by(object<ConfigMap>("values", 1)), ElementsAre(kOther));
}

TEST_F(RouterTest, EachActorIsWokenOnceAndWhatIsInTheListStays) {
  router.add_actor(kOther, kKindId<Pod>, "prod", "a");
  run([](Reader& reader) {
    reader.get<Pod>("prod", "a");
    reader.list<Pod>();
  });
  std::vector<ActorId> wake = {kUnitActor};
  router.route(*store.put(object<Pod>("a", 1)), wake);
  EXPECT_THAT(wake, ElementsAre(kUnitActor, kOther));
}

}  // namespace
}  // namespace troupe::k8s
