// The multiplexer over a transport turned by hand: what reaches the store, and who is woken.
#include "k8s/client/multiplexer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "k8s/api/core.hpp"
#include "tests/unit/k8s/client_fakes.hpp"

namespace troupe::k8s {
namespace {

using namespace std::chrono_literals;
using test::deliver;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string object(std::string_view name, int version, std::string_view ns = "db") {
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{0}","namespace":"{2}",)"
      R"("uid":"uid-{0}","resourceVersion":"{1}"}},"data":{{"key":"at {1}"}}}})",
      name, version, ns);
}

std::string event(std::string_view type, std::string_view name, int version) {
  return fmt::format(R"({{"type":"{}","object":{}}})", type, object(name, version));
}

std::string list(int version, const std::vector<std::string>& items, std::string_view next = "") {
  return fmt::format(
      R"({{"kind":"ConfigMapList","apiVersion":"v1","metadata":{{"resourceVersion":"{}",)"
      R"("continue":"{}"}},"items":[{}]}})",
      version, next, fmt::join(items, ","));
}

const std::string kGone =
    R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure",)"
    R"("message":"too old resource version","reason":"Expired","code":410}})";

class MultiplexerTest : public testing::Test {
 protected:
  void watch(WatchedKind watched = {.kind = &kind_info<ConfigMap>()}, bool streaming = false) {
    MultiplexerOptions options;
    options.watcher.streaming_list = streaming;
    multiplexer_.emplace(loop_, transport_, store_, router_, sink_,
                         std::vector<WatchedKind>{std::move(watched)}, options);
    multiplexer_->start([this] { ++all_synced_; });
  }

  // Watching from version 10, with the objects a and b.
  std::shared_ptr<StreamHandler> watch_from_10() {
    watch();
    transport_.respond("limit=", 200, list(10, {object("a", 3), object("b", 4)}));
    return transport_.open("watch=true");
  }

  void add_actor(std::uint32_t id, std::string_view name) {
    router_.add_actor(ActorId{id}, kKindId<ConfigMap>, "db", name);
  }
  std::string data_of(std::string_view name) const {
    const auto found = store_.get<ConfigMap>("db", name);
    return found ? found->data.get("key").str() : "none";
  }

