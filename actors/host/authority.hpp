// What the operator makes up: certificates under its own authority, and passwords.
//
// The authority's keys lie in one Secret of the operator's namespace; what that Secret should be is
// decided in actors/authority/, and this holds what it was at last. So the keys outlive the Secret
// for as long as the process lives. Certificates last 90 days and are renewed at two thirds of
// that, each a little earlier by a random part, so that those of a fleet spread; ca.crt holds every
// authority that is still trusted. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "actors/model/effect.hpp"
#include "engines/agent/certificates.hpp"
#include "engines/agent/gateway.hpp"
#include "k8s/api/core.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors {

// By this name agents know the operator.
inline constexpr const char* kOperatorName = "troupe-operator";

class Authority {
 public:
  explicit Authority(const Clock& clock);
  ~Authority();

  // Takes what the Secret holds. A Secret that cannot be read changes nothing.
  Result<void> take(const k8s::SecretObject& secret);
  // False until a Secret was taken, or made.
  bool holds() const;

  // The Secret to be made, as JSON: of what is held, else of a new authority that has to be
  // introduced where others are `trusted`.
  Result<std::string> to_store(const StoreAuthority& request);
  // The step as a merge patch on the Secret. Code::Conflict where the step does not follow from
  // what is held.
  Result<std::string> to_advance(const AdvanceAuthority& request) const;

  std::string ca_pem() const;
  // The operator's own, for its connections to agents: the same until two thirds of its life are
  // over or the authorities change.
  Result<agent::TlsIdentity> identity();
  // Whether `identity` would give another one than last time.
  bool identity_is_due() const;

  // The Secret that was asked for, as JSON.
  Result<std::string> certificate(const IssueCertificate& request) const;
  Result<std::string> passwords(const MakePasswords& request) const;
  // A merge patch on a certificate's Secret.
  Result<std::string> trust(const TrustAuthorities& request) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::actors
