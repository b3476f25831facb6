// The simulated Kubernetes API server as a synchronous state machine: a request and the time go in,
// an answer comes out. No sockets, no clock, no threads; all chance comes from the seed.
//
// The socket shell (k8s/sim/server.hpp) and simulations feed it. After handle(), a write through a
// LocalClient, or tick(), everything that follows from it has happened: watchers have been told,
// dependents of deleted owners are gone, a new CRD is served. tick() is for what only time brings:
// bookmarks, ends of watches, injected cuts and compaction; call it at least once a second.
//
// Not thread-safe: one thread, that of the shell. Sinks and LocalClient callbacks run on it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "k8s/sim/api/http.hpp"
#include "k8s/sim/api/node_call.hpp"
#include "k8s/sim/api/options.hpp"
#include "k8s/sim/api/reader.hpp"
#include "k8s/sim/api/status.hpp"
#include "k8s/sim/local_client.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

// How a shell has to treat a request.
enum class RequestKind {
  Plain,  // handle()
  Watch,  // open_watch()
  Node,   // node_call(), then the NodeApi
};

class ApiServer {
 public:
  explicit ApiServer(ApiServerOptions options);
  ~ApiServer();

  RequestKind classify(const Request& request) const;
  Response handle(const Request& request, WallTime now);

  // A watch, or the answer that refuses it. The first lines may come before this returns. The
  // session must not outlive the server; destroying it ends the watch.
  std::variant<Response, std::unique_ptr<WatchSession>> open_watch(const Request& request,
                                                                   std::shared_ptr<WatchSink> sink,
                                                                   WallTime now);

  // logs, exec, attach and port-forward: which container, and how; or the refusal.
  std::variant<Response, NodeCall> node_call(const Request& request, WallTime now);

  void tick(WallTime now);
  // Work is left that tick() would do at once: the shell need not wait for its next second.
  bool has_work() const;

  // Forgets the history: watches and lists from older resourceVersions get 410 from now on.
  void compact();

  // In-process access, as manager `manager`. `wall` gives the time of each call. Must not outlive
  // the server.
  std::unique_ptr<LocalClient> local_client(std::string manager, std::function<WallTime()> wall);

  // A service account's token, as its token subresource would issue it: for the kubelet.
  Result<Secret> issue_token(const std::string& ns, const std::string& service_account,
                             const std::vector<std::string>& audiences,
                             std::chrono::seconds lifetime, WallTime now);

  // pods/binding, for the scheduler.
  Result<void> bind_pod(const std::string& ns, const std::string& pod, const std::string& node,
                        WallTime now);

  // For a shell that learns its port only after it listens: the endpoint of "kubernetes".
  void advertise(const std::string& address, std::uint16_t port, WallTime now);

  std::uint64_t revision() const;
  std::size_t watch_count() const;

 private:
  class Impl;
  friend class InProcessClient;
  std::unique_ptr<Impl> impl_;
};

// An error as the answer to a request.
Response error_response(const ApiError& error);

}  // namespace troupe::sim
