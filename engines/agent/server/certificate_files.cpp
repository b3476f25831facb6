#include "engines/agent/server/certificate_files.hpp"

#include "engines/agent/model/digest.hpp"
#include "engines/agent/server/files.hpp"

namespace troupe::agent {
namespace {

constexpr std::size_t kMaxBytes = 256 * 1024;
constexpr auto kSettles = 2 * CertificateFiles::kRefresh + std::chrono::seconds(1);

}  // namespace

std::optional<CertificateFiles::Digests> CertificateFiles::look(Time now) {
  const auto trusted = read_file(directory_ / "ca.crt", kMaxBytes);
  const auto shown = read_file(directory_ / "tls.crt", kMaxBytes);
  if (!trusted || !shown) return std::nullopt;
  Digests found{sha256_hex(*trusted), sha256_hex(*shown)};
  if (seen_ != found) {
    settled_at_ = seen_ ? now + kSettles : now;
    seen_ = std::move(found);
  }
  return now >= settled_at_ ? seen_ : std::nullopt;
}

}  // namespace troupe::agent
