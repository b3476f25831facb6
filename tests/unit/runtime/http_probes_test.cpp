#include "runtime/http_probes.hpp"

#include <gtest/gtest.h>

#include "runtime/metrics.hpp"
#include "tests/unit/runtime/fake_exchange.hpp"

namespace troupe {
namespace {

TEST(HttpProbes, ReadyOnlyWhenEveryCheckIsAndAliveMeanwhile) {
  HealthChecks alive;
  HealthChecks ready;
  Metrics metrics;
  std::string wrong = "3 of 9 kinds are not listed yet";
  ready.add("lease", [] { return std::string(); });
  ready.add("caches", [&] { return wrong; });
  http::Router router;
  add_probes(router, alive, ready, metrics);

  const auto not_yet = test::ask(router, "/readyz");
  EXPECT_EQ(not_yet.status, 503u);
  EXPECT_EQ(not_yet.body,
            "[+]lease ok\n[-]caches failed: 3 of 9 kinds are not listed yet\n"
            "readyz check failed\n");
  EXPECT_EQ(test::ask(router, "/healthz").status, 200u);
  wrong.clear();
  const auto now = test::ask(router, "/readyz");
  EXPECT_EQ(now.status, 200u);
  EXPECT_EQ(now.body, "ok\n");
}

TEST(HttpProbes, VerboseNamesTheChecksThatPass) {
  HealthChecks alive;
  HealthChecks ready;
  Metrics metrics;
  alive.add("ping", [] { return std::string(); });
  http::Router router;
  add_probes(router, alive, ready, metrics);
  const auto answer = test::ask(router, "/healthz?verbose");
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body, "[+]ping ok\nhealthz check passed\n");
}

TEST(HttpProbes, MetricsCarryPrometheusContentType) {
  HealthChecks none;
  Metrics metrics;
  metrics.counter("troupe_test_total", "help").Increment();
  http::Router router;
  add_probes(router, none, none, metrics);
  const auto response = test::ask(router, "/metrics");
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(response.body.find("troupe_test_total 1"), std::string::npos);
}

}  // namespace
}  // namespace troupe
