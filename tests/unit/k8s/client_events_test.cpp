// Events: repetition counts, similar ones combine, talkers are silenced, nothing is unbounded.
#include "k8s/client/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "k8s/api/core.hpp"
#include "runtime/logging.hpp"
#include "tests/unit/k8s/client_fakes.hpp"

namespace troupe::k8s {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

EventNote note(std::string message, std::string name = "db-0") {
  EventNote result;
  result.object_kind = &kKind<Pod>;
  result.ns = "db";
  result.name = std::move(name);
  result.uid = "uid-1";
  result.version = {12};
  result.kind = EventKind::Warning;
  result.reason = "ProbeFailed";
  result.message = std::move(message);
  return result;
}

EventNote happening(std::string message) {
  auto result = note(std::move(message));
  result.event_class = EventClass::Happening;
  result.reason = "Failover";
  return result;
}

class EventAggregatorTest : public testing::Test {
 protected:
  std::optional<EventWrite> observe(const EventNote& event) {
    return aggregator_.observe(event, now_, wall_);
  }
  EventAggregator aggregator_{{"troupe-operator", "pod-1"}};
  TimePoint now_{1h};
  WallTime wall_{1'700'000'000s};
};

TEST_F(EventAggregatorTest, TheFirstIsCreated) {
  const auto write = observe(note("no answer"));
  ASSERT_TRUE(write);
  EXPECT_TRUE(write->create);
  EXPECT_EQ(write->ns, "db");
  EXPECT_THAT(write->name, StartsWith("db-0."));
  const auto body = boost::json::parse(write->body);
  EXPECT_EQ(body.at("involvedObject").at("kind"), "Pod");
  EXPECT_EQ(body.at("involvedObject").at("uid"), "uid-1");
  EXPECT_EQ(body.at("type"), "Warning");
  EXPECT_EQ(body.at("reason"), "ProbeFailed");
  EXPECT_EQ(body.at("message"), "no answer");
  EXPECT_EQ(body.at("count"), 1);
  EXPECT_EQ(body.at("firstTimestamp"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(body.at("source").at("component"), "troupe-operator");
}

TEST_F(EventAggregatorTest, ARepetitionRaisesTheCount) {
  const auto first = observe(note("no answer"));
  wall_ += 5s;
  const auto second = observe(note("no answer"));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->create);
  EXPECT_EQ(second->name, first->name);
  const auto body = boost::json::parse(second->body);
  EXPECT_EQ(body.at("count"), 2);
  EXPECT_EQ(body.at("lastTimestamp"), "2023-11-14T22:13:25Z");
}

TEST_F(EventAggregatorTest, ManySimilarOnesBecomeOne) {
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(observe(note(std::to_string(i)))->create);
  const auto eleventh = observe(note("10"));
  EXPECT_TRUE(eleventh->create);
  EXPECT_THAT(eleventh->body, HasSubstr("(combined from similar events): 10"));
  const auto twelfth = observe(note("11"));
  EXPECT_FALSE(twelfth->create);
  EXPECT_EQ(twelfth->name, eleventh->name);
  now_ += 11min;
  EXPECT_TRUE(observe(note("12"))->create);
}

TEST_F(EventAggregatorTest, AnObjectThatTalksTooMuchIsSilencedForAWhile) {
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(observe(note("again")));
  EXPECT_FALSE(observe(note("again")));
  EXPECT_TRUE(observe(note("again", "db-1")));
  now_ += 5min;
  EXPECT_TRUE(observe(note("again")));
  EXPECT_FALSE(observe(note("again")));
}

TEST_F(EventAggregatorTest, WhatHappenedIsNotSilencedByWhatStandsInTheWay) {
  for (int i = 0; i < 30; ++i) observe(note("again"));
  ASSERT_FALSE(observe(note("again")));
  EXPECT_TRUE(observe(happening("db-1 takes over")));
}

TEST_F(EventAggregatorTest, WhatHappenedHasABoundToo) {
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(observe(happening(std::to_string(i))));
  EXPECT_FALSE(observe(happening("25")));
  EXPECT_TRUE(observe(note("no answer")));
}

TEST_F(EventAggregatorTest, AnExpiredEventIsCreatedAnew) {
  const auto first = observe(note("no answer"));
  aggregator_.forget(first->key);
  EXPECT_TRUE(observe(note("no answer"))->create);
}

TEST_F(EventAggregatorTest, MessagesAreCutBetweenCharacters) {
  std::string message(1023, 'x');
  message += "ü";
  const auto body = boost::json::parse(observe(note(message))->body);
  EXPECT_EQ(body.at("message").as_string(), std::string(1023, 'x'));
}

TEST_F(EventAggregatorTest, EventsOfObjectsOfTheClusterGoToDefault) {
  auto event = note("x");
  event.ns.clear();
  const auto write = observe(event);
  EXPECT_EQ(write->ns, "default");
  EXPECT_FALSE(
      boost::json::parse(write->body).at("involvedObject").as_object().contains("namespace"));
}

class EventRecorderTest : public testing::Test {
 protected:
  void record(const std::string& message) {
    recorder_.record(note(message));
    loop_.run();
  }
  const EventMetrics::Counts& guards() const { return recorder_.metrics().of(EventClass::Guard); }
  const EventMetrics::Counts& happenings() const {
    return recorder_.metrics().of(EventClass::Happening);
  }
  test::ManualLoop loop_;
  test::FakeTransport transport_;
  EventRecorder recorder_{loop_, transport_, {"troupe-operator", "pod-1"}};
};

TEST_F(EventRecorderTest, SendsOneAtATime) {
  record("one");
  record("two");
  ASSERT_EQ(transport_.size(), 1u);
  EXPECT_EQ(transport_.request().target, "/api/v1/namespaces/db/events");
  EXPECT_THAT(transport_.request().body, HasSubstr("one"));
  transport_.respond("events", 201, "{}");
  EXPECT_THAT(transport_.request().body, HasSubstr("two"));
}

TEST_F(EventRecorderTest, PatchesWhatItCreatedAndCreatesAgainWhatExpired) {
  record("one");
  transport_.respond("events", 201, "{}");
  record("one");
  EXPECT_EQ(transport_.request().method, Method::Patch);
  EXPECT_THAT(transport_.request().target, HasSubstr("/events/db-0."));
  transport_.respond("events", 404, "{}");
  ASSERT_EQ(transport_.size(), 1u);
  EXPECT_EQ(transport_.request().method, Method::Post);
  transport_.respond("events", 201, "{}");
  EXPECT_EQ(guards().sent, 2u);
}

TEST_F(EventRecorderTest, DropsWhatDoesNotFitItsBound) {
  for (std::size_t i = 0; i <= EventRecorder::kMaxWaiting; ++i) {
    recorder_.record(happening(std::to_string(i)));
  }
  EXPECT_EQ(happenings().dropped, 1u);
}

TEST_F(EventRecorderTest, KeepsPlacesForWhatHappened) {
  for (std::size_t i = 0; i < EventRecorder::kMaxWaiting; ++i) {
    recorder_.record(note("x", "pod-" + std::to_string(i)));
  }
  EXPECT_EQ(guards().dropped, EventRecorder::kForHappenings);
  for (std::size_t i = 0; i <= EventRecorder::kForHappenings; ++i) {
    recorder_.record(happening(std::to_string(i)));
  }
  EXPECT_EQ(happenings().dropped, 1u);
}

class EventLogTest : public EventRecorderTest {
 protected:
  EventLogTest()
      : path_(testing::TempDir() + "troupe-events-" + std::to_string(::getpid()) + ".log") {}
  ~EventLogTest() override { std::filesystem::remove(path_); }

  // The lines that `tell` brings about.
  std::vector<boost::json::value> lines(const std::function<void()>& tell) const {
    {
      const log::Logging logging({.format = log::Format::Json, .file = path_});
      tell();
    }
    std::vector<boost::json::value> out;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) out.push_back(boost::json::parse(line));
    return out;
  }

  const std::string path_;
};

TEST_F(EventLogTest, AnEventIsALineWithItsObjectReasonAndCause) {
  auto warning = note("no answer");
  warning.cause = CausalId{42};
  auto normal = note("promoted");
  normal.kind = EventKind::Normal;
  const auto log = lines([&] {
    recorder_.record(warning);
    recorder_.record(normal);
    loop_.run();
  });
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0].at("level"), "warning");
  EXPECT_EQ(log[0].at("msg"), "event");
  EXPECT_EQ(log[0].at("kind"), "Pod");
  EXPECT_EQ(log[0].at("object"), "db/db-0");
  EXPECT_EQ(log[0].at("reason"), "ProbeFailed");
  EXPECT_EQ(log[0].at("message"), "no answer");
  EXPECT_EQ(log[0].at("chain"), "42");
  EXPECT_EQ(log[1].at("level"), "info");
}

