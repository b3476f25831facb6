#include "actors/host/authority.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <boost/json.hpp>
#include <mutex>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "engines/agent/model/digest.hpp"
#include "k8s/api/core.hpp"

namespace troupe::actors {
namespace {

constexpr const char* kAuthorityName = "troupe agents";
// By this name agents know the operator.
constexpr const char* kOperatorName = "troupe-operator";
constexpr int kPasswordBytes = 24;

Result<std::string> random_password() {
  unsigned char bytes[kPasswordBytes];
  if (RAND_bytes(bytes, sizeof bytes) != 1)
    return error(Code::Fatal, "no randomness for a password");
  return agent::to_hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

boost::json::object secret_body(const ObjectRef& secret, const std::string& owners) {
  auto body = skeleton<k8s::SecretObject>(secret.ns, secret.name);
  body["metadata"].as_object()["ownerReferences"] = boost::json::parse(owners);
  body["type"] = "Opaque";
  return body;
}

}  // namespace

struct Authority::Impl {
  explicit Impl(const Clock& c) : clock(c) {}
  const Clock& clock;
  mutable std::mutex mutex;
  agent::Authorities authorities;
};

Authority::Authority(const Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}
Authority::~Authority() = default;

Result<void> Authority::load(const Stored& stored) {
  agent::Authorities read;
  agent::CertifiedKey other;
  for (const auto& [key, text] : stored) {
    if (key == "tls.crt") read.current.certificate = text;
    if (key == "tls.key") read.current.key = Secret(text);
    if (key == "other.crt") other.certificate = text;
    if (key == "other.key") other.key = Secret(text);
  }
  if (!other.certificate.empty()) read.other = std::move(other);
  const auto now = impl_->clock.wall();
  if (read.current.certificate.empty()) {
    auto made = agent::make_authority(kAuthorityName, now);
    if (!made) return made.error();
    read.current = std::move(*made);
  } else {
    auto rotated = agent::rotated(read, kAuthorityName, now);
    if (!rotated) return rotated.error();
    read = std::move(*rotated);
  }
  const std::scoped_lock lock(impl_->mutex);
  impl_->authorities = std::move(read);
  return {};
}

Result<Authority::Stored> Authority::to_store() const {
  const std::scoped_lock lock(impl_->mutex);
  const auto& a = impl_->authorities;
  Stored out{{"tls.crt", a.current.certificate}, {"tls.key", std::string(a.current.key.reveal())}};
  if (a.other) {
    out.emplace_back("other.crt", a.other->certificate);
    out.emplace_back("other.key", std::string(a.other->key.reveal()));
  }
  return out;
}

std::string Authority::ca_pem() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->authorities.bundle();
}

Result<agent::CertifiedKey> Authority::operator_identity() const {
  const std::scoped_lock lock(impl_->mutex);
  return agent::issue(impl_->authorities.current,
                      {.common_name = kOperatorName,
                       .dns_names = {kOperatorName},
                       .ip_addresses = {},
                       .use = agent::CertificateUse::Client},
                      impl_->clock.wall());
}

Result<std::string> Authority::certificate(const IssueCertificate& r) const {
  const auto now = impl_->clock.wall();
  agent::CertifiedKey made;
  std::string bundle;
  {
    const std::scoped_lock lock(impl_->mutex);
    auto leaf = agent::issue(impl_->authorities.current,
                             {.common_name = r.dns_names.front(),
                              .dns_names = r.dns_names,
                              .ip_addresses = {},
                              .use = agent::CertificateUse::Server},
                             now);
    if (!leaf) return leaf.error();
    made = std::move(*leaf);
    bundle = impl_->authorities.bundle();
  }
  auto body = secret_body(r.secret, r.owner_references);
  const auto renew =
      now + std::chrono::duration_cast<std::chrono::microseconds>(agent::kLeafLifetime * 2 / 3);
  body["metadata"].as_object()["annotations"] = {{kRenewAfterAnnotation, to_rfc3339(renew)}};
  body["data"] = {{"tls.crt", agent::base64_encode(made.certificate)},
                  {"tls.key", agent::base64_encode(made.key.reveal())},
                  {"ca.crt", agent::base64_encode(bundle)}};
  return boost::json::serialize(body);
}

Result<std::string> Authority::passwords(const MakePasswords& r) const {
  boost::json::object data;
  for (const auto& user : r.users) {
    const auto password = random_password();
    if (!password) return password.error();
    data[user] = agent::base64_encode(*password);
  }
  if (r.exists) return boost::json::serialize(boost::json::object{{"data", std::move(data)}});
  auto body = secret_body(r.secret, r.owner_references);
  body["data"] = std::move(data);
  return boost::json::serialize(body);
}

}  // namespace troupe::actors