  test::ManualLoop loop_;
  test::FakeTransport transport_;
  Store store_{StoreOptions{}};
  Router router_{store_};
  test::RecordingSink sink_;
  int all_synced_ = 0;
  std::optional<Multiplexer> multiplexer_;
};

TEST_F(MultiplexerTest, ListsThenWatches) {
  const auto stream = watch_from_10();
  EXPECT_EQ(data_of("a"), "at 3");
  EXPECT_EQ(all_synced_, 1);
  EXPECT_TRUE(multiplexer_->synced(kKindId<ConfigMap>));
  deliver(*stream,
          {event("MODIFIED", "a", 11), event("ADDED", "c", 12), event("DELETED", "b", 13)});
  EXPECT_EQ(data_of("a"), "at 11");
  EXPECT_EQ(data_of("b"), "none");
  EXPECT_EQ(data_of("c"), "at 12");
}

TEST_F(MultiplexerTest, WakesOnceARead) {
  add_actor(1, "a");
  add_actor(2, "b");
  const auto stream = watch_from_10();
  sink_.all.clear();
  sink_.batches = 0;
  deliver(*stream,
          {event("MODIFIED", "a", 11), event("DELETED", "b", 12), event("ADDED", "x", 13)});
  EXPECT_EQ(sink_.batches, 1);
  EXPECT_THAT(sink_.texts(), ElementsAre("1: modified ConfigMap db/a at 11",
                                         "2: deleted ConfigMap db/b, last seen at 4"));
  EXPECT_EQ(sink_.all[0].cause.type, CauseType::Watch);
  EXPECT_EQ(sink_.all[0].cause.at, loop_.now());
  EXPECT_NE(sink_.all[0].cause.id, sink_.all[1].cause.id);
}

TEST_F(MultiplexerTest, EventsThatAreNoNewsWakeNobody) {
  add_actor(1, "a");
  const auto stream = watch_from_10();
  store_.put(as<ConfigMap>(store_.get(kKindId<ConfigMap>, "db", "a")).snapshot());
  deliver(*stream, {event("MODIFIED", "a", 11)});
  sink_.all.clear();
  deliver(*stream, {event("MODIFIED", "a", 11), event("MODIFIED", "a", 9)});
  EXPECT_THAT(sink_.texts(), IsEmpty());
}

TEST_F(MultiplexerTest, ARelistRemovesWhatIsGone) {
  add_actor(2, "b");
  const auto stream = watch_from_10();
  sink_.all.clear();
  deliver(*stream, {kGone});
  transport_.respond("limit=", 200, list(50, {object("a", 40)}));
  EXPECT_EQ(data_of("a"), "at 40");
  EXPECT_EQ(data_of("b"), "none");
  EXPECT_THAT(sink_.texts(), ElementsAre(HasSubstr("2: deleted ConfigMap db/b")));
  EXPECT_THAT(transport_.request("watch=true").target, HasSubstr("resourceVersion=50&"));
}

TEST_F(MultiplexerTest, AListWithAnUnreadableObjectRemovesNothing) {
  const auto stream = watch_from_10();
  deliver(*stream, {kGone});
  transport_.respond(
      "limit=", 200,
      list(50, {object("a", 40), R"({"metadata":{"name":"b","resourceVersion":"4"},"data":7})"}));
  EXPECT_EQ(data_of("a"), "at 40");
  EXPECT_EQ(data_of("b"), "at 4");
  EXPECT_EQ(multiplexer_->metrics().decode_errors, 1u);
}

TEST_F(MultiplexerTest, AnUnreadableEventIsCountedAndTheOthersGoOn) {
  const auto stream = watch_from_10();
  deliver(*stream, {R"({"type":"MODIFIED","object":{"metadata":{"name":"a"},"data":7}})",
                    "not JSON", event("MODIFIED", "b", 12)});
  EXPECT_EQ(data_of("a"), "at 3");
  EXPECT_EQ(data_of("b"), "at 12");
  EXPECT_EQ(multiplexer_->metrics().decode_errors, 2u);
}

TEST_F(MultiplexerTest, StreamsTheListWhereTheServerOffersIt) {
  watch({.kind = &kind_info<ConfigMap>()}, true);
  const auto stream = transport_.open("sendInitialEvents=true");
  deliver(*stream, {event("ADDED", "a", 3), event("ADDED", "b", 4)});
  EXPECT_EQ(all_synced_, 0);
  deliver(*stream,
          {R"({"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":)"
           R"({"resourceVersion":"10","annotations":{"k8s.io/initial-events-end":"true"}}}})"});
  EXPECT_EQ(all_synced_, 1);
  EXPECT_EQ(data_of("b"), "at 4");
  deliver(*stream, {event("MODIFIED", "b", 11)});
  EXPECT_EQ(data_of("b"), "at 11");
}

TEST_F(MultiplexerTest, WatchesEachNamespaceThatItIsRestrictedTo) {
  watch({.kind = &kind_info<ConfigMap>(), .namespaces = {"db", "web"}});
  EXPECT_EQ(transport_.size(), 2u);
  transport_.respond("/api/v1/namespaces/db/configmaps", 200, list(10, {object("a", 3)}));
  EXPECT_FALSE(multiplexer_->synced(kKindId<ConfigMap>));
  transport_.respond("/api/v1/namespaces/web/configmaps", 200, list(10, {object("w", 4, "web")}));
  EXPECT_TRUE(multiplexer_->synced(kKindId<ConfigMap>));
  EXPECT_TRUE(store_.get(kKindId<ConfigMap>, "db", "a"));
  EXPECT_TRUE(store_.get(kKindId<ConfigMap>, "web", "w"));
}

TEST_F(MultiplexerTest, AsksForMetadataOnlyWhenToldTo) {
  watch({.kind = &kind_info<ConfigMap>(), .metadata_only = true});
  EXPECT_THAT(transport_.request().accept, HasSubstr("as=PartialObjectMetadataList"));
}

TEST_F(MultiplexerTest, AKindThatIsNotInstalledHoldsNobodyUpAndSaysSo) {
  watch();
  transport_.respond("limit=", 404, R"({"kind":"Status","message":"not found","code":404})");
  EXPECT_EQ(all_synced_, 1);
  ASSERT_EQ(multiplexer_->statuses().size(), 1u);
  EXPECT_EQ(multiplexer_->statuses()[0].phase, WatchPhase::Absent);
  EXPECT_THAT(multiplexer_->statuses()[0].trouble, HasSubstr("is its CRD installed?"));
  EXPECT_EQ(transport_.size(), 0u);

  multiplexer_->probe(kKindId<ConfigMap>);
  loop_.run();
  transport_.respond("limit=", 200, list(10, {object("a", 3)}));
  EXPECT_EQ(data_of("a"), "at 3");
}

TEST_F(MultiplexerTest, ComesBackAfterABrokenStream) {
  watch_from_10();
  transport_.fail("watch=true", Code::Retry, true);
  EXPECT_EQ(transport_.size(), 0u);
  loop_.advance(1s);
  EXPECT_THAT(transport_.request("watch=true").target, HasSubstr("resourceVersion=10&"));
}

TEST_F(MultiplexerTest, GivesASilentStreamUp) {
  watch_from_10();
  loop_.advance(129s);
  EXPECT_EQ(multiplexer_->statuses()[0].counters.silent, 0u);
  loop_.advance(2s);
  EXPECT_EQ(multiplexer_->statuses()[0].counters.silent, 1u);
  EXPECT_EQ(transport_.size(), 1u);
}

TEST_F(MultiplexerTest, StopsQuietly) {
  const auto stream = watch_from_10();
  multiplexer_->stop();
  EXPECT_EQ(transport_.size(), 0u);
  deliver(*stream, {event("MODIFIED", "a", 11)});
  EXPECT_EQ(data_of("a"), "at 3");
  loop_.advance(10min);
  EXPECT_EQ(transport_.size(), 0u);
}

}  // namespace
}  // namespace troupe::k8s
