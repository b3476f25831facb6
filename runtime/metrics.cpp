#include "runtime/metrics.hpp"

#include <dirent.h>
#include <prometheus/family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <mutex>
#include <sstream>

#include "runtime/actors.hpp"
#include "runtime/history.hpp"
#include "runtime/http_server.hpp"
#include "runtime/http_verdicts.hpp"
#include "runtime/model/process_stat.hpp"
#include "runtime/timers.hpp"

namespace troupe {
namespace {

// A number of this process's line in /proc as it is now; 0 where it cannot be read.
double of_this_process(std::size_t field) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto stat = ProcessStat::parse(line);
  return stat ? static_cast<double>(stat->number<std::uint64_t>(field).value_or(0)) : 0;
}

// Seconds since 1970 at which the machine started.
double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string key; file >> key;) {
    if (key == "btime") {
      double seconds = 0;
      file >> seconds;
      return seconds;
    }
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

double open_descriptors() {
  DIR* dir = opendir("/proc/self/fd");
  if (!dir) return 0;
  double n = -1;  // the one of this walk
  while (const dirent* entry = readdir(dir))
    if (entry->d_name[0] != '.') ++n;
  closedir(dir);
  return n;
}

}  // namespace

void Samples::add(const std::string& name, const std::string& help, prometheus::MetricType type,
                  prometheus::ClientMetric metric, Labels&& labels) {
  for (auto& [key, value] : labels) metric.label.push_back({key, std::move(value)});
  auto family = std::find_if(families_.begin(), families_.end(),
                             [&](const auto& f) { return f.name == name; });
  if (family == families_.end())
    family = families_.insert(family, prometheus::MetricFamily{name, help, type, {}});
  family->metric.push_back(std::move(metric));
}

void Samples::counter(const std::string& name, const std::string& help, double value,
                      Labels labels) {
  prometheus::ClientMetric metric;
  metric.counter.value = value;
  add(name, help, prometheus::MetricType::Counter, std::move(metric), std::move(labels));
}

void Samples::gauge(const std::string& name, const std::string& help, double value, Labels labels) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  add(name, help, prometheus::MetricType::Gauge, std::move(metric), std::move(labels));
}

void Samples::latency(const std::string& name, const std::string& help,
                      const LatencyHistogram::Value& value, Labels labels) {
  prometheus::ClientMetric metric;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    cumulative += value.counts[i];
    const auto bound = i < LatencyHistogram::kBounds.size()
                           ? LatencyHistogram::kBounds[i]
                           : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = value.sum_seconds;
  add(name, help, prometheus::MetricType::Histogram, std::move(metric), std::move(labels));
}

void Samples::capacity(const std::string& resource, double used, double limit,
                       std::optional<double> refused) {
  const Labels labels{{"resource", resource}};
  gauge("troupe_capacity_used", "How much of something bounded is in use", used, labels);
  gauge("troupe_capacity_limit", "How much of it there is", limit, labels);
  if (refused)
    counter("troupe_capacity_refused_total", "What did not fit any more", *refused, labels);
}

struct Metrics::Impl {
  struct Latency {
    std::string name;
    std::string help;
    Labels labels;
    LatencyHistogram histogram;
  };

  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  mutable std::mutex mutex;  // of what follows
  std::vector<std::unique_ptr<Latency>> latencies;
  std::vector<Collector> collectors;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

prometheus::Counter& Metrics::counter(const std::string& name, const std::string& help,
                                      const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry).Add(labels);
}

prometheus::Gauge& Metrics::gauge(const std::string& name, const std::string& help,
                                  const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry).Add(labels);
}

LatencyHistogram& Metrics::latency(const std::string& name, const std::string& help,
                                   const Labels& labels) {
  const std::scoped_lock lock(impl_->mutex);
  for (const auto& one : impl_->latencies)
    if (one->name == name && one->labels == labels) return one->histogram;
  auto& added = impl_->latencies.emplace_back(std::make_unique<Impl::Latency>());
  added->name = name;
  added->help = help;
  added->labels = labels;
  return added->histogram;
}

void Metrics::collect(Collector collector) {
  const std::scoped_lock lock(impl_->mutex);
  impl_->collectors.push_back(std::move(collector));
}

