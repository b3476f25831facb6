// The files of certificates that a Unit's Secret mounts, and when a change of them counts.
//
// gRPC reads them again by itself, every kRefresh: what has not changed for two of those is what it
// uses. The time is an argument; not thread-safe.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace troupe::agent {

class CertificateFiles {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kRefresh{2};

  struct Digests {
    std::string trusted;  // SHA-256 of ca.crt, hex
    std::string shown;    // of tls.crt
    bool operator==(const Digests&) const = default;
  };

  explicit CertificateFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // Reads them; what gRPC uses, or nothing while that may be older. The first look counts at once.
  std::optional<Digests> look(Time now);

 private:
  const std::filesystem::path directory_;
  std::optional<Digests> seen_;
  Time settled_at_{};
};

}  // namespace troupe::agent