TEST_F(EventLogTest, WhatHappenedIsALineAlsoWhereItsEventIsSilencedOrDropped) {
  constexpr auto kTold = EventRecorder::kMaxWaiting + 5;
  const auto log = lines([&] {
    for (std::size_t i = 0; i < kTold; ++i) recorder_.record(happening(std::to_string(i)));
    loop_.run();
  });
  EXPECT_EQ(log.size(), kTold);
  EXPECT_EQ(happenings().dropped, 5u);
  EXPECT_EQ(happenings().silenced, EventRecorder::kMaxWaiting - EventAggregator::kBurst);
}

TEST_F(EventLogTest, AGuardThatIsSilencedIsNoLineEither) {
  const auto log = lines([&] {
    for (int i = 0; i < EventAggregator::kBurst + 5; ++i) recorder_.record(note("no answer"));
    loop_.run();
  });
  EXPECT_EQ(log.size(), static_cast<std::size_t>(EventAggregator::kBurst));
  EXPECT_EQ(guards().silenced, 5u);
}

TEST_F(EventLogTest, WhatIsCreatedAnewIsToldOnce) {
  const auto log = lines([&] {
    record("one");
    transport_.respond("events", 201, "{}");
    record("one");
    transport_.respond("events", 404, "{}");
    transport_.respond("events", 201, "{}");
  });
  EXPECT_EQ(log.size(), 2u);
  EXPECT_EQ(guards().sent, 2u);
}

TEST_F(EventLogTest, ALongMessageIsCutAsInTheEvent) {
  const auto log = lines([&] { record(std::string(5000, 'x')); });
  ASSERT_EQ(log.size(), 1u);
  EXPECT_EQ(log[0].at("message").as_string().size(), EventAggregator::kMaxMessage);
}

TEST_F(EventRecorderTest, AFailureIsCountedAndTheNextGoesOn) {
  record("one");
  record("two");
  transport_.fail("events", Code::Retry, false);
  EXPECT_EQ(guards().failed, 1u);
  EXPECT_THAT(transport_.request().body, HasSubstr("two"));
}

}  // namespace
}  // namespace troupe::k8s
