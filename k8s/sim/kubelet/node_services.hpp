// What the pods of a runc node share. Everything lives as long as the kubelet; used on the API
// server's thread unless its own header says otherwise.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "k8s/sim/controllers/event_recorder.hpp"
#include "k8s/sim/controllers/object_cache.hpp"
#include "k8s/sim/kubelet/address_plan.hpp"
#include "k8s/sim/kubelet/container_env.hpp"
#include "k8s/sim/kubelet/death_watch.hpp"
#include "k8s/sim/kubelet/images.hpp"
#include "k8s/sim/kubelet/io_thread.hpp"
#include "k8s/sim/kubelet/pod_lifecycle.hpp"
#include "k8s/sim/kubelet/worker_pool.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

// A token for that service account of that namespace, bound to the pod.
using TokenIssuer =
    std::function<Result<Secret>(const std::string& ns, const std::string& service_account,
                                 const boost::json::value& pod, const TokenRequest& request)>;

struct NodeServices {
  boost::asio::io_context& io;
  LocalClient& api;
  const Clock& clock;
  EventRecorder& events;
  ObjectCaches& caches;
  WorkerPool& workers;
  IoThread& background;
  DeathWatch& deaths;
  ImageStore& images;
  AddressPool& addresses;
  AddressPlan plan;
  std::string tag;
  std::filesystem::path state_dir;
  BackoffLimits backoff;
  TokenIssuer issue_token;
  std::uint64_t next_link = 0;
};

}  // namespace troupe::sim
