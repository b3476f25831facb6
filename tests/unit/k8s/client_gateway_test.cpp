// Calls to the API server: how they read on the wire, their order, and what each answer means.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "k8s/api/core.hpp"
#include "k8s/api/decode.hpp"
#include "k8s/api/kinds.hpp"
#include "k8s/client/api_gateway.hpp"
#include "tests/unit/k8s/client_fakes.hpp"

namespace troupe::k8s {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string object(std::string_view name, int version, std::string_view more = "") {
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{0}","namespace":"db",)"
      R"("uid":"uid-{0}","resourceVersion":"{1}"{2}}},"data":{{"key":"at {1}"}}}})",
      name, version, more);
}

std::string status(int code, std::string_view reason, std::string_view message) {
  return fmt::format(
      R"({{"kind":"Status","apiVersion":"v1","status":"Failure","message":"{}","reason":"{}",)"
      R"("code":{}}})",
      message, reason, code);
}

ApiCall apply(std::string_view name) {
  ApiCall call;
  call.verb = Verb::Apply;
  call.kind = &kKind<ConfigMap>;
  call.ns = "db";
  call.name = name;
  call.body = "{}";
  call.field_manager = "troupe-unit";
  call.actor = ActorId{1};
  call.cause = CausalId{77};
  return call;
}

// ---- On the wire -------------------------------------------------------------------------------

TEST(ApiRequest, AppliesWithManagerAndForce) {
  auto call = apply("a");
  call.force = true;
  call.subresource = "status";
  const auto request = to_request(call);
  EXPECT_EQ(request.method, Method::Patch);
  EXPECT_EQ(request.target,
            "/api/v1/namespaces/db/configmaps/a/status?fieldManager=troupe-unit&force=true");
  EXPECT_EQ(request.content_type, "application/apply-patch+yaml");
}

TEST(ApiRequest, CreatesInTheCollectionAndSubresourcesAtTheObject) {
  auto call = apply("a");
  call.verb = Verb::Create;
  EXPECT_EQ(to_request(call).target, "/api/v1/namespaces/db/configmaps?fieldManager=troupe-unit");
  call.kind = &kKind<Pod>;
  call.subresource = "eviction";
  EXPECT_EQ(to_request(call).target,
            "/api/v1/namespaces/db/pods/a/eviction?fieldManager=troupe-unit");
  EXPECT_EQ(to_request(call).method, Method::Post);
}

TEST(ApiRequest, AsksWithoutWriting) {
  auto call = apply("a");
  call.dry_run = true;
  EXPECT_EQ(to_request(call).target,
            "/api/v1/namespaces/db/configmaps/a?fieldManager=troupe-unit&dryRun=All");
}

TEST(ApiRequest, PatchesByMerging) {
  auto call = apply("a");
  call.verb = Verb::MergePatch;
  EXPECT_EQ(to_request(call).content_type, "application/merge-patch+json");
}

TEST(ApiRequest, DeletesWithPreconditions) {
  auto call = apply("a");
  call.verb = Verb::Delete;
  call.uid = "uid-a";
  call.version = {12};
  call.propagation = Propagation::Foreground;
  call.grace_period_seconds = 0;
  const auto request = to_request(call);
  EXPECT_EQ(request.method, Method::Delete);
  EXPECT_EQ(boost::json::parse(request.body),
            boost::json::parse(R"({"apiVersion":"v1","kind":"DeleteOptions",
                "propagationPolicy":"Foreground","gracePeriodSeconds":0,
                "preconditions":{"uid":"uid-a","resourceVersion":"12"}})"));
}

