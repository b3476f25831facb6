#include "actors/host/authority.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <mutex>

#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "engines/agent/model/digest.hpp"
#include "k8s/api/core.hpp"

namespace troupe::actors {
namespace {

constexpr int kPasswordBytes = 24;
// Certificates that were issued at once are renewed over two days.
constexpr std::chrono::hours kRenewalSpread{48};

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

// A part of `whole`, as microseconds.
Result<std::chrono::microseconds> random_part(std::chrono::microseconds whole) {
  std::uint32_t random = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random) != 1)
    return error(Code::Fatal, "no randomness");
  return std::chrono::microseconds(whole.count() / UINT32_MAX * random);
}

// Named by the day: people see the name in what the others show them.
Result<agent::CertifiedKey> new_authority(WallTime now) {
  return agent::make_authority(fmt::format("troupe agents {}", to_rfc3339(now)), now);
}

Result<agent::Authorities> authorities_in(const k8s::SecretObject& secret) {
  std::map<std::string, std::string> texts;
  for (const auto& [key, encoded] : secret.data) {
    auto text = agent::base64_decode(encoded);
    if (!text) return error(Code::Invalid, fmt::format("key {} is not base64", key));
    texts[key.str()] = std::move(*text);
  }
  agent::Authorities out;
  out.signer = {texts["tls.crt"], Secret(texts["tls.key"])};
  if (!texts["next.crt"].empty()) out.next = {texts["next.crt"], Secret(texts["next.key"])};
  const auto stage =
      agent::parse_authority_stage(secret.metadata.annotations.get(kStageAnnotation));
  out.stage = stage.value_or(agent::AuthorityStage::Steady);
  if (!texts["others.crt"].empty()) {
    auto others = agent::certificates_in(texts["others.crt"]);
    if (!others) return others.error();
    out.others = std::move(*others);
  }
  // Nothing is held that could not sign.
  if (const auto works = agent::is_pair(out.signer); !works) return works.error();
  if (out.next)
    if (const auto works = agent::is_pair(*out.next); !works) return works.error();
  return out;
}

Result<agent::Authorities> step(agent::Authorities held, agent::AuthorityStep step, WallTime now) {
  switch (step) {
    case agent::AuthorityStep::Describe:
      break;
    case agent::AuthorityStep::Introduce: {
      auto next = new_authority(now);
      if (!next) return next.error();
      return agent::introduced(std::move(held), std::move(*next));
    }
    case agent::AuthorityStep::Sign:
      return agent::signing(std::move(held));
    case agent::AuthorityStep::Retire:
      return agent::retired(std::move(held));
  }
  return held;
}

// The Secret's data, and what it says of itself.
Result<boost::json::object> content_of(const agent::Authorities& a, WallTime now) {
  const auto facts = agent::facts_of(a.signer.certificate);
  if (!facts) return facts.error();
  boost::json::object out;
  auto& annotations = object_at(object_at(out, "metadata"), "annotations");
  annotations[kSignerAnnotation] = agent::sha256_hex(a.signer.certificate);
  annotations[kTrustedAnnotation] = agent::sha256_hex(a.bundle());
  annotations[kStageAnnotation] = agent::to_string(a.stage);
  annotations[kStageSinceAnnotation] = to_rfc3339(now);
  annotations[kRenewAfterAnnotation] = to_rfc3339(agent::renewal_time(*facts));
  annotations[kExpiresAnnotation] = to_rfc3339(facts->not_after);
  boost::json::object data{{"tls.crt", agent::base64_encode(a.signer.certificate)},
                           {"tls.key", agent::base64_encode(a.signer.key.reveal())},
                           {"ca.crt", agent::base64_encode(a.bundle())}};
  if (a.next) {
    data["next.crt"] = agent::base64_encode(a.next->certificate);
    data["next.key"] = agent::base64_encode(a.next->key.reveal());
  }
  if (!a.others.empty()) {
    std::string others;
    for (const auto& other : a.others) others += other;
    data["others.crt"] = agent::base64_encode(others);
  }
  out["data"] = std::move(data);
  return out;
}

}  // namespace

struct Authority::Impl {
  explicit Impl(const Clock& c) : clock(c) {}
  const Clock& clock;
  mutable std::mutex mutex;
  std::optional<agent::Authorities> held;
  std::optional<agent::TlsIdentity> identity;
  WallTime renew_identity;

  Result<agent::Authorities> authorities() const {
    const std::scoped_lock lock(mutex);
    if (!held) return error(Code::Retry, "there is no authority yet");
    return *held;
  }
};

Authority::Authority(const Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}
Authority::~Authority() = default;

Result<void> Authority::take(const k8s::SecretObject& secret) {
  auto read = authorities_in(secret);
  if (!read) return read.error();
  const std::scoped_lock lock(impl_->mutex);
  auto& held = impl_->held;
  const bool other = !held || held->signer.certificate != read->signer.certificate ||
                     held->bundle() != read->bundle();
  held = std::move(*read);
  if (other) impl_->identity.reset();
  return {};
}

