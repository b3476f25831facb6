// Handlers (exec, TCP, HTTP, sleep) run once with a deadline, and probes: handlers run again and
// again whose verdict changes only after a threshold of equal results. On the io_context's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "k8s/sim/kubelet/exec_session.hpp"
#include "k8s/sim/kubelet/pod_spec.hpp"
#include "runtime/model/result.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

struct HandlerTarget {
  std::string pod_ip;
  RuncContainer container;
};

// Under way until its callback ran; destroying it cancels it silently.
class HandlerRun {
 public:
  virtual ~HandlerRun() = default;
};
using HandlerCallback = std::function<void(Result<void>)>;

// The callback is never called from inside this call.
std::unique_ptr<HandlerRun> run_handler(boost::asio::io_context& io, const Handler& handler,
                                        const HandlerTarget& target,
                                        std::chrono::milliseconds deadline,
                                        HandlerCallback callback);

// GET with these headers; success is a status from 200 to 399. Certificates are not verified, as
// the kubelet does not either.
std::unique_ptr<HandlerRun> run_http_handler(boost::asio::io_context& io, const HttpHandler& http,
                                             const std::string& pod_ip,
                                             std::chrono::milliseconds deadline,
                                             HandlerCallback callback);

class ProbeLoop {
 public:
  // Called with every failure's message (for the event), and when the verdict changes. The first
  // verdict is a change.
  struct Callbacks {
    std::function<void(const std::string& message)> failed;
    std::function<void(bool healthy)> verdict;
  };

  // `already_running` is how long the container has run: the initial delay counts from its start.
  ProbeLoop(boost::asio::io_context& io, ProbeSpec spec, HandlerTarget target,
            std::chrono::milliseconds already_running, Callbacks callbacks);
  ~ProbeLoop();
  ProbeLoop(const ProbeLoop&) = delete;
  ProbeLoop& operator=(const ProbeLoop&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
