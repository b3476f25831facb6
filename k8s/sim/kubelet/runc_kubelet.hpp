// The kubelet that runs pods as real containers (`--kubelet runc`). It stands for all
// nodes of the simulated cluster: they are one machine. Needs root, runc, iproute2 and overlayfs.
//
// On the API server's thread; what blocks runs on a small pool of its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "k8s/sim/kubelet/node_services.hpp"
#include "k8s/sim/node_api.hpp"

namespace troupe::sim {

struct RuncKubeletOptions {
  std::filesystem::path state_dir;  // absolute
  AddressPlan plan;
  int nodes = 1;
  std::vector<std::pair<std::string, std::filesystem::path>> images;
  BackoffLimits backoff;
  TokenIssuer issue_token;
};

class RuncKubelet final : public NodeApi {
 public:
  // Subscribes to the caches; start them afterwards.
  RuncKubelet(LocalClient& api, boost::asio::io_context& io, const Clock& clock,
              EventRecorder& events, ObjectCaches& caches, IoThread& background,
              RuncKubeletOptions options);
  ~RuncKubelet() override;

  // Clears what an earlier run left and makes the cluster's network. Blocks for a moment.
  Result<void> start();
  // Kills everything and clears it away; volumes and logs stay. Blocks.
  void stop();

  void map_image(std::string name, std::filesystem::path root);

  Result<std::unique_ptr<NodeSession>> logs(const ContainerRef& container,
                                            const LogOptions& options,
                                            std::shared_ptr<LogSink> sink) override;
  Result<std::unique_ptr<ExecSession>> exec(const ContainerRef& container,
                                            const ExecOptions& options,
                                            std::shared_ptr<ExecSink> sink) override;
  Result<std::unique_ptr<PortSession>> port_forward(const ContainerRef& pod, std::uint16_t port,
                                                    std::shared_ptr<PortSink> sink) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::sim
