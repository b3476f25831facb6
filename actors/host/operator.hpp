// The operator as a whole: every part made, connected, started and stopped in the right order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "actors/host/fault_point.hpp"
#include "actors/host/registry.hpp"
#include "actors/model/sight.hpp"
#include "k8s/client/config.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::actors {

struct OperatorOptions {
  k8s::ClientConfig cluster;
  std::span<const RegisteredKind> kinds = registered_kinds();
  std::vector<std::string> namespaces;  // empty: all
  std::string listen = "127.0.0.1:8080";
  bool leader_elect = false;
  unsigned threads = 0;  // of actors; 0: as many as the cgroup has CPUs
  Settings settings;
  // Without its watches for longer, it is not ready. A restart of the API server and a backoff's
  // pause (10 s at most) together are shorter.
  Duration watch_patience = std::chrono::seconds(30);
  std::string version;
  std::optional<FaultPoint> fault_point;  // for tests of the operator that follows
  // How many lines the log has lost; from any thread.
  std::function<std::uint64_t()> dropped_log_lines = [] { return std::uint64_t{0}; };
};

class Operator {
 public:
  // Connects and begins to watch. Fails when the address to listen on or the configuration is no
  // good; an API server that is away is waited for.
  static Result<std::unique_ptr<Operator>> start(OperatorOptions options);
  ~Operator();

  // "http://127.0.0.1:8080"
  std::string url() const;
  // Gives the Lease back, lets actors end their runs, closes connections.
  void stop();

 private:
  struct Impl;
  explicit Operator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::actors
