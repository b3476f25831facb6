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

namespace troupe {
namespace {

// Fields of /proc/self/stat from the third on ("state"), as proc(5) numbers them.
std::vector<std::string> process_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');  // the name may hold spaces and parentheses
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  std::vector<std::string> fields(3);
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

double number(const std::vector<std::string>& fields, std::size_t index) {
  return index < fields.size() ? std::strtod(fields[index].c_str(), nullptr) : 0;
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

constexpr std::size_t kUtime = 14, kStime = 15, kStart = 22, kVsize = 23, kRss = 24;

}  // namespace

void LatencyHistogram::observe(Duration took) noexcept {
  const auto seconds = std::chrono::duration<double>(took).count();
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)),
                         std::memory_order_relaxed);
}

LatencyHistogram::Value LatencyHistogram::value() const {
  Value out;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    out.counts[i] = counts_[i].load(std::memory_order_relaxed);
  out.sum_seconds = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
  return out;
}

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

namespace {

prometheus::Counter& reconcile_total(Metrics& metrics, const std::string& kind,
                                     const std::string& result) {
  return metrics.counter("controller_runtime_reconcile_total", "Runs of a kind's actors by result",
                         {{"controller", kind}, {"result", result}});
}

}  // namespace

RunMetrics::RunMetrics(Metrics& metrics, const std::string& kind)
    : success_(reconcile_total(metrics, kind, "success")),
      requeue_after_(reconcile_total(metrics, kind, "requeue_after")),
      error_(reconcile_total(metrics, kind, "error")),
      errors_(metrics.counter("controller_runtime_reconcile_errors_total",
                              "Runs of a kind's actors that threw", {{"controller", kind}})),
      seconds_(metrics.latency("controller_runtime_reconcile_time_seconds",
                               "Time of a run: absorb, decide, hand out effects",
                               {{"controller", kind}})) {}

void RunMetrics::observe(Result result, Duration took) noexcept {
  switch (result) {
    case Result::Success:
      success_.Increment();
      break;
    case Result::RequeueAfter:
      requeue_after_.Increment();
      break;
    case Result::Error:
      error_.Increment();
      errors_.Increment();
      break;
  }
  seconds_.observe(took);
}

namespace {

class MeasuredLogic final : public Logic {
 public:
  MeasuredLogic(std::unique_ptr<Logic> logic, RunMetrics& metrics, const Clock& clock)
      : logic_(std::move(logic)), metrics_(metrics), clock_(clock) {}

  void absorb(std::span<const Cause> causes, TimePoint now) noexcept override {
    logic_->absorb(causes, now);
  }
  Outcome run(std::span<const Cause> causes, TimePoint now) override {
    try {
      auto outcome = logic_->run(causes, now);
      metrics_.observe(outcome.wake == TimePoint::max() ? RunMetrics::Result::Success
                                                        : RunMetrics::Result::RequeueAfter,
                       clock_.now() - now);
      return outcome;
    } catch (...) {
      metrics_.observe(RunMetrics::Result::Error, clock_.now() - now);
      throw;
    }
  }
  void faulted(const std::string& what, bool quarantined, CausalId id) noexcept override {
    logic_->faulted(what, quarantined, id);
  }
  std::string state_json() const override { return logic_->state_json(); }

 private:
  std::unique_ptr<Logic> logic_;
  RunMetrics& metrics_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Logic> measured(std::unique_ptr<Logic> logic, RunMetrics& metrics,
                                const Clock& clock) {
  return std::make_unique<MeasuredLogic>(std::move(logic), metrics, clock);
}

prometheus::Counter& rest_client_requests(Metrics& metrics, const std::string& host,
                                          const std::string& method, const std::string& code) {
  return metrics.counter("rest_client_requests_total", "Requests to the API server",
                         {{"code", code}, {"host", host}, {"method", method}});
}

prometheus::Gauge& leader_status(Metrics& metrics, const std::string& lease) {
  return metrics.gauge("leader_election_master_status", "1 while this process holds the Lease",
                       {{"name", lease}});
}

void collect_actors(Metrics& metrics, const Actors& actors, const History& history) {
  metrics.collect([&actors, &history](Samples& out) {
    const auto t = actors.totals();
    const auto n = [](std::uint64_t value) { return static_cast<double>(value); };
    out.gauge("troupe_actors", "Object actors alive", n(t.actors));
    out.gauge("troupe_actors_quarantined", "Object actors in quarantine", n(t.quarantined));
    out.gauge("workqueue_depth", "Object actors that wait to run", n(t.queued),
              {{"name", "actors"}});
    out.counter("troupe_actor_runs_total", "Runs of object actors", n(t.runs));
    out.counter("troupe_actor_faults_total", "Runs that ended with an exception", n(t.faults));
    out.counter("troupe_actor_run_seconds_total", "Time spent in runs", n(t.run_nanoseconds) / 1e9);
    out.counter("troupe_causes_merged_total", "Causes merged as an actor's slot was full",
                n(t.merged_causes));
    out.gauge("troupe_history_bytes", "Memory that the actors' histories take", n(history.bytes()));
    out.counter("troupe_history_evicted_total", "Records dropped from full histories",
                n(history.evicted()));
  });
}

std::uint64_t resident_bytes() {
  return static_cast<std::uint64_t>(number(process_stat(), kRss)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void collect_process(Metrics& metrics) {
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double page = static_cast<double>(sysconf(_SC_PAGESIZE));
  const double start = boot_time() + number(process_stat(), kStart) / ticks;
  metrics.collect([ticks, page, start](Samples& out) {
    const auto stat = process_stat();
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    out.counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds",
                (number(stat, kUtime) + number(stat, kStime)) / ticks);
    out.gauge("process_resident_memory_bytes", "Resident memory size in bytes",
              number(stat, kRss) * page);
    out.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes", number(stat, kVsize));
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
