#include "runtime/http_probes.hpp"

#include <gtest/gtest.h>

#include "runtime/metrics.hpp"
#include "tests/unit/runtime/fake_exchange.hpp"

namespace troupe {
namespace {

TEST(HttpProbes, ReadyOnlyWhenEveryCheckIs) {
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
            "[+]lease ok\n[-]caches failed: 3 of 9 kinds are not listed yet\nfailed\n");
  wrong.clear();
  EXPECT_EQ(test::ask(router, "/readyz").status, 200u);
  EXPECT_EQ(test::ask(router, "/healthz").body, "ok\n");
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
