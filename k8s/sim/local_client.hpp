// In-process access to the simulated API server for the parts of a cluster that run beside it:
// the kubelet, the scheduler, the volume provisioner, the endpoints and Service controllers.
//
// Same rules as over HTTP (validation, resourceVersion conflicts, finalizers, watches), without
// sockets. Every call and every watch callback happens on the API server's own thread; callers on
// other threads post to it. Objects are whole Kubernetes objects (apiVersion, kind, metadata, ...).
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/model/result.hpp"

namespace troupe::sim {

enum class WatchEventType { Added, Modified, Deleted };

// Ends its watch when destroyed.
class LocalWatch {
 public:
  virtual ~LocalWatch() = default;
};

struct DeleteOptions {
  std::optional<std::int64_t> grace_period_seconds;
  std::string uid;               // precondition; empty: none
  std::string resource_version;  // precondition; empty: none
};

class LocalClient {
 public:
  virtual ~LocalClient() = default;

  // `resource` is a GroupResource as kubectl writes it: "pods", "leases.coordination.k8s.io".
  // An empty `ns` means cluster-scoped, or all namespaces in list and watch.
  using Value = boost::json::value;

  virtual Result<Value> get(std::string_view resource, std::string_view ns,
                            std::string_view name) = 0;
  virtual Result<boost::json::array> list(std::string_view resource, std::string_view ns,
                                          std::string_view label_selector = {}) = 0;
  virtual Result<Value> create(std::string_view resource, std::string_view ns, Value object) = 0;
  // Optimistic: metadata.resourceVersion in `object` must be current, else Code::Conflict.
  virtual Result<Value> update(std::string_view resource, std::string_view ns, Value object) = 0;
  virtual Result<Value> update_status(std::string_view resource, std::string_view ns,
                                      Value object) = 0;
  // RFC 7386 merge patch; `subresource` is "" or "status".
  virtual Result<Value> merge_patch(std::string_view resource, std::string_view ns,
                                    std::string_view name, std::string_view subresource,
                                    Value patch) = 0;
  virtual Result<void> remove(std::string_view resource, std::string_view ns, std::string_view name,
                              DeleteOptions options = {}) = 0;

  // Calls back with Added for everything that exists, then with each change, in order.
  using WatchSink = std::function<void(WatchEventType, const Value& object)>;
  virtual std::unique_ptr<LocalWatch> watch(std::string_view resource, std::string_view ns,
                                            WatchSink sink) = 0;
};

}  // namespace troupe::sim