TEST(ApiRequest, CodesSayWhatToDo) {
  EXPECT_EQ(code_of(409, "Conflict"), Code::Conflict);
  EXPECT_EQ(code_of(409, "AlreadyExists"), Code::Exists);
  EXPECT_EQ(code_of(404, "NotFound"), Code::NotFound);
  EXPECT_EQ(code_of(403, "Forbidden"), Code::Denied);
  EXPECT_EQ(code_of(401, "Unauthorized"), Code::Denied);
  EXPECT_EQ(code_of(422, "Invalid"), Code::Invalid);
  EXPECT_EQ(code_of(400, "BadRequest"), Code::Invalid);
  EXPECT_EQ(code_of(429, "TooManyRequests"), Code::Retry);
  EXPECT_EQ(code_of(500, "InternalError"), Code::Retry);
  EXPECT_EQ(code_of(503, "ServiceUnavailable"), Code::Retry);
  EXPECT_EQ(code_of(504, "Timeout"), Code::Timeout);
}

TEST(ApiRequest, ARefusalIsWhatTheServerHasDecidedItself) {
  for (const int status : {400, 403, 404, 422, 500}) EXPECT_TRUE(is_refusal(status)) << status;
  for (const int status : {0, 200, 401, 409, 429, 502, 503, 504})
    EXPECT_FALSE(is_refusal(status)) << status;
}

// ---- The queue ---------------------------------------------------------------------------------

ObjectKey key(std::string name) { return {kKindId<ConfigMap>, "db", std::move(name)}; }

TEST(CallQueue, SendsOneCallAtATimeAnObject) {
  CallQueue queue({});
  queue.push(1, key("a"), Urgency::Normal);
  queue.push(2, key("a"), Urgency::Normal);
  queue.push(3, key("b"), Urgency::Normal);
  EXPECT_EQ(queue.pop(), 1u);
  EXPECT_EQ(queue.pop(), 3u);
  EXPECT_EQ(queue.pop(), std::nullopt);
  queue.done(key("a"));
  EXPECT_EQ(queue.pop(), 2u);
}

TEST(CallQueue, LetsObjectsTakeTurns) {
  CallQueue queue({.in_flight = 1});
  for (std::uint64_t i = 0; i < 4; ++i) queue.push(i, key("busy"), Urgency::Normal);
  queue.push(10, key("quiet"), Urgency::Normal);
  EXPECT_EQ(queue.pop(), 0u);
  queue.done(key("busy"));
  EXPECT_EQ(queue.pop(), 10u);
}

TEST(CallQueue, UrgentCallsGoFirstButNotPastTheirObjectsOwn) {
  CallQueue queue({.in_flight = 1});
  queue.push(1, key("a"), Urgency::Normal);
  queue.push(2, key("b"), Urgency::Normal);
  queue.push(3, key("c"), Urgency::Normal);
  queue.push(4, key("c"), Urgency::Urgent);
  EXPECT_EQ(queue.pop(), 3u);
  queue.done(key("c"));
  EXPECT_EQ(queue.pop(), 4u);
  queue.done(key("c"));
  EXPECT_EQ(queue.pop(), 1u);
}

TEST(CallQueue, IsBounded) {
  CallQueue queue({.in_flight = 1, .waiting = 3, .waiting_an_object = 2});
  EXPECT_TRUE(queue.push(1, key("a"), Urgency::Normal));
  EXPECT_TRUE(queue.push(2, key("a"), Urgency::Normal));
  EXPECT_FALSE(queue.push(3, key("a"), Urgency::Normal));
  EXPECT_TRUE(queue.push(4, key("b"), Urgency::Normal));
  EXPECT_FALSE(queue.push(5, key("c"), Urgency::Normal));
  queue.pop();
  EXPECT_EQ(queue.pop(), std::nullopt);  // one in flight
}

TEST(CallQueue, ARemovedCallIsNotSent) {
  CallQueue queue({});
  queue.push(1, key("a"), Urgency::Normal);
  queue.remove(1, key("a"));
  EXPECT_EQ(queue.pop(), std::nullopt);
  EXPECT_EQ(queue.waiting(), 0u);
}

// ---- The gateway -------------------------------------------------------------------------------

