// The certificates by which the operator and its agents know each other.
//
// An authority of our own (ECDSA P-256) signs a server certificate for each Unit and a client
// certificate for the operator. Leaves live 90 days, authorities three years; both are renewed at
// two thirds of that. A leaf never outlives its issuer. Values in, values out: the time is an
// argument, keys and serial numbers come from OpenSSL's generator.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engines/agent/model/authority.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::agent {

// That one trusts at a time; beyond it something has gone wrong.
inline constexpr std::size_t kMaxAuthorities = 8;

struct CertifiedKey {
  std::string certificate;  // PEM
  Secret key;               // PEM, PKCS #8
};

enum class CertificateUse { Server, Client };

struct LeafRequest {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  CertificateUse use = CertificateUse::Server;
};

Result<CertifiedKey> make_authority(const std::string& name, WallTime now,
                                    Duration lifetime = kAuthorityLifetime);
Result<CertifiedKey> issue(const CertifiedKey& authority, const LeafRequest& leaf, WallTime now,
                           Duration lifetime = kLeafLifetime);

struct CertificateFacts {
  std::string common_name;
  std::string issuer;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;
  WallTime not_before;
  WallTime not_after;
};
// Of the first certificate in `pem`.
Result<CertificateFacts> facts_of(const std::string& pem);
// When two thirds of its life are over.
WallTime renewal_time(const CertificateFacts& facts);
// Whether `leaf` was signed by `authority` (both PEM).
Result<bool> is_signed_by(const std::string& leaf, const std::string& authority);
// Fails unless the key is the certificate's.
Result<void> is_pair(const CertifiedKey& both);
// Each certificate of a bundle by itself, in PEM without anything around it.
Result<std::vector<std::string>> certificates_in(const std::string& bundle);

// The authorities of an operator, as its Secret keeps them. The one that was made last signs in the
// end; what was trusted before stays in `others` until the stage is over.
struct Authorities {
  AuthorityStage stage = AuthorityStage::Steady;
  CertifiedKey signer;
  std::optional<CertifiedKey> next;  // trusted, signs from the next stage on
  std::vector<std::string> others;   // trusted and sign nothing any more; their keys may be lost

  std::string bundle() const;  // for ca.crt: all of them
};

// A first authority. Where others are trusted whose keys are lost, it has to be introduced.
Authorities founded(CertifiedKey signer, std::vector<std::string> trusted);
// The steps. Code::Conflict for one that does not follow from the stage.
Result<Authorities> introduced(Authorities authorities, CertifiedKey next);
Result<Authorities> signing(Authorities authorities);
Result<Authorities> retired(Authorities authorities);

}  // namespace troupe::agent
