// A process's connection to the simulated API server: requests and streams that take their time,
// are lost on the way there or back, come twice, are refused, break, or are held up.
#pragma once

#include <map>
#include <memory>

#include "k8s/client/transport.hpp"
#include "k8s/sim/api/api_server.hpp"
#include "tests/sim/operator/process.hpp"

namespace troupe::operator_sim {

class Transport final : public k8s::Transport, public std::enable_shared_from_this<Transport> {
 public:
  explicit Transport(Process& process) : process_(process) {}

  k8s::CallId call(k8s::Request request, Done done) override;
  k8s::CallId stream(k8s::Request request, std::shared_ptr<k8s::StreamHandler> handler) override;
  void cancel(k8s::CallId id) override;
  void break_watches();
  // The process ends: nothing comes back any more.
  void close();

 private:
  class Stream;
  void send(k8s::CallId id, const k8s::Request& request, bool answered);
  void open(k8s::CallId id, const k8s::Request& request);
  void reply(k8s::CallId id, k8s::Reply reply);
  void fail(k8s::CallId id, Duration after);
  Duration latency();

  Process& process_;
  std::uint64_t next_ = 1;
  std::map<k8s::CallId, Done> calls_;
  std::map<k8s::CallId, std::shared_ptr<Stream>> streams_;
};

}  // namespace troupe::operator_sim
