// Volumes, certificate and made-up accounts: what must be there before the Pod.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "actors/model/credentials.hpp"
#include "actors/model/endpoints.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::unit {
namespace {

using boost::json::object;

constexpr std::string_view kAdminVariable = "ADM_USER";

struct AccountRole {
  std::string_view variable;  // names the user, in the main container's environment
  std::vector<agent::GrantSet> grants;
  std::string_view host;
};

const std::vector<AccountRole>& account_roles() {
  using enum agent::GrantSet;
  static const std::vector<AccountRole> kRoles = {
      {kAdminVariable, {Admin}, "localhost"},
      {"MON_USER", {Monitor}, "%"},
      {"REPL_USER", {Replication, CloneDonor}, "%"},
      {"PROV_USER", {Provision}, "%"},
  };
  return kRoles;
}

// A stock image's own ways to say what becomes of root.
constexpr std::array<std::string_view, 3> kStockRoot{
    "MYSQL_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD_FILE", "MYSQL_ALLOW_EMPTY_PASSWORD"};
constexpr std::string_view kRoot = "root";

bool user_has(const World& w, std::string_view user) {
  return w.secret && w.secret->data.contains(user);
}

// Who has the role; nobody: empty. Whoever put root into the Secret wants to use it.
std::string user_of(const World& w, const AccountRole& role) {
  if (auto named = env_of(w, role.variable)) return *std::move(named);
  if (role.variable != kAdminVariable || !user_has(w, kRoot)) return {};
  const bool stock = std::any_of(kStockRoot.begin(), kStockRoot.end(),
                                 [&w](auto name) { return env_of(w, name).has_value(); });
  return stock ? std::string() : std::string(kRoot);
}

// The owner of made-up accounts: the UnitSet whose Units share them, else the Unit.
boost::json::array accounts_owner(const World& w) {
  if (const auto* owner = k8s::controller_of(w.object->metadata))
    return {owner_reference(owner->apiVersion, owner->kind, owner->name, owner->uid)};
  return owned_by(*w.object);
}

std::optional<WallTime> renewal_of(const World& w) {
  if (!w.certificate) return std::nullopt;
  const auto at =
      k8s::parse_rfc3339(w.certificate->metadata.annotations.get(kRenewAfterAnnotation));
  return at ? std::optional(*at) : std::nullopt;
}

enum class CertificateNeed { Nothing, Trust, Certificate };

// A new authority is trusted everywhere before anything of it is shown: while it is introduced, the
// Unit keeps the certificate that it has.
CertificateNeed certificate_need(const World& w) {
  const auto renew = renewal_of(w);
  if (!renew || w.wall >= *renew) return CertificateNeed::Certificate;
  const auto& has = w.certificate->metadata.annotations;
  const auto& authority = w.authority->metadata.annotations;
  const auto stage = agent::parse_authority_stage(authority.get(kStageAnnotation));
  if (!stage) return CertificateNeed::Nothing;
  if (*stage != agent::AuthorityStage::Introducing &&
      has.get(kSignerAnnotation) != authority.get(kSignerAnnotation))
    return CertificateNeed::Certificate;
  return has.get(kTrustedAnnotation) == authority.get(kTrustedAnnotation) ? CertificateNeed::Nothing
                                                                          : CertificateNeed::Trust;
}

std::vector<std::string> names_of_server(const World& w) {
  const auto ns = w.object->metadata.namespace_.view();
  const auto name = w.object->metadata.name.view();
  std::vector<std::string> names{agent_server_name(ns, name), std::string(name), "localhost"};
  if (const auto subdomain = text_at(template_spec(w), "subdomain"); !subdomain.empty()) {
    const auto by_service = dns_names_of_pod(name, subdomain, ns, w.cluster_domain);
    names.insert(names.end(), by_service.begin(), by_service.end());
  }
  return names;
}

}  // namespace

