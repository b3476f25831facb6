// What became of the requests to the API server, as client-go's users count them: by method and
// status. Thread-safe; the requests' own thread and whoever looks meet at a short lock.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "k8s/client/transport.hpp"
#include "runtime/latency_histogram.hpp"

namespace troupe::k8s {

inline constexpr std::array kMethods = {Method::Get, Method::Post, Method::Put, Method::Patch,
                                        Method::Delete};

class RequestCounters {
 public:
  struct Count {
    Method method = Method::Get;
    int status = 0;  // 0: there was no answer
    std::uint64_t requests = 0;
  };

  void count(Method method, int status);
  // Of a call, from its start until its answer is complete. Streams have none.
  void observe(Method method, Duration took) noexcept;

  std::vector<Count> counts() const;
  LatencyHistogram::Value latency(Method method) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<Method, int>, std::uint64_t> counts_;  // a server has few statuses
  std::array<LatencyHistogram, kMethods.size()> latencies_;
};

}  // namespace troupe::k8s
