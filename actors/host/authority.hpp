// What the operator makes up: certificates under its own authority, and passwords.
//
// The authority's key lies in a Secret of the operator's namespace, made at the first start. Units'
// certificates last 90 days and are renewed at two thirds; each Secret holds ca.crt with every
// authority that is still valid, so that one can follow another. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "actors/model/effect.hpp"
#include "runtime/model/result.hpp"

namespace troupe::actors {

class Authority {
 public:
  explicit Authority(const Clock& clock);
  ~Authority();

  // The Secret's data, once it has been read or made.
  Result<void> load(std::string_view certificate_pem, const Secret& key_pem);
  // A new authority: what to store in the Secret.
  struct Made {
    std::string certificate_pem;
    Secret key_pem;
  };
  Result<Made> make();
  bool ready() const;

  std::string ca_pem() const;
  // The operator's own certificate, for its connections to agents.
  struct Identity {
    std::string certificate_pem;
    Secret key_pem;
  };
  Result<Identity> operator_identity();

  // The Secret that holds what was asked for.
  Result<Apply> certificate(const IssueCertificate& request);
  Result<Apply> passwords(const MakePasswords& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace troupe::actors
