// A MySQL server that is nobody's Unit, as a Secret describes it: the keys HOST, PORT, USER and
// PASSWORD, as they are, and CA if its certificate is to be verified. Keys of other operators
// (INIT_USER, INIT_PASSWORD) are not needed and not read.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "k8s/api/core.hpp"
#include "k8s/api/snapshot.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"

namespace troupe::actors {

struct ExternalSource {
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  Secret password;
  std::string ca_pem;  // empty: whatever certificate it shows is taken

  bool operator==(const ExternalSource&) const = default;
};
BOOST_DESCRIBE_STRUCT(ExternalSource, (), (host, port, user, password, ca_pem))

// Errors name the Secret and every key that is missing or bad, and nothing of a value.
Result<ExternalSource> external_source_of(const k8s::ObjectPtr<k8s::SecretObject>& secret,
                                          std::string_view name);

}  // namespace troupe::actors
