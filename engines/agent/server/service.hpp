// The agent's gRPC face: its services and health, over mutual TLS with certificates that are
// re-read when they change.
//
// A caller needs a certificate of one of the authorities in ca.crt (two during a rotation) that
// names TROUPE_CLIENT_NAME: other units' agents hold certificates of the same authority and must
// not command this one. Watchers get the newest state after each change and each second.
#pragma once

#include <memory>
#include <string>

#include "engines/agent/server/agent.hpp"

namespace troupe::agent {

class Service {
 public:
  // Serves until destroyed; streams and running commands are cut off then.
  static Result<std::unique_ptr<Service>> start(Agent& agent);
  ~Service();

  int port() const;

 private:
  class Impl;
  explicit Service(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::agent
