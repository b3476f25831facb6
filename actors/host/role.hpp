// What the operator may do in a cluster: the ClusterRole of config/rbac/role.yaml, made of the kinds
// that it runs and of what it does with Kubernetes' own. `./dev gen` writes it; a test compares it
// with what is committed, and with what the operator watches.
#pragma once

#include <span>
#include <string>

#include "actors/host/registry.hpp"

namespace troupe::actors {

// YAML.
std::string role_yaml(std::span<const RegisteredKind> kinds);

}  // namespace troupe::actors
