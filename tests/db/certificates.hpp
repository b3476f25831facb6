// Certificates for tests: an authority made on the spot and what it vouches for.
//
// Errors throw std::runtime_error.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace troupe::mysql::testing {

// Both in PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

Identity make_authority();
// For a server whose only name is `name`: "IP:127.0.0.1" or "DNS:db.example".
Identity issue(const Identity& authority, std::string_view name);

// SHA-1 in hexadecimal with colons.
std::string fingerprint(const std::string& certificate_pem);

// An identity in two files, for a server to read.
class IdentityFiles {
 public:
  explicit IdentityFiles(const Identity& identity);
  ~IdentityFiles();
  IdentityFiles(const IdentityFiles&) = delete;
  IdentityFiles& operator=(const IdentityFiles&) = delete;

  void replace(const Identity& identity) const;

  std::string certificate() const { return (directory_ / "cert.pem").string(); }
  std::string key() const { return (directory_ / "key.pem").string(); }

 private:
  std::filesystem::path directory_;
};

}  // namespace troupe::mysql::testing
