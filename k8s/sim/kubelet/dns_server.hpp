// Answers the pods' DNS queries over UDP and TCP on one address, on an IoThread. Calls from other
// threads are posted there.
#pragma once

#include <memory>
#include <string>

#include "k8s/sim/kubelet/io_thread.hpp"
#include "k8s/sim/kubelet/service_table.hpp"
#include "runtime/model/result.hpp"

namespace troupe::sim {

class DnsServer {
 public:
  static Result<std::unique_ptr<DnsServer>> start(IoThread& thread, const std::string& address,
                                                  std::uint16_t port = 53);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  void set_names(std::shared_ptr<const NameTable> names);

 private:
  struct Impl;
  explicit DnsServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace troupe::sim
