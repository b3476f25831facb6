// The simulated cluster's own certificate authority and the server certificate that it signs.
//
// Made anew at each start, held in memory; only the CA's certificate leaves it, in the kubeconfig.
// Errors: Code::Fatal when OpenSSL refuses.
#pragma once

#include <string>
#include <vector>

#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::sim {

struct ServingCertificate {
  std::string ca_pem;
  std::string certificate_pem;
  Secret key_pem;
};

// `names` are DNS names and IP addresses that the certificate is valid for.
Result<ServingCertificate> make_serving_certificate(const std::vector<std::string>& names,
                                                    WallTime now);

// Random bytes from the operating system, as hex: for tokens.
Secret random_token();

}  // namespace troupe::sim
