#include "runtime/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/actors.hpp"
#include "runtime/clock.hpp"
#include "tests/unit/runtime/actors_fixture.hpp"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST(Metrics, SameNameAndLabelsAreOneCounter) {
  Metrics metrics;
  auto& a = metrics.counter("troupe_x_total", "help", {{"k", "v"}});
  auto& b = metrics.counter("troupe_x_total", "help", {{"k", "v"}});
  EXPECT_EQ(&a, &b);
  metrics.counter("troupe_x_total", "help", {{"k", "w"}}).Increment(2);
  a.Increment();
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("troupe_x_total{k=\"v\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("troupe_x_total{k=\"w\"} 2\n"));
}

TEST(Metrics, LatencyBucketsAreCumulativeAndIncludeTheirBound) {
  Metrics metrics;
  auto& latency = metrics.latency("troupe_d_seconds", "help", {{"k", "v"}});
  latency.observe(milliseconds(1));  // a bound
  latency.observe(milliseconds(2));
  latency.observe(std::chrono::minutes(5));
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("troupe_d_seconds_bucket{k=\"v\",le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("troupe_d_seconds_bucket{k=\"v\",le=\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("troupe_d_seconds_bucket{k=\"v\",le=\"60\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("troupe_d_seconds_bucket{k=\"v\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("troupe_d_seconds_sum{k=\"v\"} 300.003"));
  EXPECT_THAT(text, HasSubstr("troupe_d_seconds_count{k=\"v\"} 3\n"));
}

TEST(Metrics, CollectorsAreAskedAtEveryScrape) {
  Metrics metrics;
  int value = 1;
  metrics.collect([&](Samples& out) { out.gauge("troupe_g", "help", value); });
  EXPECT_THAT(metrics.text(), HasSubstr("troupe_g 1\n"));
  value = 2;
  EXPECT_THAT(metrics.text(), HasSubstr("troupe_g 2\n"));
}

TEST(Metrics, CollectorsMayShareAFamily) {
  Metrics metrics;
  for (const char* name : {"a", "b"})
    metrics.collect([name](Samples& out) { out.counter("troupe_s_total", "h", 1, {{"n", name}}); });
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("troupe_s_total{n=\"a\"} 1\ntroupe_s_total{n=\"b\"} 1\n"));
  EXPECT_EQ(text.find("# TYPE troupe_s_total"), text.rfind("# TYPE troupe_s_total"));
}

TEST(Metrics, ProcessMetricsAreTrue) {
  Metrics metrics;
  collect_process(metrics);
  const auto text = metrics.text();
  for (const char* name : {"process_cpu_seconds_total", "process_open_fds", "process_max_fds",
                           "process_start_time_seconds", "process_virtual_memory_bytes"})
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name + " ")) << name;
  EXPECT_GT(resident_bytes(), 1u << 20);
  EXPECT_LT(resident_bytes(), std::uint64_t{1} << 40);
}

TEST(Metrics, RunsAreCountedUnderControllerRuntimesNames) {
  Metrics metrics;
  RunMetrics runs(metrics, "unit");
  runs.observe(RunMetrics::Result::Success, milliseconds(1));
  runs.observe(RunMetrics::Result::Error, milliseconds(1));
  const auto text = metrics.text();
  EXPECT_THAT(
      text,
      HasSubstr("controller_runtime_reconcile_total{controller=\"unit\",result=\"success\"} 1"));
  EXPECT_THAT(text, HasSubstr("controller_runtime_reconcile_errors_total{controller=\"unit\"} 1"));
  EXPECT_THAT(text,
              HasSubstr("controller_runtime_reconcile_time_seconds_count{controller=\"unit\"} 2"));
}

// Wakes itself when asked to, or throws.
class StubLogic final : public Logic {
 public:
  StubLogic(TimePoint wake, bool throws) : wake_(wake), throws_(throws) {}
  void absorb(std::span<const Cause>, TimePoint) noexcept override {}
  Outcome run(std::span<const Cause>, TimePoint) override {
    if (throws_) throw std::runtime_error("broken");
    Outcome outcome;
    outcome.wake = wake_;
    return outcome;
  }
  void faulted(const std::string&, bool, CausalId) noexcept override {}
  std::string state_json() const override { return "{\"a\":1}"; }

 private:
  TimePoint wake_;
  bool throws_;
};

TEST(Metrics, MeasuredLogicReportsEachRunByItsResult) {
  Metrics metrics;
  ManualClock clock;
  RunMetrics runs(metrics, "unit");
  measured(std::make_unique<StubLogic>(TimePoint::max(), false), runs, clock)->run({}, clock.now());
  measured(std::make_unique<StubLogic>(clock.now(), false), runs, clock)->run({}, clock.now());
  const auto broken = measured(std::make_unique<StubLogic>(clock.now(), true), runs, clock);
  EXPECT_THROW(broken->run({}, clock.now()), std::runtime_error);
  EXPECT_EQ(broken->state_json(), "{\"a\":1}");
  const auto text = metrics.text();
  for (const char* result : {"success", "requeue_after", "error"})
    EXPECT_THAT(text,
                HasSubstr("{controller=\"unit\",result=\"" + std::string(result) + "\"} 1\n"));
}

TEST(Metrics, ApiRequestsAndLeadershipHaveClientGosNames) {
  Metrics metrics;
  rest_client_requests(metrics, "10.0.0.1:6443", "PATCH", "409").Increment();
  leader_status(metrics, "troupe-operator").Set(1);
  set_build_info(metrics, "1.2.3");
  const auto text = metrics.text();
  EXPECT_THAT(
      text,
      HasSubstr(
          "rest_client_requests_total{code=\"409\",host=\"10.0.0.1:6443\",method=\"PATCH\"} 1"));
  EXPECT_THAT(text, HasSubstr("leader_election_master_status{name=\"troupe-operator\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_build_info{version=\"1.2.3\"} 1"));
}

class ActorMetrics : public test::ActorsFixture {};

TEST_F(ActorMetrics, SayWhoWaitsWhoRanAndWhatIsKept) {
  Metrics metrics;
  collect_actors(metrics, actors_, history_);
  const auto [id, script] = spawn();
  wake(id, "changed");
  EXPECT_THAT(metrics.text(), HasSubstr("workqueue_depth{name=\"actors\"} 1\n"));
  settle();
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("workqueue_depth{name=\"actors\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\ntroupe_actors 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntroupe_actor_runs_total 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntroupe_history_bytes " + std::to_string(history_.bytes()) + "\n"));
}

}  // namespace
}  // namespace troupe
