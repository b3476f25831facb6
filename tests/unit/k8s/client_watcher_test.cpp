// The watcher as a table of what it does in each phase; no sockets, no clock.
#include "k8s/client/watcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "k8s/api/core.hpp"
#include "k8s/api/snapshot.hpp"

namespace troupe::k8s {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

SnapshotPtr config_map(std::uint64_t version) {
  ConfigMap object;
  object.metadata.name = "settings";
  object.metadata.namespace_ = "db";
  object.metadata.resourceVersion = {version};
  return snapshot_of(object).snapshot();
}

// A watcher with the time and the answers turned by hand.
class WatcherTest : public testing::Test {
 protected:
  void use(WatcherOptions options) {
    watcher_.emplace(
        WatchTarget{"/api/v1/namespaces/db/configmaps", "config maps in namespace db", {}, {}},
        options);
  }
  void use_pages() {
    WatcherOptions options;
    options.streaming_list = false;
    use(options);
  }

  void feed(watch::Input input) { feed_from(request_, std::move(input)); }
  void feed_from(std::uint64_t request, watch::Input input) {
    out_.clear();
    watcher_->step(request, std::move(input), now_, 0, out_);
    for (const auto& output : out_) {
      if (const auto* list = std::get_if<watch::List>(&output)) request_ = list->request;
      if (const auto* open = std::get_if<watch::Open>(&output)) request_ = open->request;
    }
  }

  template <class T>
  const T* output() const {
    for (const auto& each : out_) {
      if (const auto* found = std::get_if<T>(&each)) return found;
    }
    return nullptr;
  }
  std::string listed() const { return output<watch::List>() ? output<watch::List>()->target : ""; }
  std::string opened() const { return output<watch::Open>() ? output<watch::Open>()->target : ""; }

  // To the phase Watching, from version 100.
  void watch_from_100() {
    use_pages();
    feed(watch::Start{});
    feed(watch::Page{{100}, ""});
    feed(watch::Opened{});
    ASSERT_EQ(watcher_->phase(), WatchPhase::Watching);
  }

  void pass(Duration time) { now_ += time; }

