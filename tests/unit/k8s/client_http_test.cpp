// HttpTransport against a scripted server on loopback.
#include "k8s/client/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>

#include "runtime/clock.hpp"
#include "tests/unit/k8s/client_scripted_server.hpp"

namespace troupe::k8s {
namespace {

using namespace std::chrono_literals;
using test::ScriptedServer;
using test::ServerExchange;
using test::ServerRequest;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kPatience = 10s;

// What a stream brought, to be waited for.
class Recorder final : public StreamHandler {
 public:
  void on_open() override {
    note([&] { opened = true; });
  }
  void on_lines(std::span<const std::string_view> some, std::size_t) override {
    note([&] {
      for (const auto line : some) lines.emplace_back(line);
      ++reads;
    });
  }
  void on_refused(const Response& response) override {
    note([&] { refused = response; });
  }
  void on_end(std::optional<Error> error) override {
    note([&] {
      ended = true;
      failure = std::move(error);
    });
  }

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, condition);
  }

  bool opened = false;
  std::vector<std::string> lines;
  int reads = 0;
  std::optional<Response> refused;
  bool ended = false;
  std::optional<Error> failure;

 private:
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

class HttpTest : public testing::Test {
 protected:
  ~HttpTest() override {
    if (transport_) loop_.run([&] { transport_.reset(); });
  }

  void connect(const ClientConfig& config, HttpOptions options = {}) {
    auto made = HttpTransport::make(loop_.loop(), config, options);
    ASSERT_TRUE(made) << made.error().message;
    transport_ = std::move(*made);
  }

  std::future<Reply> start(Request request) {
    auto promise = std::make_shared<std::promise<Reply>>();
    auto future = promise->get_future();
    loop_.loop().post([=, this]() mutable {
      transport_->call(std::move(request),
                       [promise](Reply reply) { promise->set_value(std::move(reply)); });
    });
    return future;
  }
  Reply call(Request request) {
    auto future = start(std::move(request));
    if (future.wait_for(kPatience) != std::future_status::ready) {
      return Failure{error(Code::Fatal, "no answer in time"), false};
    }
    return future.get();
  }
  Reply get(std::string target) { return call({.target = std::move(target)}); }

  CallId stream(std::string target, std::shared_ptr<Recorder> recorder) {
    CallId id;
    loop_.run([&] { id = transport_->stream({.target = std::move(target)}, recorder); });
    return id;
  }
  const HttpMetrics& metrics() {
    loop_.run([] {});  // what is under way on the loop has been counted
    return transport_->metrics();
  }

  // "GET 200 x2", in order of method and status; 0 where there was no answer.
  std::vector<std::string> counted() {
    loop_.run([] {});
    std::vector<std::string> out;
    for (const auto& each : transport_->requests().counts())
      out.push_back(std::string(to_string(each.method)) + " " + std::to_string(each.status) + " x" +
                    std::to_string(each.requests));
    return out;
  }