bool Authority::holds() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->held.has_value();
}

Result<std::string> Authority::to_store(const StoreAuthority& r) {
  const auto now = impl_->clock.wall();
  const std::scoped_lock lock(impl_->mutex);
  if (!impl_->held) {
    std::vector<std::string> trusted;
    for (const auto& bundle : r.trusted) {
      const auto some = agent::certificates_in(bundle);
      if (!some) continue;  // nothing that anybody could trust
      for (const auto& one : *some)
        if (std::find(trusted.begin(), trusted.end(), one) == trusted.end()) trusted.push_back(one);
    }
    auto made = new_authority(now);
    if (!made) return made.error();
    impl_->held = agent::founded(std::move(*made), std::move(trusted));
  }
  auto content = content_of(*impl_->held, now);
  if (!content) return content.error();
  auto body = skeleton<k8s::SecretObject>(r.secret.ns, r.secret.name);
  body["type"] = "Opaque";
  body["data"] = std::move(content->at("data"));
  object_at(body, "metadata")["annotations"] = std::move(content->at("metadata").at("annotations"));
  return boost::json::serialize(body);
}

Result<std::string> Authority::to_advance(const AdvanceAuthority& r) const {
  const auto now = impl_->clock.wall();
  auto held = impl_->authorities();
  if (!held) return held.error();
  auto advanced = step(std::move(*held), r.step, now);
  if (!advanced) return advanced.error();
  auto content = content_of(*advanced, now);
  if (!content) return content.error();
  auto& metadata = content->at("metadata").as_object();
  metadata["resourceVersion"] = std::to_string(r.expected.value);
  metadata.at("annotations").as_object()[kRotateAnnotation] = nullptr;
  auto& data = content->at("data").as_object();
  for (const auto* key : {"next.crt", "next.key", "others.crt"})
    if (!data.contains(key)) data[key] = nullptr;
  return boost::json::serialize(*content);
}

std::string Authority::ca_pem() const {
  const auto held = impl_->authorities();
  return held ? held->bundle() : std::string();
}

bool Authority::identity_is_due() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->held && (!impl_->identity || impl_->clock.wall() >= impl_->renew_identity);
}

Result<agent::TlsIdentity> Authority::identity() {
  const bool due = identity_is_due();
  const std::scoped_lock lock(impl_->mutex);
  if (!impl_->held) return error(Code::Retry, "there is no authority yet");
  if (impl_->identity && !due) return *impl_->identity;
  auto leaf = agent::issue(impl_->held->signer,
                           {.common_name = kOperatorName,
                            .dns_names = {kOperatorName},
                            .ip_addresses = {},
                            .use = agent::CertificateUse::Client},
                           impl_->clock.wall());
  if (!leaf) return leaf.error();
  const auto facts = agent::facts_of(leaf->certificate);
  if (!facts) return facts.error();
  impl_->renew_identity = agent::renewal_time(*facts);
  impl_->identity = {impl_->held->bundle(), std::move(leaf->certificate), std::move(leaf->key)};
  return *impl_->identity;
}

Result<std::string> Authority::certificate(const IssueCertificate& r) const {
  const auto held = impl_->authorities();
  if (!held) return held.error();
  const auto leaf = agent::issue(held->signer,
                                 {.common_name = r.dns_names.front(),
                                  .dns_names = r.dns_names,
                                  .ip_addresses = {},
                                  .use = agent::CertificateUse::Server},
                                 impl_->clock.wall());
  if (!leaf) return leaf.error();
  const auto facts = agent::facts_of(leaf->certificate);
  if (!facts) return facts.error();
  const auto early = random_part(kRenewalSpread);
  if (!early) return early.error();
  auto body = secret_body(r.secret, r.owner_references);
  auto& annotations = object_at(object_at(body, "metadata"), "annotations");
  annotations[kRenewAfterAnnotation] = to_rfc3339(agent::renewal_time(*facts) - *early);
  annotations[kSignerAnnotation] = agent::sha256_hex(held->signer.certificate);
  annotations[kTrustedAnnotation] = agent::sha256_hex(held->bundle());
  annotations[kCertificateAnnotation] = agent::sha256_hex(leaf->certificate);
  body["data"] = {{"tls.crt", agent::base64_encode(leaf->certificate)},
                  {"tls.key", agent::base64_encode(leaf->key.reveal())},
                  {"ca.crt", agent::base64_encode(held->bundle())}};
  return boost::json::serialize(body);
}

Result<std::string> Authority::trust(const TrustAuthorities&) const {
  const auto held = impl_->authorities();
  if (!held) return held.error();
  const auto bundle = held->bundle();
  boost::json::object body;
  object_at(object_at(body, "metadata"), "annotations")[kTrustedAnnotation] =
      agent::sha256_hex(bundle);
  body["data"] = {{"ca.crt", agent::base64_encode(bundle)}};
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
