// Asks a router's handlers without a server.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/http_router.hpp"

namespace troupe::test {

struct FakeSink final : http::EventSink {
  bool send(std::string_view event, std::string_view data) override {
    if (is_open) events.emplace_back(event, data);
    return is_open;
  }
  bool open() const override { return is_open; }

  std::vector<std::pair<std::string, std::string>> events;
  bool is_open = true;
};

struct FakeExchange final : http::Exchange {
  void reply(http::Response r) override {
    if (!response && !sink) response = std::move(r);
  }
  std::shared_ptr<http::EventSink> stream() override {
    sink = std::make_shared<FakeSink>();
    return sink;
  }

  std::optional<http::Response> response;
  std::shared_ptr<FakeSink> sink;
};

// The exchange that a request to `target` opened; answered or not.
inline std::shared_ptr<FakeExchange> begin(const http::Router& router, std::string_view target,
                                           http::Method method = http::Method::Get,
                                           std::string if_none_match = {}) {
  const auto exchange = std::make_shared<FakeExchange>();
  http::Request request;
  request.method = method;
  request.if_none_match = std::move(if_none_match);
  const auto match = http::parse_target(target, request) ? router.find(method, request.path)
                                                         : http::Router::Match{};
  if (match.route)
    match.route->handler(request, http::Responder(exchange));
  else
    exchange->response = http::failure(404, "no route");
  return exchange;
}

// The answer to a request that is answered at once; status 0 when it was not.
inline http::Response ask(const http::Router& router, std::string_view target,
                          http::Method method = http::Method::Get) {
  const auto exchange = begin(router, target, method);
  if (exchange->response) return *exchange->response;
  http::Response none;
  none.status = 0;
  return none;
}

}  // namespace troupe::test
