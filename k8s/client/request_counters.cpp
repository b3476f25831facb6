#include "k8s/client/request_counters.hpp"

namespace troupe::k8s {

void RequestCounters::count(Method method, int status) {
  const std::scoped_lock lock(mutex_);
  ++counts_[{method, status}];
}

void RequestCounters::observe(Method method, Duration took) noexcept {
  latencies_[static_cast<std::size_t>(method)].observe(took);
}

std::vector<RequestCounters::Count> RequestCounters::counts() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Count> out;
  for (const auto& [key, requests] : counts_) out.push_back({key.first, key.second, requests});
  return out;
}

LatencyHistogram::Value RequestCounters::latency(Method method) const {
  return latencies_[static_cast<std::size_t>(method)].value();
}

}  // namespace troupe::k8s