class ApiGatewayTest : public testing::Test {
 protected:
  ApiGatewayTest() { use({}); }

  void use(ApiGatewayOptions options) {
    options.is_watched = [](KindId kind) { return kind == kKindId<ConfigMap>; };
    gateway_.emplace(loop_, transport_, store_, router_, sink_, std::move(options));
  }

  // Submits; its outcome is then in outcomes_.
  void submit(ApiCall call) {
    auto name = call.name;
    gateway_->submit(std::move(call), [this, name](ApiOutcome outcome) {
      stored_at_callback_ = stored(name);
      order_.push_back(name);
      outcomes_[name] = std::move(outcome);
    });
    loop_.run();
  }
  static SnapshotPtr decoded(std::string_view name, int version) {
    Decoder decoder;
    const auto text = object(name, version);
    return decoder.object(*find_kind(kKindId<ConfigMap>), Document(text)).value();
  }
  std::uint64_t stored(std::string_view name) const {
    const auto found = store_.get(kKindId<ConfigMap>, "db", name);
    return found ? found->version().value : 0;
  }

  test::ManualLoop loop_;
  test::FakeTransport transport_;
  Store store_{StoreOptions{}};
  Router router_{store_};
  test::RecordingSink sink_;
  std::optional<ApiGateway> gateway_;
  std::map<std::string, ApiOutcome> outcomes_;
  std::vector<std::string> order_;
  std::uint64_t stored_at_callback_ = 0;
};

TEST_F(ApiGatewayTest, TheAnswerIsInTheStoreBeforeTheCallback) {
  submit(apply("a"));
  transport_.respond("configmaps/a", 200, object("a", 5));
  ASSERT_TRUE(outcomes_.at("a").ok());
  EXPECT_EQ(stored_at_callback_, 5u);
  EXPECT_EQ(outcomes_.at("a").object->version().value, 5u);
}

TEST_F(ApiGatewayTest, AWriteWakesItsDependentsButNotItsAuthor) {
  router_.add_actor(ActorId{1}, kKindId<ConfigMap>, "db", "a");
  router_.depend(ActorId{2}, on_object(kKindId<ConfigMap>, "db", "a"));
  submit(apply("a"));
  transport_.respond("configmaps/a", 200, object("a", 5));
  EXPECT_THAT(sink_.texts(), ElementsAre("2: added ConfigMap db/a at 5"));
  EXPECT_EQ(sink_.all[0].cause.id, CausalId{77});
}

TEST_F(ApiGatewayTest, KnowsTheChainOfAWriteUntilItIsAnswered) {
  const auto seen_by_a_watch = decoded("a", 5);
  EXPECT_FALSE(gateway_->writing(*seen_by_a_watch));
  submit(apply("a"));
  EXPECT_EQ(gateway_->writing(*seen_by_a_watch), CausalId{77});
  EXPECT_FALSE(gateway_->writing(*decoded("b", 5)));
  transport_.respond("configmaps/a", 200, object("a", 5));
  EXPECT_FALSE(gateway_->writing(*seen_by_a_watch));
}

TEST_F(ApiGatewayTest, AnswersOlderThanTheStoreDoNotGoBackInTime) {
  submit(apply("a"));
  transport_.respond("configmaps/a", 200, object("a", 9));
  submit(apply("a"));
  transport_.respond("configmaps/a", 200, object("a", 7));
  EXPECT_EQ(stored("a"), 9u);
  EXPECT_EQ(outcomes_.at("a").object->version().value, 7u);
}

TEST_F(ApiGatewayTest, ARefusalBringsCodeReasonAndMessage) {
  submit(apply("a"));
  transport_.respond("configmaps/a", 409, status(409, "Conflict", "the object has been modified"));
  const auto& outcome = outcomes_.at("a");
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error->code, Code::Conflict);
  EXPECT_EQ(outcome.http_status, 409);
  EXPECT_EQ(outcome.reason, "Conflict");
  EXPECT_EQ(outcome.error->message, "apply ConfigMap db/a: HTTP 409: the object has been modified");
  EXPECT_FALSE(outcome.unknown);
  EXPECT_EQ(gateway_->metrics().conflicts, 1u);
}

