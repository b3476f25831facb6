// /healthz, /readyz and /metrics, open to everybody who reaches the port. As with the components of
// Kubernetes: "ok" where all is well, a line a check where something fails or ?verbose asks for it.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/http_router.hpp"

namespace troupe {

class Metrics;

// Named conditions of being alive or ready. A check says what is wrong, or nothing; it runs on the
// server's thread at every probe, so it must be quick. Thread-safe.
class HealthChecks {
 public:
  using Check = std::function<std::string()>;

  void add(std::string name, Check check);

  struct Verdict {
    bool ok = true;
    std::string lines;  // one a check: "[+]name ok" or "[-]name failed: reason"
  };
  Verdict ask() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, Check>> checks_;
};

// All three must outlive the router's server.
void add_probes(http::Router& router, const HealthChecks& alive, const HealthChecks& ready,
                const Metrics& metrics);

}  // namespace troupe
