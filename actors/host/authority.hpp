// What the operator makes up: certificates under its own authority, and passwords.
//
// The authorities' keys lie in one Secret of the operator's namespace, made at the first start and
// succeeded in time (engines/agent/certificates.hpp). Units' certificates last 90 days and are
// renewed at two thirds; ca.crt holds every authority that is still trusted. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/model/effect.hpp"
#include "engines/agent/certificates.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors {

class Authority {
 public:
  explicit Authority(const Clock& clock);
  ~Authority();

  // What the Secret holds: texts by key. Empty: there is none yet, and one is made.
  using Stored = std::vector<std::pair<std::string, std::string>>;
  Result<void> load(const Stored& stored);
  // What the Secret should hold, with a successor where one is due.
  Result<Stored> to_store() const;

  std::string ca_pem() const;
  // The operator's own, for its connections to agents.
  Result<agent::CertifiedKey> operator_identity() const;

  // The Secret that was asked for, as JSON.
  Result<std::string> certificate(const IssueCertificate& request) const;
  Result<std::string> passwords(const MakePasswords& request) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::actors