TEST_F(ApiGatewayTest, AWriteWithUnknownOutcomeHoldsItsObjectUntilAGetHasSettledIt) {
  submit(apply("a"));
  submit(apply("a"));
  transport_.fail("configmaps/a", Code::Timeout, true);
  EXPECT_TRUE(outcomes_.at("a").unknown);
  EXPECT_EQ(outcomes_.at("a").error->code, Code::Timeout);
  // Only the GET is out, not the second write.
  ASSERT_EQ(transport_.size(), 1u);
  EXPECT_EQ(transport_.request().method, Method::Get);
  EXPECT_EQ(gateway_->metrics().unsettled, 1u);

  transport_.respond("configmaps/a", 200, object("a", 6));
  EXPECT_EQ(stored("a"), 6u);
  ASSERT_EQ(transport_.size(), 1u);
  EXPECT_EQ(transport_.request().method, Method::Patch);
}

TEST_F(ApiGatewayTest, WhatWasTriedIsNotThereAndNeedsNoSettling) {
  auto tried = apply("a");
  tried.dry_run = true;
  submit(tried);
  transport_.respond("configmaps/a", 200, object("a", 5));
  EXPECT_TRUE(outcomes_.at("a").ok());
  EXPECT_EQ(stored("a"), 0u);
  submit(tried);
  transport_.fail("configmaps/a", Code::Timeout, true);
  EXPECT_FALSE(outcomes_.at("a").unknown);
  EXPECT_EQ(outcomes_.at("a").error->code, Code::Retry);
  EXPECT_EQ(transport_.size(), 0u);
}

TEST_F(ApiGatewayTest, ATryThatAWebhookTakesNoPartInSaysNothingOfTheObject) {
  auto tried = apply("a");
  tried.dry_run = true;
  submit(tried);
  transport_.respond("configmaps/a", 400,
                     status(400, "BadRequest", "admission webhook does not support dry run"));
  EXPECT_EQ(outcomes_.at("a").error->code, Code::Denied);
  submit(tried);
  transport_.respond("configmaps/a", 422, status(422, "Invalid", "limits"));
  EXPECT_EQ(outcomes_.at("a").error->code, Code::Invalid);
}

TEST_F(ApiGatewayTest, AsksAgainUntilTheOutcomeIsKnown) {
  submit(apply("a"));
  transport_.respond("configmaps/a", 500, status(500, "InternalError", "etcd: leader changed"));
  EXPECT_EQ(outcomes_.at("a").error->code, Code::Retry);
  EXPECT_TRUE(outcomes_.at("a").unknown);
  for (int i = 0; i < 5; ++i) {
    transport_.fail("configmaps/a", Code::Retry, false);
    EXPECT_EQ(transport_.size(), 0u);
    loop_.advance(10s);
    EXPECT_EQ(transport_.request().method, Method::Get);
  }
  transport_.respond("configmaps/a", 404, status(404, "NotFound", "not found"));
  submit(apply("a"));
  EXPECT_EQ(transport_.request().method, Method::Patch);
}

TEST_F(ApiGatewayTest, OtherObjectsGoOnMeanwhile) {
  submit(apply("a"));
  transport_.fail("configmaps/a", Code::Timeout, true);
  submit(apply("b"));
  EXPECT_EQ(transport_.request("configmaps/b").method, Method::Patch);
}

TEST_F(ApiGatewayTest, WhatWasNeverSentIsKnownNotToHaveHappened) {
  submit(apply("a"));
  transport_.fail("configmaps/a", Code::Timeout, false);
  EXPECT_EQ(outcomes_.at("a").error->code, Code::Retry);
  EXPECT_FALSE(outcomes_.at("a").unknown);
  EXPECT_EQ(transport_.size(), 0u);
}

