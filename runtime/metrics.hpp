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

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/latency_histogram.hpp"

namespace troupe {

class Actors;
class History;
class TimerThread;
namespace http {
class Server;
class Verdicts;
}  // namespace http

using Labels = std::map<std::string, std::string>;

// Takes in what a collector reads elsewhere, during one scrape.
class Samples {
 public:
  void counter(const std::string& name, const std::string& help, double value, Labels labels = {});
  void gauge(const std::string& name, const std::string& help, double value, Labels labels = {});
  void latency(const std::string& name, const std::string& help,
               const LatencyHistogram::Value& value, Labels labels = {});
  // troupe_capacity_used, _limit and, where it can be full, _refused_total of one bounded thing: a
  // queue, a pool, a budget. One alert on their ratio covers all of them.
  void capacity(const std::string& resource, double used, double limit,
                std::optional<double> refused = std::nullopt);
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

// leader_election_master_status: 1 while this process holds the Lease.
prometheus::Gauge& leader_status(Metrics& metrics, const std::string& lease);

// What the actors of each kind do, under controller-runtime's names where they mean the same (a
// run is a reconciliation, `controller` the kind), and what their histories and timers hold. All
// must outlive the last scrape, as with everything collected here.
void collect_actors(Metrics& metrics, const Actors& actors, const History& history);
void collect_timers(Metrics& metrics, const TimerThread& timers);
// troupe_http_*: what the endpoint itself does.
void collect_server(Metrics& metrics, const http::Server& server);
void collect_verdicts(Metrics& metrics, const http::Verdicts& verdicts);
// process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds and so on: Prometheus'
// names for every process, from /proc/self.
void collect_process(Metrics& metrics);
void set_build_info(Metrics& metrics, const std::string& version);

// Resident memory of this process, 0 where /proc does not say.
std::uint64_t resident_bytes();

}  // namespace troupe
