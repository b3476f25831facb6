// What a cluster does for its namespaces: each gets a default service account and the cluster's CA,
// and one that is deleted loses its content first.
#pragma once

#include <set>
#include <string>

#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/writer.hpp"

namespace troupe::sim {

class NamespaceKeeper {
 public:
  explicit NamespaceKeeper(Core& core);

  bool has_work() const { return !dirty_.empty(); }
  void work(Writer& writer, WallTime now);

 private:
  void furnish(const std::string& name, Writer& writer, WallTime now);
  void empty_out(const std::string& name, Writer& writer, WallTime now);

  Core& core_;
  std::set<std::string> dirty_;
  std::set<std::string, std::less<>> terminating_;
};

}  // namespace troupe::sim