TEST_F(ApiGatewayTest, CallsOfOneObjectGoInOrder) {
  auto first = apply("a");
  first.body = "1";
  auto second = apply("a");
  second.body = "2";
  submit(first);
  submit(second);
  ASSERT_EQ(transport_.size(), 1u);
  EXPECT_EQ(transport_.request().body, "1");
  transport_.respond("configmaps/a", 200, object("a", 5));
  EXPECT_EQ(transport_.request().body, "2");
}

TEST_F(ApiGatewayTest, ACallThatWaitsTooLongIsNotSent) {
  submit(apply("a"));
  auto second = apply("a");
  second.timeout = 3s;
  submit(second);
  loop_.advance(3s);
  EXPECT_EQ(outcomes_.at("a").error->code, Code::Retry);
  EXPECT_THAT(outcomes_.at("a").error->message, HasSubstr("not sent within 3.0s"));
  transport_.respond("configmaps/a", 200, object("a", 5));
  EXPECT_EQ(transport_.size(), 0u);
}

TEST_F(ApiGatewayTest, AQueuedCallKeepsItsDeadline) {
  submit(apply("a"));
  auto second = apply("a");
  second.timeout = 3s;
  submit(second);
  loop_.advance(1s);
  transport_.respond("configmaps/a", 200, object("a", 5));
  EXPECT_EQ(transport_.request().timeout, Duration(2s));
}

TEST_F(ApiGatewayTest, ThrottlingHoldsAllCallsBack) {
  submit(apply("a"));
  transport_.respond("configmaps/a", 429, status(429, "TooManyRequests", "slow down"), 5s);
  EXPECT_EQ(outcomes_.at("a").error->code, Code::Retry);
  EXPECT_EQ(outcomes_.at("a").retry_after, std::optional<Duration>(5s));
  EXPECT_FALSE(outcomes_.at("a").unknown);
  submit(apply("b"));
  EXPECT_EQ(transport_.size(), 0u);
  loop_.advance(5s);
  EXPECT_EQ(transport_.size(), 1u);
}

TEST_F(ApiGatewayTest, ADeletedObjectThatLingersIsStoredOneThatIsGoneIsLeftToTheWatch) {
  auto call = apply("a");
  call.verb = Verb::Delete;
  submit(call);
  transport_.respond("configmaps/a", 200, object("a", 5));
  EXPECT_EQ(stored("a"), 0u);
  submit(call);
  transport_.respond(
      "configmaps/a", 200,
      object("a", 6, R"(,"deletionTimestamp":"2026-01-01T00:00:00Z","finalizers":["x/y"])"));
  EXPECT_EQ(stored("a"), 6u);
  submit(call);
  transport_.respond("configmaps/a", 200, R"({"kind":"Status","status":"Success"})");
  EXPECT_TRUE(outcomes_.at("a").ok());
  EXPECT_EQ(gateway_->metrics().decode_errors, 0u);
}

TEST_F(ApiGatewayTest, AFullQueueRefusesAtOnce) {
  use({.queue = {.in_flight = 1, .waiting = 1}});
  submit(apply("a"));
  submit(apply("b"));
  submit(apply("c"));
  EXPECT_EQ(outcomes_.at("c").error->code, Code::Retry);
  EXPECT_EQ(gateway_->metrics().rejected, 1u);
}

TEST_F(ApiGatewayTest, KindsThatAreNotWatchedStayOutOfTheStore) {
  auto call = apply("s");
  call.kind = &kKind<Service>;
  submit(call);
  transport_.respond("services/s", 200,
                     R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"s",)"
                     R"("namespace":"db","uid":"u","resourceVersion":"5"}})");
  EXPECT_TRUE(outcomes_.at("s").object);
  EXPECT_FALSE(store_.get(kKindId<Service>, "db", "s"));
}

}  // namespace
}  // namespace troupe::k8s
