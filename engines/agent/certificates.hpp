// The certificates by which the operator and its agents know each other.
//
// An authority of our own (ECDSA P-256) signs a server certificate for each agent and a client
// certificate for the operator. Leaves live 90 days and are renewed at two thirds of that; so are
// authorities, of three years. While one authority succeeds another both are trusted, everywhere,
// before the new one signs anything. Values in, values out: the time is an argument, keys and
// serial numbers come from OpenSSL's generator.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/model/result.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::agent {

inline constexpr Duration kLeafLifetime = std::chrono::hours(24 * 90);
inline constexpr Duration kAuthorityLifetime = std::chrono::hours(24 * 365 * 3);
// Between trusting a new authority and signing with it: every agent has re-read its files by then.
inline constexpr Duration kTrustBeforeUse = std::chrono::hours(24);

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
// Whether two thirds of its life are over.
bool renewal_is_due(const CertificateFacts& facts, WallTime now);
// Whether `leaf` was signed by `authority` (both PEM).
Result<bool> is_signed_by(const std::string& leaf, const std::string& authority);

// One authority, or two while the newer succeeds the older. Kept in a Secret by the operator.
struct Authorities {
  CertifiedKey current;               // signs
  std::optional<CertifiedKey> other;  // trusted: the next one, or the last one

  std::string bundle() const;  // for ca.crt
};

// What to do about them now: a successor that is made, begins to sign, or is alone at last. The
// same value when nothing is due. `name` is for a new authority.
Result<Authorities> rotated(const Authorities& authorities, const std::string& name, WallTime now);

}  // namespace troupe::agent
