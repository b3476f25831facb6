// Tokens at the operator's endpoint, reviewed by the simulated API server.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "actors/host/operator.hpp"
#include "tests/unit/actors/operator/api_thread.hpp"
#include "tests/unit/runtime/http_client.hpp"

namespace troupe::actors {
namespace {

using test::HttpClient;

class OperatorAccess : public testing::Test {
 protected:
  OperatorAccess() {
    api_.create(
        "namespaces", "",
        {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "troupe-system"}}}});
    api_.create(
        "serviceaccounts", "default",
        {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", {{"name", "viewer"}}}});
    OperatorOptions options;
    options.cluster.host = "127.0.0.1";
    options.cluster.port = api_.port();
    options.cluster.tls = false;
    options.listen = "127.0.0.1:0";
    options.threads = 1;
    auto started = Operator::start(std::move(options));
    if (started)
      operator_ = std::move(*started);
    else
      ADD_FAILURE() << started.error().message;
  }

  std::string viewer_token() {
    auto request =
        HttpClient::make("POST", "/api/v1/namespaces/default/serviceaccounts/viewer/token");
    request.set("Content-Type", "application/json");
    request.body() = "{}";
    request.prepare_payload();
    const auto answer = boost::json::parse(HttpClient(api_.port()).send(request).body());
    return std::string(answer.at_pointer("/status/token").as_string());
  }
  // As from elsewhere: its Host does not name this machine.
  HttpClient::Response ask(const std::string& target, const std::string& token = {}) {
    const auto url = operator_->url();
    auto request = HttpClient::make("GET", target);
    request.set("Host", "troupe.example");
    if (!token.empty()) request.set("Authorization", "Bearer " + token);
    return HttpClient(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))))
        .send(request);
  }

  test::ApiThread api_;
  std::unique_ptr<Operator> operator_;
};

TEST_F(OperatorAccess, ATokenThatTheClusterKnowsGetsIn) {
  const auto answer = ask("/api/actors", viewer_token());
  EXPECT_EQ(answer.result_int(), 200u) << answer.body();
}

TEST_F(OperatorAccess, NoTokenAndAWrongOneAreChallenged) {
  for (const char* token : {"", "wrong"}) {
    const auto answer = ask("/api/actors", token);
    EXPECT_EQ(answer.result_int(), 401u);
    EXPECT_TRUE(answer["WWW-Authenticate"].starts_with("Bearer"));
    EXPECT_EQ(answer.body().find("wrong"), std::string::npos);
  }
}

TEST_F(OperatorAccess, ProbesAndMetricsAreOpen) {
  for (const char* path : {"/healthz", "/metrics"}) EXPECT_EQ(ask(path).result_int(), 200u) << path;
}

}  // namespace
}  // namespace troupe::actors
