// Commands run inside a running container by `runc exec`, and connections into a pod: what kubectl
// exec and port-forward need, and the exec probes. All on the io_context's thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "k8s/sim/node_api.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::sim {

// Where a container is to be found by runc.
struct RuncContainer {
  std::filesystem::path runc_root;
  std::string id;
};

Result<std::unique_ptr<ExecSession>> start_exec(boost::asio::io_context& io,
                                                const RuncContainer& container,
                                                const ExecOptions& options,
                                                std::shared_ptr<ExecSink> sink);

std::unique_ptr<PortSession> start_port_forward(boost::asio::io_context& io,
                                                const std::string& address, std::uint16_t port,
                                                std::shared_ptr<PortSink> sink);

}  // namespace troupe::sim
