// The kubeconfig that lets kubectl and other clients reach a simulated server.
#pragma once

#include <string>

#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::sim {

struct KubeconfigEntry {
  std::string server;  // "https://127.0.0.1:6443"
  std::string ca_pem;  // empty over plain HTTP
  Secret token;
};

std::string kubeconfig_text(const KubeconfigEntry& entry);

// Replaces the file as a whole, readable by its owner only.
Result<void> write_kubeconfig(const std::string& path, const KubeconfigEntry& entry);

}  // namespace troupe::sim