  SystemClock clock_;
  LoopThread loop_{clock_};
  std::unique_ptr<HttpTransport> transport_;
};

TEST_F(HttpTest, SendsMethodTargetHeadersAndBody) {
  ServerRequest seen;
  ScriptedServer server([&](const ServerRequest& request, ServerExchange& exchange) {
    seen = request;
    exchange.respond(201, R"({"ok":true})");
  });
  auto config = server.config();
  config.path_prefix = "/prefix";
  connect(config, {.user_agent = "troupe-operator/test"});
  const auto reply = call({.method = Method::Patch,
                           .target = "/api/v1/x?fieldManager=m",
                           .content_type = "application/apply-patch+yaml",
                           .body = "{}"});
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 201);
  EXPECT_EQ(reply->body, R"({"ok":true})");
  EXPECT_GE(reply->body.capacity(), reply->body.size() + kJsonPadding);
  EXPECT_EQ(seen.method, "PATCH");
  EXPECT_EQ(seen.target, "/prefix/api/v1/x?fieldManager=m");
  EXPECT_EQ(seen.body, "{}");
  EXPECT_EQ(seen.headers["Content-Type"], "application/apply-patch+yaml");
  EXPECT_EQ(seen.headers["User-Agent"], "troupe-operator/test");
  EXPECT_EQ(seen.headers["Host"], "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(HttpTest, KeepsConnectionsAlive) {
  ScriptedServer server([](const ServerRequest& request, ServerExchange& exchange) {
    exchange.respond(200, std::to_string(request.connection));
  });
  connect(server.config());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/")->body, "0");
  EXPECT_EQ(metrics().connects, 1u);
  EXPECT_EQ(metrics().idle_connections, 1u);
}

TEST_F(HttpTest, OpensNoMoreConnectionsThanItsBoundAndQueuesTheRest) {
  std::atomic<int> busy{0};
  std::atomic<int> most{0};
  ScriptedServer server([&](const ServerRequest&, ServerExchange& exchange) {
    const int now = ++busy;
    int before = most;
    while (now > before && !most.compare_exchange_weak(before, now)) {
    }
    std::this_thread::yield();
    --busy;
    exchange.respond(200, "{}");
  });
  connect(server.config(), {.max_connections = 2});
  std::vector<std::future<Reply>> replies;
  for (int i = 0; i < 20; ++i) replies.push_back(start({.target = "/"}));
  for (auto& reply : replies) EXPECT_TRUE(reply.get());
  EXPECT_LE(most, 2);
  EXPECT_LE(metrics().connects, 2u);
}

TEST_F(HttpTest, RefusesCallsBeyondItsQueue) {
  std::promise<void> go;
  auto gone = go.get_future().share();
  ScriptedServer server([gone](const ServerRequest&, ServerExchange& exchange) {
    gone.wait();
    exchange.respond(200, "{}");
  });
  connect(server.config(), {.max_connections = 1, .max_queued = 1});
  auto first = start({.target = "/1"});
  auto second = start({.target = "/2"});
  const auto third = call({.target = "/3"});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().error.code, Code::Retry);
  EXPECT_FALSE(third.error().sent);
  EXPECT_EQ(metrics().rejected_calls, 1u);
  EXPECT_EQ(metrics().queued, 1u);
  go.set_value();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
}

TEST_F(HttpTest, AWriteThatIsNotAnsweredInTimeHasAnUnknownOutcome) {
  ScriptedServer server(
      [](const ServerRequest&, ServerExchange& exchange) { exchange.await_client_close(); });
  connect(server.config());
  const auto reply = call({.method = Method::Post, .target = "/slow", .timeout = 50ms});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().error.code, Code::Timeout);
  EXPECT_TRUE(reply.error().sent);
  EXPECT_THAT(reply.error().error.message, HasSubstr("no answer to POST /slow within 50ms"));
}

TEST_F(HttpTest, CountsEachAnswerByMethodAndStatusAndAStreamAsItOpens) {
  ScriptedServer server([](const ServerRequest& request, ServerExchange& exchange) {
    if (request.target == "/reset") return exchange.reset();
    if (request.target != "/watch")
      return exchange.respond(request.method == "PATCH" ? 409 : 200, "{}");
    exchange.begin_stream();
    exchange.await_client_close();
  });
  connect(server.config());
  get("/");
  get("/");
  call({.method = Method::Patch, .target = "/", .content_type = "a/b", .body = "{}"});
  call({.method = Method::Post, .target = "/reset"});
  EXPECT_THAT(counted(), ElementsAre("GET 200 x2", "POST 0 x1", "PATCH 409 x1"));
  const auto recorder = std::make_shared<Recorder>();
  const auto id = stream("/watch", recorder);
  ASSERT_TRUE(recorder->wait([&] { return recorder->opened; }));
  loop_.run([&] { transport_->cancel(id); });
  EXPECT_THAT(counted(), ElementsAre("GET 200 x3", "POST 0 x1", "PATCH 409 x1"));
  EXPECT_EQ(transport_->requests().latency(Method::Get).count(), 2u) << "a stream takes for ever";
}

TEST_F(HttpTest, AConnectionWhoseAnswerIsOverdueIsNotUsedAgain) {
  ScriptedServer server([](const ServerRequest& request, ServerExchange& exchange) {
    if (request.target == "/slow") return exchange.await_client_close();
    exchange.respond(200, std::to_string(request.connection));
  });
  connect(server.config());
  EXPECT_EQ(get("/")->body, "0");
  EXPECT_FALSE(call({.target = "/slow", .timeout = 50ms}));
  const auto write = call({.method = Method::Post, .target = "/"});
  ASSERT_TRUE(write) << write.error().error.message;
  EXPECT_EQ(write->body, "1");
}

TEST_F(HttpTest, AConnectionThatCannotBeMadeMeansThatNothingWasDone) {
  ClientConfig config;
  {
    ScriptedServer gone([](const ServerRequest&, ServerExchange&) {});
    config = gone.config();
  }
  connect(config);
  const auto reply = call({.method = Method::Post, .target = "/"});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().error.code, Code::Retry);
  EXPECT_FALSE(reply.error().sent);
}

