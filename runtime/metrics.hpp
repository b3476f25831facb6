// The process's metrics, in Prometheus' text format.
//
// Counters and gauges are prometheus-cpp's, resolved once and kept by reference: they live as long
// as the Metrics. What is counted elsewhere already is sampled when somebody scrapes. Names that
// users of controller-runtime know are used where the meaning is the same, all others begin with
// "troupe_". Thread-safe; a wrong metric or label name throws, being a programming error.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/metric_family.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/model/time.hpp"

namespace troupe {

class Actors;
class Clock;
class History;
class Logic;

using Labels = std::map<std::string, std::string>;

// A histogram of durations whose observe() is two relaxed additions; prometheus-cpp's takes a
// mutex, which actors on several threads would meet at.
class LatencyHistogram {
 public:
  // Upper bounds in seconds: from a decision in memory to a backup's step.
  static constexpr std::array<double, 17> kBounds = {
      1e-5, 2.5e-5, 1e-4, 2.5e-4, 1e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60};

  void observe(Duration took) noexcept;

  struct Value {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};  // not cumulative; the last is +Inf
    double sum_seconds = 0;
  };
  Value value() const;

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

// Takes in what a collector reads elsewhere, during one scrape.
class Samples {
 public:
  void counter(const std::string& name, const std::string& help, double value, Labels labels = {});
  void gauge(const std::string& name, const std::string& help, double value, Labels labels = {});
  void latency(const std::string& name, const std::string& help,
               const LatencyHistogram::Value& value, Labels labels = {});
  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  void add(const std::string& name, const std::string& help, prometheus::MetricType type,
           prometheus::ClientMetric metric, Labels&& labels);
  std::vector<prometheus::MetricFamily> families_;
};

class Metrics {
 public:
  using Collector = std::function<void(Samples&)>;

  Metrics();
  ~Metrics();

  prometheus::Counter& counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  LatencyHistogram& latency(const std::string& name, const std::string& help,
                            const Labels& labels = {});
  // Called at each scrape, on the scraping thread, for as long as the Metrics live. Must be quick.
  void collect(Collector collector);

  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One kind's runs: controller_runtime_reconcile_total and its companions, `controller` being the
// kind. Resolve once a kind.
class RunMetrics {
 public:
  enum class Result : std::uint8_t { Success, RequeueAfter, Error };
  RunMetrics(Metrics& metrics, const std::string& kind);
  void observe(Result result, Duration took) noexcept;

 private:
  prometheus::Counter& success_;
  prometheus::Counter& requeue_after_;
  prometheus::Counter& error_;
  prometheus::Counter& errors_;
  LatencyHistogram& seconds_;
};

// The same logic, each run of it observed. All three must outlive the result.
std::unique_ptr<Logic> measured(std::unique_ptr<Logic> logic, RunMetrics& metrics,
                                const Clock& clock);

// rest_client_requests_total for one method of one API server. `code` is the HTTP status, or
// "<error>" when there was no answer, as client-go has it.
prometheus::Counter& rest_client_requests(Metrics& metrics, const std::string& host,
                                          const std::string& method, const std::string& code);
// leader_election_master_status: 1 while this process holds the Lease.
prometheus::Gauge& leader_status(Metrics& metrics, const std::string& lease);

// troupe_actors, troupe_actor_runs_total, workqueue_depth and so on. Both must outlive `metrics`.
void collect_actors(Metrics& metrics, const Actors& actors, const History& history);
// process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds and so on: Prometheus'
// names for every process, from /proc/self.
void collect_process(Metrics& metrics);
void set_build_info(Metrics& metrics, const std::string& version);

// Resident memory of this process, 0 where /proc does not say.
std::uint64_t resident_bytes();

}  // namespace troupe
