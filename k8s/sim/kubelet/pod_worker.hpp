// One pod on a runc node: carries out what decide_pod() says and books what happened. Everything on
// the API server's thread; what blocks goes to the worker pool and comes back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "k8s/sim/kubelet/node_services.hpp"
#include "k8s/sim/node_api.hpp"

namespace troupe::sim {

class PodWorker {
 public:
  // `forgotten` is called (posted, once) when nothing of the pod is left on the node.
  PodWorker(NodeServices& services, CachedObject pod, std::function<void()> forgotten);
  ~PodWorker();
  PodWorker(const PodWorker&) = delete;
  PodWorker& operator=(const PodWorker&) = delete;

  // A newer version of the pod's object.
  void update(CachedObject pod);
  // The object is gone from the API server: everything is killed at once.
  void object_gone();
  // A ConfigMap, Secret, claim or volume of the pod's namespace changed.
  void dependency_changed(std::string_view resource, std::string_view name);
  // What waits for an image may try again.
  void images_changed();
  // Renews tokens that are near their end.
  void refresh_volumes();

  Result<std::unique_ptr<NodeSession>> logs(std::string_view container, const LogOptions& options,
                                            std::shared_ptr<LogSink> sink);
  Result<std::unique_ptr<ExecSession>> exec(std::string_view container, const ExecOptions& options,
                                            std::shared_ptr<ExecSink> sink);
  Result<std::unique_ptr<PortSession>> port_forward(std::uint16_t port,
                                                    std::shared_ptr<PortSink> sink);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
