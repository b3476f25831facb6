#include "runtime/latency_histogram.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace troupe {

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

std::uint64_t LatencyHistogram::Value::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace troupe
