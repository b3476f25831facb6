// Tokens at the operator's endpoint, reviewed by the simulated API server.
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/unit/actors/operator/operator_fixture.hpp"

namespace troupe::actors {
namespace {

using test::HttpClient;

class OperatorAccess : public OperatorTest {
 protected:
  OperatorAccess() {
    api_.create(
        "serviceaccounts", "default",
        {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"metadata", {{"name", "viewer"}}}});
    operator_ = start(options());
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
    auto request = HttpClient::make("GET", target);
    request.set("Host", "troupe.example");
    if (!token.empty()) request.set("Authorization", "Bearer " + token);
    return client_of(*operator_).send(request);
  }

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
