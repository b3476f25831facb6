// Makes Service addresses work, from the pods and from the machine: accepts TCP connections on each
// frontend and passes the bytes on to a backend by splice(2), without copying them through memory
// of ours. Runs on an IoThread; calls from other threads are posted there.
//
// A frontend without backends is closed, so clients are refused at once, as on a real cluster. A
// backend that refuses is skipped for the next one. An established connection stays until one side
// ends it, unless `cut` is set: then it is reset when its backend leaves the table.
#pragma once

#include <memory>

#include "k8s/sim/kubelet/io_thread.hpp"
#include "k8s/sim/kubelet/service_table.hpp"

namespace troupe::sim {

class ServiceForwarder {
 public:
  ServiceForwarder(IoThread& thread, bool cut);
  ~ServiceForwarder();
  ServiceForwarder(const ServiceForwarder&) = delete;
  ServiceForwarder& operator=(const ServiceForwarder&) = delete;

  void set_table(std::shared_ptr<const ForwardTable> table);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