void keep_claims(const World& w, Decision& d) {
  const auto& o = *w.object;
  for (const auto& c : w.claims) {
    const auto& spec = c.wanted.spec;
    const bool bound = c.live && c.live->status.phase == "Bound";
    if (!bound && !spec.storageClassName.empty() && !c.storage_class)
      d.hold("StorageClassMissing", fmt::format("StorageClass {} (claim {}) does not exist",
                                                spec.storageClassName, c.name));
    // A claim is made once; afterwards only its size may grow.
    const auto wanted = k8s::Amount::parse(spec.resources.requests.get("storage").text);
    if (c.live) {
      const auto has = k8s::Amount::parse(c.live->spec.resources.requests.get("storage").text);
      if (!wanted || !has || *wanted <= *has) continue;
      if (c.storage_class && !c.storage_class->allowVolumeExpansion) {
        d.hold("VolumeCannotGrow",
               fmt::format("claim {} cannot grow to {}: StorageClass {} does not allow it", c.name,
                           spec.resources.requests.get("storage").text,
                           c.storage_class->metadata.name));
        continue;
      }
    }
    auto body = skeleton<k8s::PersistentVolumeClaim>(o.metadata.namespace_, c.name);
    auto labels = to_json(o.metadata.labels);
    labels.erase(kOwnerLabel);
    for (const auto& [key, text] : c.wanted.metadata.labels) labels[key.view()] = text.view();
    body["metadata"].as_object()["labels"] = std::move(labels);
    body["spec"] = boost::json::parse(k8s::to_json_text(spec));
    const auto object = ref<k8s::PersistentVolumeClaim>(o.metadata.namespace_, c.name);
    d.add(apply_key("PersistentVolumeClaim", object, kManager),
          Apply{object, std::string(kManager), boost::json::serialize(body), false, {}});
  }
}

void keep_certificate(const World& w, TimePoint now, Decision& d) {
  const auto& o = *w.object;
  const auto ns = o.metadata.namespace_.view();
  const auto secret = ref<k8s::SecretObject>(ns, certificate_secret(o.metadata.name));
  if (!w.authority) {
    if (!w.certificate)
      d.hold("AuthorityMissing",
             fmt::format("there is no authority to vouch for it yet: Secret {}", kAuthoritySecret));
    return;
  }
  switch (certificate_need(w)) {
    case CertificateNeed::Nothing:
      break;
    case CertificateNeed::Trust:
      d.add("trust authorities", TrustAuthorities{secret});
      break;
    case CertificateNeed::Certificate:
      d.add("certificate",
            IssueCertificate{secret, boost::json::serialize(owned_by(o)), names_of_server(w)});
      break;
  }
  if (const auto renew = renewal_of(w); renew && w.wall < *renew)
    d.wake_at(now + (*renew - w.wall));
}

std::vector<std::string> accounts_to_make(const World& w) {
  std::vector<std::string> users;
  for (const auto& role : account_roles()) {
    const auto user = user_of(w, role);
    if (user.empty() || user_has(w, user)) continue;
    if (w.made_accounts && w.made_accounts->data.contains(user)) continue;
    users.push_back(user);
  }
  return users;
}

void keep_made_accounts(const World& w, Decision& d) {
  auto users = accounts_to_make(w);
  if (users.empty()) return;
  d.add("make accounts",
        MakePasswords{ref<k8s::SecretObject>(w.object->metadata.namespace_,
                                             accounts_secret(owner_of_accounts(*w.object))),
                      boost::json::serialize(accounts_owner(w)), std::move(users),
                      bool(w.made_accounts)});
}

void hold_unreadable_accounts(const World& w, Decision& d) {
  if (!accounts_to_make(w).empty()) return;
  if (const auto accounts = accounts_of(w); !accounts)
    d.hold(std::string(rule_of_credentials(accounts.error())), accounts.error().message);
}

std::vector<std::string> users_in_secret(const World& w) {
  std::vector<std::string> users;
  for (const auto& role : account_roles())
    if (auto user = user_of(w, role); user_has(w, user)) users.push_back(std::move(user));
  return users;
}

Result<std::vector<agent::Account>> accounts_of(const World& w) {
  std::vector<agent::Account> out;
  for (const auto& role : account_roles()) {
    const auto user = user_of(w, role);
    if (user.empty()) continue;
    const auto own = w.passwords.find(user);
    auto password = own != w.passwords.end() ? own->second : plain_value(w.made_accounts, user);
    if (!password) return password.error();
    out.push_back({.user = user,
                   .host = std::string(role.host),
                   .password = std::move(*password),
                   .grants = role.grants});
  }
  return out;
}

}  // namespace troupe::actors::unit