std::string Metrics::text() const {
  Samples samples;
  {
    const std::scoped_lock lock(impl_->mutex);
    for (const auto& one : impl_->latencies)
      samples.latency(one->name, one->help, one->histogram.value(), one->labels);
    for (const auto& collector : impl_->collectors) collector(samples);
  }
  auto families = impl_->registry.Collect();
  for (auto& family : samples.take()) families.push_back(std::move(family));
  std::sort(families.begin(), families.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return prometheus::TextSerializer().Serialize(families);
}

prometheus::Gauge& leader_status(Metrics& metrics, const std::string& lease) {
  return metrics.gauge("leader_election_master_status", "1 while this process holds the Lease",
                       {{"name", lease}});
}

namespace {

double number(std::uint64_t value) { return static_cast<double>(value); }

double number(const std::atomic<std::uint64_t>& value) {
  return number(value.load(std::memory_order_relaxed));
}

void sample_runs(Samples& out, const KindActivity& kind) {
  const Labels controller{{"controller", kind.kind}};
  const auto runs = [&](const char* result, double count) {
    out.counter("controller_runtime_reconcile_total", "Runs of a kind's actors by result", count,
                {{"controller", kind.kind}, {"result", result}});
  };
  runs("success", number(kind.succeeded));
  runs("requeue_after", number(kind.succeeded_with_wake));
  runs("error", number(kind.faults));
  out.counter("controller_runtime_reconcile_errors_total", "Runs that ended with an exception",
              number(kind.faults), controller);
  out.latency("controller_runtime_reconcile_time_seconds",
              "Time of a run: look, decide, hand out effects", kind.took.value(), controller);
  out.gauge("controller_runtime_active_workers", "Actors that run at this moment",
            number(kind.running), controller);
}

void sample_queue(Samples& out, const KindActivity& kind) {
  const Labels queue{{"name", kind.kind}, {"controller", kind.kind}};
  out.gauge("workqueue_depth", "Actors that wait to run", number(kind.waiting), queue);
  out.counter("workqueue_adds_total", "Times that an actor began to wait for its run",
              number(kind.queued), queue);
  out.counter("workqueue_retries_total", "Effects started again after they had failed",
              number(kind.retries), queue);
  out.latency("workqueue_queue_duration_seconds", "Time from what woke an actor to its run",
              kind.waited.value(), queue);
}

void sample_actors(Samples& out, const KindActivity& kind) {
  const Labels labels{{"controller", kind.kind}};
  out.gauge("troupe_actors", "Object actors alive", number(kind.actors), labels);
  out.gauge("troupe_actors_quarantined", "Object actors set aside after repeated faults",
            number(kind.quarantined), labels);
  out.counter("troupe_causes_merged_total", "Causes merged as an actor's slot was full",
              number(kind.merged), labels);
}

}  // namespace

void collect_actors(Metrics& metrics, const Actors& actors, const History& history) {
  metrics.collect([&actors, &history](Samples& out) {
    double alive = 0;
    for (const auto* kind : actors.kinds()) {
      sample_runs(out, *kind);
      sample_queue(out, *kind);
      sample_actors(out, *kind);
      alive += number(kind->actors);
    }
    out.capacity("actors", alive, static_cast<double>(Actors::kMaxActors));
    out.capacity("history_bytes", number(history.budgeted_bytes()), number(history.budget()));
    out.gauge("troupe_history_bytes", "Memory that the actors' histories take",
              number(history.bytes()));
    out.counter("troupe_history_evicted_total", "Records dropped to stay within the budget",
                number(history.evicted()));
  });
}

void collect_timers(Metrics& metrics, const TimerThread& timers) {
  metrics.collect([&timers](Samples& out) {
    out.gauge("troupe_timers", "Actors that are to be woken at a set time", number(timers.size()));
  });
}

void collect_server(Metrics& metrics, const http::Server& server) {
  metrics.collect([&server](Samples& out) {
    const auto t = server.totals();
    out.counter("troupe_http_requests_total", "Requests to this endpoint", number(t.requests));
    out.counter("troupe_http_failures_total", "Requests answered with 5xx", number(t.failures));
    out.capacity("http_connections", number(t.connections), number(t.max_connections),
                 number(t.refused_connections));
    out.capacity("http_streams", number(t.streams), number(t.max_streams),
                 number(t.refused_streams));
  });
}

void collect_verdicts(Metrics& metrics, const http::Verdicts& verdicts) {
  metrics.collect([&verdicts](Samples& out) {
    // In the order of Decision::Verdict.
    constexpr const char* kNames[] = {"allowed", "unauthenticated", "forbidden", "unavailable"};
    const auto t = verdicts.totals();
    for (std::size_t i = 0; i < t.decided.size(); ++i)
      out.counter("troupe_http_token_verdicts_total", "Requests with a token, by the verdict on it",
                  number(t.decided[i]), {{"verdict", kNames[i]}});
    out.counter("troupe_http_token_reviews_total", "Tokens that the API server was asked about",
                number(t.asked));
    out.capacity("token_reviews", number(t.under_way), number(verdicts.options().max_under_way),
                 number(t.refused));
    out.capacity("token_verdicts", number(t.kept), number(verdicts.options().max_kept));
  });
}

std::uint64_t resident_bytes() {
  return static_cast<std::uint64_t>(of_this_process(ProcessStat::kResidentSize)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void collect_process(Metrics& metrics) {
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const double start = boot_time() + of_this_process(ProcessStat::kStartTime) / ticks;
  metrics.collect([ticks, page, start](Samples& out) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    out.counter(
        "process_cpu_seconds_total", "User and system CPU time spent, in seconds",
        (of_this_process(ProcessStat::kUserTime) + of_this_process(ProcessStat::kSystemTime)) /
            ticks);
    out.gauge("process_resident_memory_bytes", "Resident memory size in bytes",
              of_this_process(ProcessStat::kResidentSize) * page);
    out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes",
              of_this_process(ProcessStat::kVirtualSize));
    out.gauge("process_start_time_seconds", "Start of the process, seconds since 1970", start);
    out.gauge("process_open_fds", "Open file descriptors", open_descriptors());
    out.gauge("process_max_fds", "Most file descriptors it may open",
              static_cast<double>(limit.rlim_cur));
  });
}

void set_build_info(Metrics& metrics, const std::string& version) {
  metrics.gauge("troupe_build_info", "1; the labels say what runs", {{"version", version}}).Set(1);
}

}  // namespace troupe
