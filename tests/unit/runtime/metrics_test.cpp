#include "runtime/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/runtime/actors_fixture.hpp"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

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

TEST(Metrics, ABoundedThingShowsItsUseItsLimitAndWhatWasRefused) {
  Metrics metrics;
  metrics.collect([](Samples& out) {
    out.capacity("queue", 3, 10, 2);
    out.capacity("budget", 1, 5);
  });
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("troupe_capacity_used{resource=\"queue\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("troupe_capacity_limit{resource=\"queue\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("troupe_capacity_refused_total{resource=\"queue\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("troupe_capacity_used{resource=\"budget\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("troupe_capacity_refused_total{resource=\"budget\"}")));
}

TEST(Metrics, LeadershipHasClientGosName) {
  Metrics metrics;
  leader_status(metrics, "troupe-operator").Set(1);
  set_build_info(metrics, "1.2.3");
  const auto text = metrics.text();
  EXPECT_THAT(text, HasSubstr("leader_election_master_status{name=\"troupe-operator\"} 1"));
  EXPECT_THAT(text, HasSubstr("troupe_build_info{version=\"1.2.3\"} 1"));
}

class ActorMetrics : public test::ActorsFixture {
 protected:
  ActorMetrics() { collect_actors(metrics_, actors_, history_); }
  // The value of a series, by its whole name with labels; -1 where there is none.
  double value(const std::string& series) {
    const auto text = metrics_.text();
    const auto at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }
  double runs(const std::string& result) {
    return value("controller_runtime_reconcile_total{controller=\"unit\",result=\"" + result +
                 "\"}");
  }
  Metrics metrics_;
};

TEST_F(ActorMetrics, AnActorThatWaitsIsInTheQueueUntilItRuns) {
  const std::string depth = "workqueue_depth{controller=\"unit\",name=\"unit\"}";
  const auto [id, script] = spawn();
  wake(id, "changed");
  wake(id, "changed again");
  EXPECT_EQ(value(depth), 1);
  EXPECT_EQ(value("controller_runtime_active_workers{controller=\"unit\"}"), 0);
  double active = 0;
  script->run = [&](std::span<const Cause>) {
    active = value("controller_runtime_active_workers{controller=\"unit\"}");
    return Logic::Outcome{};
  };
  clock_.advance(milliseconds(3));
  settle();
  EXPECT_EQ(active, 1);
  EXPECT_EQ(value(depth), 0);
  EXPECT_EQ(value("workqueue_adds_total{controller=\"unit\",name=\"unit\"}"), 1);
  EXPECT_DOUBLE_EQ(value("workqueue_queue_duration_seconds_sum{controller=\"unit\",name=\"unit\"}"),
                   0.003);
}

TEST_F(ActorMetrics, RunsAreCountedByTheirResult) {
  const auto [id, script] = spawn();
  wake(id, "changed");
  settle();
  EXPECT_EQ(runs("success"), 1);
  script->run = [this](std::span<const Cause>) {
    Logic::Outcome outcome;
    outcome.wake = clock_.now() + std::chrono::hours(1);
    outcome.retries = 2;
    clock_.advance(milliseconds(7));
    return outcome;
  };
  wake(id, "changed");
  settle();
  EXPECT_EQ(runs("requeue_after"), 1);
  EXPECT_EQ(value("workqueue_retries_total{controller=\"unit\",name=\"unit\"}"), 2);
  EXPECT_DOUBLE_EQ(value("controller_runtime_reconcile_time_seconds_sum{controller=\"unit\"}"),
                   0.007);
  script->run = [](std::span<const Cause>) -> Logic::Outcome {
    throw std::runtime_error("broken");
  };
  wake(id, "changed");
  settle();
  EXPECT_EQ(runs("error"), 1);
  EXPECT_EQ(value("controller_runtime_reconcile_errors_total{controller=\"unit\"}"), 1);
  EXPECT_EQ(value("controller_runtime_reconcile_time_seconds_count{controller=\"unit\"}"), 3);
}

TEST_F(ActorMetrics, AKindThatWasDeclaredShowsBeforeItHasActors) {
  actors_.declare("later");
  EXPECT_EQ(value("troupe_actors{controller=\"later\"}"), 0);
  const auto [id, script] = spawn();
  EXPECT_EQ(value("troupe_actors{controller=\"unit\"}"), 1);
  actors_.stop(id);
  settle();
  EXPECT_EQ(value("troupe_actors{controller=\"unit\"}"), 0);
}

TEST_F(ActorMetrics, TheHistoryShowsWhatItKeeps) {
  const auto [id, script] = spawn();
  wake(id, "changed");
  settle();
  EXPECT_EQ(value("troupe_history_bytes"), static_cast<double>(history_.bytes()));
  EXPECT_EQ(value("troupe_capacity_limit{resource=\"history_bytes\"}"),
            static_cast<double>(history_.budget()));
}

}  // namespace
}  // namespace troupe