TEST_F(HttpTest, AReadThatMetAClosingConnectionIsSentOnceMoreAWriteIsNot) {
  ScriptedServer server([](const ServerRequest& request, ServerExchange& exchange) {
    // The first request of each connection is answered, the second breaks it.
    static thread_local int count = 0;
    if (++count == 2) return exchange.reset();
    exchange.respond(200, std::to_string(request.connection));
  });
  connect(server.config());
  EXPECT_EQ(get("/")->body, "0");
  EXPECT_EQ(get("/")->body, "1");
  EXPECT_EQ(metrics().resent, 1u);
  const auto write = call({.method = Method::Post, .target = "/"});
  ASSERT_FALSE(write);
  EXPECT_TRUE(write.error().sent);
}

TEST_F(HttpTest, AnswersBeyondTheBoundAreRefused) {
  ScriptedServer server([](const ServerRequest&, ServerExchange& exchange) {
    exchange.respond(200, std::string(100'000, 'x'));
  });
  connect(server.config(), {.max_response = 1000});
  const auto reply = get("/");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().error.code, Code::Invalid);
  EXPECT_THAT(reply.error().error.message, HasSubstr("exceeds 1000 bytes"));
}

TEST_F(HttpTest, ReadsRetryAfter) {
  ScriptedServer server([](const ServerRequest&, ServerExchange& exchange) {
    exchange.respond(429, "{}", {{"Retry-After", "7"}});
  });
  connect(server.config());
  EXPECT_EQ(get("/")->retry_after, std::optional<Duration>(7s));
}

TEST_F(HttpTest, AnswersWithoutABodyAreAnswers) {
  ScriptedServer server(
      [](const ServerRequest&, ServerExchange& exchange) { exchange.respond(204, ""); });
  connect(server.config());
  EXPECT_EQ(get("/")->status, 204);
  EXPECT_EQ(get("/")->status, 204);
}

TEST_F(HttpTest, ACancelledCallIsNeverAnswered) {
  std::promise<void> arrived;
  ScriptedServer server([&](const ServerRequest&, ServerExchange& exchange) {
    arrived.set_value();
    exchange.await_client_close();
  });
  connect(server.config());
  bool answered = false;
  CallId id;
  loop_.run([&] { id = transport_->call({.target = "/"}, [&](Reply) { answered = true; }); });
  arrived.get_future().wait();
  loop_.run([&] { transport_->cancel(id); });
  EXPECT_EQ(metrics().open_connections, 0u);
  EXPECT_FALSE(answered);
}

TEST_F(HttpTest, StreamsWholeLinesHoweverTheyAreCut) {
  const std::string huge(200'000, 'h');
  ScriptedServer server([&](const ServerRequest&, ServerExchange& exchange) {
    exchange.begin_stream();
    exchange.write("one\ntwo\nth");
    exchange.write("re");
    exchange.write("e\n\nfour\n");
    exchange.write(huge);
    exchange.write("\n");
    exchange.end_stream();
  });
  connect(server.config());
  const auto recorder = std::make_shared<Recorder>();
  stream("/watch", recorder);
  ASSERT_TRUE(recorder->wait([&] { return recorder->ended; }));
  EXPECT_TRUE(recorder->opened);
  EXPECT_FALSE(recorder->failure);
  EXPECT_THAT(recorder->lines, ElementsAre("one", "two", "three", "four", huge));
}

TEST_F(HttpTest, AStreamOpensBeforeItBringsAnything) {
  ScriptedServer server([](const ServerRequest&, ServerExchange& exchange) {
    exchange.begin_stream();
    exchange.await_client_close();
  });
  connect(server.config());
  const auto recorder = std::make_shared<Recorder>();
  const auto id = stream("/watch", recorder);
  EXPECT_TRUE(recorder->wait([&] { return recorder->opened; }));
  loop_.run([&] { transport_->cancel(id); });
  EXPECT_EQ(metrics().open_streams, 0u);
  EXPECT_FALSE(recorder->ended);
}

TEST_F(HttpTest, ARefusedStreamSaysWhy) {
  ScriptedServer server([](const ServerRequest&, ServerExchange& exchange) {
    exchange.respond(410, R"({"kind":"Status","code":410})", {{"Retry-After", "2"}});
  });
  connect(server.config());
  const auto recorder = std::make_shared<Recorder>();
  stream("/watch", recorder);
  ASSERT_TRUE(recorder->wait([&] { return recorder->refused.has_value(); }));
  EXPECT_EQ(recorder->refused->status, 410);
  EXPECT_EQ(recorder->refused->body, R"({"kind":"Status","code":410})");
  EXPECT_EQ(recorder->refused->retry_after, std::optional<Duration>(2s));
  EXPECT_FALSE(recorder->opened);
}

TEST_F(HttpTest, AStreamThatBreaksInsideALineEndsWithAnError) {
  ScriptedServer server([](const ServerRequest&, ServerExchange& exchange) {
    exchange.begin_stream();
    exchange.write("whole\nhal");
    exchange.end_stream();
  });
  connect(server.config());
  const auto recorder = std::make_shared<Recorder>();
  stream("/watch", recorder);
  ASSERT_TRUE(recorder->wait([&] { return recorder->ended; }));
  EXPECT_THAT(recorder->lines, ElementsAre("whole"));
  EXPECT_TRUE(recorder->failure.has_value());
}

TEST_F(HttpTest, SpeaksTlsToAServerWhoseNameItCanVerify) {
  ScriptedServer server(
      [](const ServerRequest& request, ServerExchange& exchange) {
        const auto token = request.headers.find("Authorization");
        exchange.respond(200, token == request.headers.end() ? "" : token->second);
      },
      test::make_identity("127.0.0.1"));
  auto config = server.config();
  config.auth.token = Secret("abc");
  connect(config);
  const auto reply = get("/");
  ASSERT_TRUE(reply) << reply.error().error.message;
  EXPECT_EQ(reply->body, "Bearer abc");
}

TEST_F(HttpTest, VerifiesTheNameThatTheKubeconfigGives) {
  ScriptedServer server(
      [](const ServerRequest&, ServerExchange& exchange) { exchange.respond(200, "{}"); },
      test::make_identity("api.example"));
  auto config = server.config();
  config.server_name = "api.example";
  connect(config);
  EXPECT_TRUE(get("/"));
}

TEST_F(HttpTest, RefusesAServerWithAnotherName) {
  ScriptedServer server(
      [](const ServerRequest&, ServerExchange& exchange) { exchange.respond(200, "{}"); },
      test::make_identity("other.example"));
  connect(server.config());
  const auto reply = get("/");
  ASSERT_FALSE(reply);
  EXPECT_FALSE(reply.error().sent);
  EXPECT_THAT(reply.error().error.message, HasSubstr("its certificate was refused"));
}

TEST_F(HttpTest, RefusesAServerOfAnotherAuthority) {
  ScriptedServer server(
      [](const ServerRequest&, ServerExchange& exchange) { exchange.respond(200, "{}"); },
      test::make_identity("127.0.0.1"));
  auto config = server.config();
  config.ca_pem = test::make_identity("127.0.0.1").ca_pem;
  connect(config);
  EXPECT_FALSE(get("/"));
}

TEST_F(HttpTest, SendsNoTokenInTheClear) {
  bool had_token = true;
  ScriptedServer server([&](const ServerRequest& request, ServerExchange& exchange) {
    had_token = request.headers.count("Authorization") != 0;
    exchange.respond(200, "{}");
  });
  auto config = server.config();
  config.auth.token = Secret("abc");
  connect(config);
  ASSERT_TRUE(get("/"));
  EXPECT_FALSE(had_token);
}

TEST_F(HttpTest, ReadsARotatedTokenAgainWhenTheServerRefusesTheOldOne) {
  const auto path = testing::TempDir() + "client_http_token";
  std::ofstream(path) << "old\n";
  ScriptedServer server(
      [&](const ServerRequest& request, ServerExchange& exchange) {
        if (request.headers.at("Authorization") == "Bearer new") return exchange.respond(200, "{}");
        std::ofstream(path) << "new\n";
        exchange.respond(401, "{}");
      },
      test::make_identity("127.0.0.1"));
  auto config = server.config();
  config.auth.token_file = path;
  connect(config);
  const auto reply = get("/");
  ASSERT_TRUE(reply) << reply.error().error.message;
  EXPECT_EQ(reply->status, 200);
}

TEST(HttpTransport, SaysWhichCertificateIsNoPem) {
  SystemClock clock;
  LoopThread loop(clock);
  ClientConfig config;
  config.origin = "/root/.kube/config, context dev";
  config.host = "127.0.0.1";
  config.ca_pem = "nonsense";
  const auto made = HttpTransport::make(loop.loop(), config);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message,
              HasSubstr("/root/.kube/config, context dev: certificate-authority: expected"));
}

}  // namespace
}  // namespace troupe::k8s