  std::optional<Watcher> watcher_;
  Watcher::Outputs out_;
  std::uint64_t request_ = 0;
  TimePoint now_{std::chrono::hours(1)};
};

TEST_F(WatcherTest, ListsInPagesAndWatchesFromTheFirstPagesVersion) {
  use_pages();
  feed(watch::Start{});
  EXPECT_NE(output<watch::BeginRelist>(), nullptr);
  EXPECT_EQ(listed(), "/api/v1/namespaces/db/configmaps?limit=500");

  feed(watch::Item{config_map(7)});
  ASSERT_NE(output<watch::Upsert>(), nullptr);
  EXPECT_EQ(output<watch::Upsert>()->object->version().value, 7u);

  feed(watch::Page{{100}, "next/page"});
  EXPECT_EQ(listed(), "/api/v1/namespaces/db/configmaps?limit=500&continue=next%2Fpage");
  EXPECT_EQ(output<watch::EndRelist>(), nullptr);

  feed(watch::Page{{100}, ""});
  ASSERT_NE(output<watch::EndRelist>(), nullptr);
  EXPECT_EQ(output<watch::EndRelist>()->version.value, 100u);
  EXPECT_TRUE(output<watch::EndRelist>()->complete);
  EXPECT_THAT(opened(), HasSubstr("watch=true&allowWatchBookmarks=true&resourceVersion=100"));
  EXPECT_TRUE(watcher_->synced());
}

TEST_F(WatcherTest, StreamsTheListAndGoesOnWatchingTheSameStream) {
  use({});
  feed(watch::Start{});
  EXPECT_THAT(opened(), HasSubstr("sendInitialEvents=true&resourceVersionMatch=NotOlderThan"));
  feed(watch::Opened{});
  feed(watch::Changed{config_map(7), {7}});
  EXPECT_NE(output<watch::Upsert>(), nullptr);
  EXPECT_FALSE(watcher_->synced());

  feed(watch::Bookmark{{90}, true});
  ASSERT_NE(output<watch::EndRelist>(), nullptr);
  EXPECT_EQ(output<watch::EndRelist>()->version.value, 90u);
  EXPECT_EQ(output<watch::Open>(), nullptr);
  EXPECT_EQ(watcher_->phase(), WatchPhase::Watching);
}

TEST_F(WatcherTest, FallsBackToPagesWhereStreamedListsAreRefused) {
  for (const int status : {422, 400, 500}) {
    use({});
    feed(watch::Start{});
    feed(watch::Refused{status, "sendInitialEvents is forbidden", {}});
    EXPECT_THAT(listed(), HasSubstr("limit=500")) << status;
  }
}

TEST_F(WatcherTest, FallsBackToPagesWhenAnOrdinaryBookmarkEndsNoList) {
  use({});
  feed(watch::Start{});
  feed(watch::Opened{});
  feed(watch::Bookmark{{50}, false});
  EXPECT_NE(output<watch::Cancel>(), nullptr);
  EXPECT_THAT(listed(), HasSubstr("limit=500"));
}

TEST_F(WatcherTest, PassesSelectorsOnEncoded) {
  WatcherOptions options;
  options.streaming_list = false;
  watcher_.emplace(WatchTarget{"/api/v1/pods", "pods", "app in (a,b)", "metadata.name=x"}, options);
  feed(watch::Start{});
  EXPECT_EQ(listed(),
            "/api/v1/pods?limit=500&labelSelector=app%20in%20%28a%2Cb%29"
            "&fieldSelector=metadata.name%3Dx");
}

TEST_F(WatcherTest, UpsertsAndRemovesWhatTheStreamSays) {
  watch_from_100();
  feed(watch::Changed{config_map(101), {101}});
  ASSERT_NE(output<watch::Upsert>(), nullptr);
  feed(watch::Changed{config_map(102), {102}, true});
  EXPECT_NE(output<watch::Remove>(), nullptr);
  EXPECT_EQ(watcher_->version().value, 102u);
}

TEST_F(WatcherTest, ReconnectsFromTheNewestEventOrBookmark) {
  watch_from_100();
  feed(watch::Changed{config_map(101), {101}});
  feed(watch::Bookmark{{150}, false});
  feed(watch::Ended{});
  EXPECT_THAT(opened(), HasSubstr("resourceVersion=150&"));
  EXPECT_EQ(output<watch::WakeAt>(), nullptr);
}

TEST_F(WatcherTest, BacksOffWhenStreamsEndAtOnce) {
  watch_from_100();
  feed(watch::Ended{error(Code::Retry, "connection broke")});
  ASSERT_NE(output<watch::WakeAt>(), nullptr);
  const auto first = output<watch::WakeAt>()->at - now_;
  EXPECT_EQ(watcher_->phase(), WatchPhase::BackingOff);
  EXPECT_THAT(watcher_->trouble(), HasSubstr("config maps in namespace db: connection broke"));

  pass(first);
  feed(watch::Woken{});
  EXPECT_THAT(opened(), HasSubstr("resourceVersion=100&"));
  feed(watch::Ended{error(Code::Retry, "connection broke")});
  EXPECT_EQ(output<watch::WakeAt>()->at - now_, 2 * first);
}

TEST_F(WatcherTest, AnEventEndsTheBackoff) {
  watch_from_100();
  for (int i = 0; i < 3; ++i) {
    feed(watch::Ended{error(Code::Retry, "connection broke")});
    feed(watch::Woken{});
    feed(watch::Opened{});
  }
  EXPECT_TRUE(watcher_->trouble().empty());
  feed(watch::Changed{config_map(101), {101}});
  feed(watch::Ended{});
  EXPECT_THAT(opened(), HasSubstr("resourceVersion=101&"));
}

TEST_F(WatcherTest, ALongOutageDoesNotRelist) {
  watch_from_100();
  for (int i = 0; i < 100; ++i) {
    feed(watch::Ended{error(Code::Retry, "cannot connect")});
    pass(seconds(10));
    feed(watch::Woken{});
    EXPECT_THAT(opened(), HasSubstr("resourceVersion=100&"));
  }
}

TEST_F(WatcherTest, WaitsAsLongAsTheServerAsks) {
  watch_from_100();
  feed(watch::Refused{429, "too many requests", seconds(17)});
  EXPECT_EQ(output<watch::WakeAt>()->at, now_ + seconds(17));
}

TEST_F(WatcherTest, RelistsAtOnceAfter410AndBacksOffWhenItComesAgain) {
  watch_from_100();
  feed(watch::Refused{410, "too old resource version", {}});
  EXPECT_NE(output<watch::BeginRelist>(), nullptr);
  EXPECT_THAT(listed(), HasSubstr("limit=500"));
  feed(watch::Page{{200}, ""});
  EXPECT_THAT(opened(), HasSubstr("resourceVersion=200&"));
  feed(watch::Refused{410, "too old resource version", {}});
  EXPECT_EQ(output<watch::List>(), nullptr);
  EXPECT_EQ(watcher_->phase(), WatchPhase::BackingOff);
  pass(seconds(10));
  feed(watch::Woken{});
  EXPECT_NE(output<watch::BeginRelist>(), nullptr);
  EXPECT_EQ(watcher_->counters().expired, 2u);
}

TEST_F(WatcherTest, A410BetweenPagesStartsTheListAgain) {
  use_pages();
  feed(watch::Start{});
  feed(watch::Page{{100}, "more"});
  feed(watch::Refused{410, "continue token expired", {}});
  EXPECT_NE(output<watch::BeginRelist>(), nullptr);
  EXPECT_THAT(listed(), Not(HasSubstr("continue")));
}

TEST_F(WatcherTest, ASilentStreamIsADeadStream) {
  watch_from_100();
  pass(seconds(100));
  feed(watch::Heard{});
  pass(seconds(100));
  feed(watch::Woken{});  // 200 s after opening, 100 s after the last bytes
  EXPECT_EQ(output<watch::Open>(), nullptr);
  ASSERT_NE(output<watch::WakeAt>(), nullptr);
  EXPECT_EQ(output<watch::WakeAt>()->at, now_ + seconds(30));

  pass(seconds(30));
  feed(watch::Woken{});
  EXPECT_NE(output<watch::Cancel>(), nullptr);
  EXPECT_THAT(opened(), HasSubstr("resourceVersion=100&"));
  EXPECT_EQ(watcher_->counters().silent, 1u);
}

TEST_F(WatcherTest, AKindThatIsNotInstalledSleepsAndIsProbed) {
  use_pages();
  feed(watch::Start{});
  feed(watch::Refused{404, "the server could not find the requested resource", {}});
  EXPECT_EQ(watcher_->phase(), WatchPhase::Absent);
  EXPECT_THAT(watcher_->trouble(), HasSubstr("is its CRD installed?"));
  EXPECT_EQ(output<watch::EndRelist>(), nullptr);  // what is known stays

  feed(watch::Probe{});
  EXPECT_THAT(listed(), HasSubstr("limit=500"));
  feed(watch::Page{{5}, ""});
  feed(watch::Opened{});
  EXPECT_EQ(watcher_->phase(), WatchPhase::Watching);
  EXPECT_TRUE(watcher_->trouble().empty());
}

TEST_F(WatcherTest, ARefusalNamesTheMissingPermissionAndIsTriedAgain) {
  use_pages();
  feed(watch::Start{});
  feed(watch::Refused{403, "configmaps is forbidden: User \"system:anonymous\"", {}});
  EXPECT_EQ(watcher_->phase(), WatchPhase::Denied);
  EXPECT_THAT(watcher_->trouble(), HasSubstr("grant the verbs list and watch"));
  pass(seconds(30));
  feed(watch::Woken{});
  EXPECT_NE(output<watch::List>(), nullptr);
}

TEST_F(WatcherTest, AVersionThatTheServerNeverReachesIsGivenUp) {
  watch_from_100();
  for (int i = 0; i < 10; ++i) {
    feed(watch::Refused{504, "Too large resource version", seconds(1)});
    pass(seconds(10));
    feed(watch::Woken{});
    ASSERT_THAT(opened(), HasSubstr("resourceVersion=100&"));
  }
  feed(watch::Refused{504, "Too large resource version", seconds(1)});
  pass(seconds(10));
  feed(watch::Woken{});
  EXPECT_NE(output<watch::BeginRelist>(), nullptr);
}

TEST_F(WatcherTest, AnUnreadableObjectMakesTheListIncomplete) {
  use_pages();
  feed(watch::Start{});
  feed(watch::Item{nullptr});
  feed(watch::Page{{100}, ""});
  ASSERT_NE(output<watch::EndRelist>(), nullptr);
  EXPECT_FALSE(output<watch::EndRelist>()->complete);
  EXPECT_EQ(watcher_->counters().undecodable, 1u);
}

TEST_F(WatcherTest, AnswersToARequestThatWasGivenUpAreIgnored) {
  watch_from_100();
  const auto old = request_;
  feed(watch::Ended{error(Code::Retry, "connection broke")});
  feed(watch::Woken{});
  feed_from(old, watch::Changed{config_map(500), {500}, true});
  EXPECT_TRUE(out_.empty());
  EXPECT_EQ(watcher_->version().value, 100u);
  EXPECT_EQ(watcher_->counters().stale_inputs, 1u);
}

TEST_F(WatcherTest, WatchTimeoutsAreSpread) {
  use({});
  Watcher::Outputs out;
  watcher_->step(0, watch::Start{}, now_, 123, out);
  EXPECT_THAT(std::get<watch::Open>(out.back()).target, HasSubstr("timeoutSeconds=423"));
}

}  // namespace
}  // namespace troupe::k8s
