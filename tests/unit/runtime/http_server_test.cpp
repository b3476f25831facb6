#include "runtime/http_server.hpp"

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/unit/runtime/http_client.hpp"

namespace troupe::http {
namespace {

using support::eventually;
using test::HttpClient;

ServerOptions any_port() {
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  return options;
}

Handler always(std::string body) {
  return [body](const Request&, Responder responder) { responder.reply(text(200, body)); };
}

std::unique_ptr<Server> serve(ServerOptions options, const std::function<void(Router&)>& routes) {
  auto server = std::make_unique<Server>(std::move(options));
  routes(server->router());
  const auto started = server->start();
  EXPECT_TRUE(started) << started.error().message;
  return server;
}

TEST(HttpServer, AnswersSeveralRequestsOnOneConnection) {
  const auto server = serve(any_port(), [](Router& r) {
    r.add(Method::Get, "/a", Access::Open, always("first"));
    r.add(Method::Get, "/b", Access::Open, always("second"));
  });
  HttpClient client(server->port());
  EXPECT_EQ(client.get("/a").body(), "first");
  const auto second = client.get("/b");
  EXPECT_EQ(second.body(), "second");
  EXPECT_EQ(second["Cache-Control"], "no-store");
  EXPECT_NE(second["Content-Security-Policy"].find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(server->totals().connections, 1u);
  EXPECT_EQ(server->totals().requests, 2u);
}

TEST(HttpServer, HeadHasTheLengthButNotTheBody) {
  const auto server =
      serve(any_port(), [](Router& r) { r.add(Method::Get, "/a", Access::Open, always("12345")); });
  HttpClient client(server->port());
  const auto head = client.send(HttpClient::make("HEAD", "/a"));
  EXPECT_EQ(head["Content-Length"], "5");
  EXPECT_EQ(client.get("/a").body(), "12345");
}

TEST(HttpServer, UnknownPathIs404AndSaysWhatThereIs) {
  const auto server = serve(any_port(), [](Router& r) {
    r.add(Method::Post, "/a", Access::Open, always("x"));
    r.add(Method::Get, "/b/", Access::Guarded, always("x"));
  });
  HttpClient client(server->port());
  for (const char* method : {"GET", "POST", "DELETE"}) {
    const auto answer = client.send(HttpClient::make(method, "/nowhere"));
    EXPECT_EQ(answer.result_int(), 404u) << method;
    EXPECT_EQ(answer.body(), R"({"error":"nothing is served at /nowhere; there are /a, /b/"})"
                             "\n");
  }
}

TEST(HttpServer, AWrongMethodIs405AndSaysWhichIsRight) {
  const auto server =
      serve(any_port(), [](Router& r) { r.add(Method::Post, "/a", Access::Open, always("x")); });
  HttpClient client(server->port());
  for (const char* method : {"GET", "DELETE", "BREW"}) {
    const auto answer = client.send(HttpClient::make(method, "/a"));
    EXPECT_EQ(answer.result_int(), 405u) << method;
    EXPECT_EQ(answer["Allow"], "POST");
    EXPECT_EQ(answer.body(), "{\"error\":\"this path accepts POST\"}\n");
  }
}

TEST(HttpServer, ATargetThatIsTooLongIs414) {
  const auto server =
      serve(any_port(), [](Router& r) { r.add(Method::Get, "/a", Access::Open, always("x")); });
  // The longer one does not even fit the bound of a header.
  for (const std::size_t length : {5u << 10, 17u << 10}) {
    HttpClient client(server->port());
    const auto answer = client.get("/a?" + std::string(length, 'x'));
    EXPECT_EQ(answer.result_int(), 414u) << length;
    EXPECT_NE(answer.body().find("longer than 4 KiB"), std::string::npos) << answer.body();
  }
}

TEST(HttpServer, AHandlerMayAnswerFromAnotherThread) {
  std::thread worker;
  const auto server = serve(any_port(), [&](Router& r) {
    r.add(Method::Get, "/a", Access::Open, [&](const Request&, Responder responder) {
      worker = std::thread([responder] { responder.reply(text(200, "late")); });
    });
  });
  EXPECT_EQ(HttpClient(server->port()).get("/a").body(), "late");
  worker.join();
}

TEST(HttpServer, OnlyTheFirstAnswerCounts) {
  const auto server = serve(any_port(), [](Router& r) {
    r.add(Method::Get, "/a", Access::Open, [](const Request&, Responder responder) {
      responder.reply(text(200, "first"));
      responder.reply(text(500, "second"));
    });
  });
  HttpClient client(server->port());
  EXPECT_EQ(client.get("/a").body(), "first");
  EXPECT_EQ(client.get("/a").body(), "first");
}

TEST(HttpServer, AHandlerThatNeverAnswersIs504) {
  auto options = any_port();
  options.reply_deadline = std::chrono::milliseconds(20);
  const auto server = serve(options, [](Router& r) {
    r.add(Method::Get, "/a", Access::Open, [](const Request&, Responder) {});
  });
  HttpClient client(server->port());
  EXPECT_EQ(client.get("/a").result_int(), 504u);
  EXPECT_EQ(client.get("/a").result_int(), 504u);  // the connection lives on
}

TEST(HttpServer, AHandlerThatThrowsIs500) {
  const auto server = serve(any_port(), [](Router& r) {
    r.add(Method::Get, "/a", Access::Open,
          [](const Request&, Responder) { throw std::runtime_error("broken"); });
  });
  EXPECT_EQ(HttpClient(server->port()).get("/a").result_int(), 500u);
  EXPECT_EQ(server->totals().failures, 1u);
}

TEST(HttpServer, AResponderMayOutliveTheServer) {
  std::optional<Responder> kept;
  auto server = serve(any_port(), [&](Router& r) {
    r.add(Method::Get, "/a", Access::Open,
          [&](const Request&, Responder responder) { kept.emplace(std::move(responder)); });
  });
  HttpClient client(server->port());
  client.write_raw("GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return server->totals().requests == 1; }));
  server.reset();
  ASSERT_TRUE(kept);
  kept->reply(text(200, "too late"));
  EXPECT_FALSE(kept->stream().open());
  EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpServer, RefusesWhatIsTooLargeOrNotHttp) {
  const auto server =
      serve(any_port(), [](Router& r) { r.add(Method::Post, "/a", Access::Open, always("x")); });
  {
    HttpClient client(server->port());
    client.write_raw("GET /a HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
    EXPECT_EQ(client.read_response().result_int(), 431u);
  }
  {
    HttpClient client(server->port());
    client.write_raw("POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
    EXPECT_EQ(client.read_response().result_int(), 413u);
  }
  HttpClient client(server->port());
  client.write_raw("this is no HTTP\r\n\r\n");
  EXPECT_EQ(client.read_response().result_int(), 400u);
}

TEST(HttpServer, AClientThatDoesNotFinishItsRequestIsCutOff) {
  auto options = any_port();
  options.request_deadline = std::chrono::milliseconds(20);
  const auto server = serve(options, [](Router&) {});
  HttpClient client(server->port());
  client.write_raw("GET /a HTT");
  EXPECT_TRUE(client.closed_by_server());
}

TEST(HttpServer, ConnectionsBeyondTheBoundGet503) {
  auto options = any_port();
  options.max_connections = 1;
  const auto server =
      serve(options, [](Router& r) { r.add(Method::Get, "/a", Access::Open, always("x")); });
  HttpClient first(server->port());
  EXPECT_EQ(first.get("/a").result_int(), 200u);
  HttpClient second(server->port());
  EXPECT_EQ(second.read_response().result_int(), 503u);
  EXPECT_EQ(server->totals().refused_connections, 1u);
}

TEST(HttpServer, CannotListenOnNonsense) {
  for (const std::string listen : {"8080", "localhost", "1.2.3.4:99999", "x:80", ":"}) {
    Server server({.listen = listen});
    const auto started = server.start();
    ASSERT_FALSE(started) << listen;
    EXPECT_NE(started.error().message.find("127.0.0.1:8080"), std::string::npos);
  }
}

TEST(HttpServer, SaysThatAPortIsTaken) {
  const auto first = serve(any_port(), [](Router&) {});
  Server second({.listen = "127.0.0.1:" + std::to_string(first->port())});
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("--listen"), std::string::npos);
}

TEST(HttpServer, GuardedPathIsOpenToLoopbackAndAsksForATokenOtherwise) {
  auto options = any_port();
  std::string asked;
  options.authorizer = [&](Credentials c, std::function<void(Decision)> done) {
    asked = c.path;
    const bool good = c.token.reveal() == "good";
    std::thread([done, good] {
      done({good ? Decision::Verdict::Allowed : Decision::Verdict::Forbidden, {}});
    }).detach();
  };
  const auto server =
      serve(options, [](Router& r) { r.add(Method::Get, "/g", Access::Guarded, always("in")); });
  HttpClient client(server->port());
  EXPECT_EQ(client.get("/g").result_int(), 200u);

  auto request = HttpClient::make("GET", "/g");
  request.set("Host", "somewhere.example");
  EXPECT_EQ(client.send(request).result_int(), 401u);
  request.set("Authorization", "Bearer bad");
  EXPECT_EQ(client.send(request).result_int(), 403u);
  request.set("Authorization", "Bearer good");
  EXPECT_EQ(client.send(request).body(), "in");
  EXPECT_EQ(asked, "/g");
}

TEST(HttpServer, AnAuthorizerThatHangsIs503) {
  auto options = any_port();
  options.reply_deadline = std::chrono::milliseconds(20);
  options.authorizer = [](Credentials, std::function<void(Decision)>) {};
  const auto server =
      serve(options, [](Router& r) { r.add(Method::Get, "/g", Access::Guarded, always("in")); });
  auto request = HttpClient::make("GET", "/g");
  request.set("Authorization", "Bearer x");
  EXPECT_EQ(HttpClient(server->port()).send(request).result_int(), 503u);
}

TEST(HttpServer, StreamsEventsUntilTheHandlerLetsGo) {
  std::promise<EventStream> opened;
  const auto server = serve(any_port(), [&](Router& r) {
    r.add(Method::Get, "/s", Access::Open,
          [&](const Request&, Responder responder) { opened.set_value(responder.stream()); });
  });
  HttpClient client(server->port());
  client.write_raw("GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n");
  auto stream = opened.get_future().get();
  EXPECT_NE(client.read_until("\r\n\r\n").find("text/event-stream"), std::string::npos);
  EXPECT_TRUE(stream.send("tick", "{\"n\":1}"));
  EXPECT_EQ(client.read_until("\n\n"), "event: tick\ndata: {\"n\":1}\n\n");
  EXPECT_EQ(server->totals().streams, 1u);
  stream = EventStream();
  EXPECT_TRUE(client.closed_by_server());
  EXPECT_TRUE(eventually([&] { return server->totals().streams == 0; }));
}

TEST(HttpServer, AStreamEndsWhenItsClientLeaves) {
  std::promise<EventStream> opened;
  const auto server = serve(any_port(), [&](Router& r) {
    r.add(Method::Get, "/s", Access::Open,
          [&](const Request&, Responder responder) { opened.set_value(responder.stream()); });
  });
  std::optional<HttpClient> client(std::in_place, server->port());
  client->write_raw("GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto stream = opened.get_future().get();
  client->read_until("\r\n\r\n");
  client.reset();
  EXPECT_TRUE(eventually([&] { return !stream.open(); }));
}

TEST(HttpServer, AStreamWhoseClientDoesNotReadIsEndedAtTheBound) {
  std::promise<EventStream> opened;
  const auto server = serve(any_port(), [&](Router& r) {
    r.add(Method::Get, "/s", Access::Open,
          [&](const Request&, Responder responder) { opened.set_value(responder.stream()); });
  });
  HttpClient client(server->port());
  client.write_raw("GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto stream = opened.get_future().get();
  const std::string chunk(64 << 10, 'x');
  EXPECT_TRUE(eventually([&] { return !stream.send("tick", chunk); }));
}

TEST(HttpServer, StreamsBeyondTheBoundGet503) {
  auto options = any_port();
  options.max_streams = 1;
  std::promise<EventStream> first;
  std::promise<EventStream> second;
  std::vector<std::promise<EventStream>*> waiting{&second, &first};
  const auto server = serve(options, [&](Router& r) {
    r.add(Method::Get, "/s", Access::Open, [&](const Request&, Responder responder) {
      waiting.back()->set_value(responder.stream());
      waiting.pop_back();
    });
  });
  HttpClient one(server->port());
  one.write_raw("GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto held = first.get_future().get();
  EXPECT_EQ(HttpClient(server->port()).get("/s").result_int(), 503u);
  EXPECT_FALSE(second.get_future().get().open());
  EXPECT_TRUE(held.open());
}

TEST(HttpServer, SendsAHeartbeatOnAQuietStream) {
  auto options = any_port();
  options.heartbeat = std::chrono::milliseconds(10);
  std::promise<EventStream> opened;
  const auto server = serve(options, [&](Router& r) {
    r.add(Method::Get, "/s", Access::Open,
          [&](const Request&, Responder responder) { opened.set_value(responder.stream()); });
  });
  HttpClient client(server->port());
  client.write_raw("GET /s HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto stream = opened.get_future().get();
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_until("\n\n"), ": still here\n\n");
}

TEST(HttpServer, SchedulesTasksOnItsThread) {
  const auto server = serve(any_port(), [](Router&) {});
  std::promise<std::thread::id> first;
  std::promise<std::thread::id> second;
  server->schedule()(Duration::zero(), [&] { first.set_value(std::this_thread::get_id()); });
  server->schedule()(std::chrono::milliseconds(1),
                     [&] { second.set_value(std::this_thread::get_id()); });
  const auto id = first.get_future().get();
  EXPECT_EQ(id, second.get_future().get());
  EXPECT_NE(id, std::this_thread::get_id());
}

TEST(HttpServer, ScheduleOutlivesTheServer) {
  Schedule schedule;
  {
    const auto server = serve(any_port(), [](Router&) {});
    schedule = server->schedule();
    schedule(std::chrono::hours(1), [] { FAIL(); });
  }
  schedule(Duration::zero(), [] { FAIL(); });
}

}  // namespace
}  // namespace troupe::http
